/** How a network is quantised: plain data, saved with its weights. */
export interface Quantization {
  /**
   * Bits of the weights: 8, or 7 so that two products of a weight and a byte fit 16 bits, which processors without VNNI
   * add them up in.
   */
  readonly weightBits: 7 | 8;
  /** Layers that stay in float, by name. */
  readonly floatLayers: readonly string[];
}
