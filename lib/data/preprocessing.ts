/**
 * How a picture becomes the network's input. One record belongs to each set of weights; training, evaluation, export
 * and inference all read this same record, so that they cannot drift apart.
 *
 * The rule is the reference's: decode, apply the EXIF rotation, convert to RGB, resize straight to
 * `size.height x size.width` (aspect ratio not kept, no crop), then `(pixel / 255 - mean) / std` per channel.
 * A picture that already has that size is not resampled.
 */
export interface Preprocessing {
  /** Height and width of the network's input, in pixels. */
  readonly size: { readonly height: number; readonly width: number };
  /** Kernel of the resize. */
  readonly interpolation: "bilinear" | "bicubic";
  /** Order of the channels the network expects. */
  readonly channelOrder: "rgb";
  /** Mean per channel, on the 0..1 scale. */
  readonly mean: readonly [number, number, number];
  /** Standard deviation per channel, on the 0..1 scale. */
  readonly std: readonly [number, number, number];
}
