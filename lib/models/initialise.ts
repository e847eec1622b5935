import { createRng, type Rng } from "../augment/rng.ts";
import { type HostTensor, sizeOf } from "../graph/host_tensor.ts";
import type { ParameterSpec } from "./layers.ts";

/**
 * First values for training from scratch: convolutions normal with variance `2 / (kernel area * output channels per
 * group)` (timm's `_init_weight_goog`, after TensorFlow's EfficientNet), biases 0, batch norms the identity. The
 * classifier is normal with deviation 0.01, as in the reference and in torchvision: timm's is uniform within
 * `1 / sqrt(classes)`, which with few classes starts from a loss far above chance. A cosine classifier's rows are normal,
 * of length 1, as the reference's.
 *
 * @param parameters Names, shapes and kinds of a network's parameters.
 * @param seed Decides all values; each parameter has its own stream, by its place in the network.
 * @param options `except`: which parameters are left out; the values of the others stay the same.
 * @returns Float32 tensors by name, in tfjs's layouts.
 */
export function initialise(
  parameters: readonly ParameterSpec[],
  seed: number,
  options: { except?: (spec: ParameterSpec) => boolean } = {},
): Record<string, HostTensor> {
  const { except = () => false } = options;
  return Object.fromEntries(
    parameters.flatMap((spec, index) =>
      except(spec) ? [] : [[spec.name, initialValue(spec, createRng(seed, "weights", 0, index))]]
    ),
  );
}

function initialValue(spec: ParameterSpec, rng: Rng): HostTensor {
  const data = new Float32Array(sizeOf(spec.shape));
  const { shape } = spec;
  switch (spec.kind) {
    case "convolution":
      fillNormal(data, Math.sqrt(2 / (shape[0]! * shape[1]! * shape[3]!)), rng);
      break;
    case "depthwise-convolution":
      fillNormal(data, Math.sqrt(2 / (shape[0]! * shape[1]!)), rng);
      break;
    case "linear":
      fillNormal(data, 0.01, rng);
      break;
    case "cosine":
      fillNormal(data, 1, rng);
      normaliseColumns(data, shape[1]!);
      break;
    case "constant":
      data.fill(spec.value!);
      break;
    case "scale":
    case "running-variance":
    case "quantizer-range":
      data.fill(1);
      break;
    case "bias":
    case "offset":
    case "running-mean":
      break;
  }
  return { dtype: "float32", shape, data };
}

/** Makes the columns of `[rows, columns]` vectors of length 1. */
function normaliseColumns(data: Float32Array, columns: number): void {
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    for (let i = column; i < data.length; i += columns) sum += data[i]! ** 2;
    for (let i = column; i < data.length; i += columns) data[i]! /= Math.sqrt(sum);
  }
}

/** Box-Muller: two normal numbers from two uniform ones. */
function fillNormal(data: Float32Array, deviation: number, rng: Rng): void {
  for (let i = 0; i < data.length; i += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - rng.uniform()));
    const angle = 2 * Math.PI * rng.uniform();
    data[i] = radius * Math.cos(angle);
    if (i + 1 < data.length) data[i + 1] = radius * Math.sin(angle);
  }
}
