/** How a network is quantised: plain data, saved with its weights. */
export interface Quantization {
  /**
   * Bits of the weights: 8, or 7 so that two products of a weight and a byte fit 16 bits, which processors without VNNI
   * add them up in.
   */
  readonly weightBits: 7 | 8;
  /** The quantised values between layers, and what their ranges are like. */
  readonly points: Readonly<Record<string, RangeKind>>;
  /** Layers that stay in float, by name. */
  readonly floatLayers: readonly string[];
}

/**
 * What the 256 values of a range are: `unsigned`: from 0; `signed`: as many below 0 as above, and one more below;
 * `asymmetric`: from any number up to 0 to any from 0.
 */
export type RangeKind = "unsigned" | "signed" | "asymmetric";
