import type { Preprocessing } from "../data/preprocessing.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import type { ExportInput } from "./export_metadata.ts";

/**
 * Pictures as an exported file is fed with them: planes of channels in the file's order, raw or normalised.
 *
 * @param images RGB bytes `[batch, height, width, 3]`.
 * @param preprocessing Size, mean and standard deviation.
 * @param input What the file wants.
 * @returns Float32 `[batch, 3, height, width]`.
 *
 * @example One picture of one pixel
 * ```ts
 * import assert from "node:assert/strict";
 * const preprocessing = {
 *   size: { height: 1, width: 1 },
 *   interpolation: "bilinear",
 *   channelOrder: "rgb",
 *   mean: [0.5, 0.5, 0.5],
 *   std: [0.5, 0.5, 0.5],
 * } as const;
 * const { shape, data } = toFileInput(Uint8Array.of(1, 2, 255), preprocessing, { channelOrder: "bgr", values: "raw" });
 * assert.deepEqual([...shape], [1, 3, 1, 1]);
 * assert.deepEqual([...data], [255, 2, 1]);
 * ```
 */
export function toFileInput(
  images: Uint8Array,
  { size: { height, width }, mean, std }: Preprocessing,
  { channelOrder, values }: ExportInput,
): HostTensor {
  const pixels = height * width;
  const batch = images.length / (3 * pixels);
  const data = new Float32Array(images.length);
  for (let channel = 0; channel < 3; channel++) {
    const plane = channelOrder === "bgr" ? 2 - channel : channel;
    const scale = values === "raw" ? 1 : 1 / (255 * std[channel]!);
    const offset = values === "raw" ? 0 : -mean[channel]! / std[channel]!;
    for (let row = 0; row < batch; row++) {
      const to = (3 * row + plane) * pixels;
      for (let pixel = 0, from = 3 * row * pixels + channel; pixel < pixels; pixel++, from += 3) {
        data[to + pixel] = images[from]! * scale + offset;
      }
    }
  }
  return { dtype: "float32", shape: [batch, 3, height, width], data };
}
