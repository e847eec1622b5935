import type { HostTensor } from "../graph/host_tensor.ts";
import { planarImages } from "../runtimes/planar_images.ts";
import type { ExportMetadata } from "./export_metadata.ts";

/**
 * Pictures as an exported file is fed with them.
 *
 * @param images RGB bytes `[batch, height, width, 3]`.
 * @param metadata What the file wants.
 * @returns Float32 `[batch, 3, height, width]`.
 */
export function toFileInput(
  images: Uint8Array,
  { preprocessing, input }: Pick<ExportMetadata, "preprocessing" | "input">,
): HostTensor {
  const { height, width } = preprocessing.size;
  const data = new Float32Array(images.length);
  planarImages(preprocessing, input)(images, data);
  return { dtype: "float32", shape: [images.length / (3 * height * width), 3, height, width], data };
}
