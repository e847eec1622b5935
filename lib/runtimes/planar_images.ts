import type { Preprocessing } from "../data/preprocessing.ts";
import type { ExportInput } from "../export/export_metadata.ts";

/**
 * Makes the function that turns pictures into what an exported model is fed: a plane for each channel, the channels in
 * the model's order, the values as bytes are or normalised.
 *
 * @param preprocessing Size, mean and standard deviation of the model.
 * @param input Which channel comes first, and whether the model normalises itself.
 * @returns From RGB bytes `[rows, height, width, 3]` to float32 `[rows, 3, height, width]`, which it fills.
 *
 * @example
 * ```ts
 * import { planarImages } from "./planar_images.ts";
 * const toPlanes = planarImages({
 *   size: { height: 1, width: 2 },
 *   interpolation: "bilinear",
 *   channelOrder: "rgb",
 *   mean: [0.5, 0.5, 0.5],
 *   std: [0.5, 0.5, 0.5],
 * }, { channelOrder: "bgr", values: "raw" });
 * const planes = new Float32Array(6);
 * toPlanes(Uint8Array.of(1, 2, 3, 11, 12, 13), planes);
 * console.log(planes.join()); // 3,13,2,12,1,11
 * ```
 */
export function planarImages(
  preprocessing: Preprocessing,
  input: ExportInput,
): (images: Uint8Array, planes: Float32Array) => void {
  const { size: { height, width }, mean, std } = preprocessing;
  const pixels = height * width;
  // What each of the 256 values of a byte becomes, for each channel.
  const tables = mean.map((average, channel) =>
    Float32Array.from(
      { length: 256 },
      (_, value) => input.values === "raw" ? value : (value / 255 - average) / std[channel]!,
    )
  );
  return (images, planes) => {
    for (let start = 0; start < images.length; start += 3 * pixels) {
      for (let channel = 0; channel < 3; channel++) {
        const table = tables[channel]!;
        const plane = start + (input.channelOrder === "bgr" ? 2 - channel : channel) * pixels;
        for (let pixel = 0, at = start + channel; pixel < pixels; pixel++, at += 3) {
          planes[plane + pixel] = table[images[at]!]!;
        }
      }
    }
  };
}
