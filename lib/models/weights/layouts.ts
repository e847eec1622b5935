import type { HostData, HostTensor } from "../../graph/host_tensor.ts";

/**
 * Turns a weight from PyTorch's layout to tfjs's.
 *
 * @param name timm's name: it tells depthwise convolutions (`...conv_dw.weight`) from dense ones
 * @param tensor rank 4 `[out, in, height, width]`, depthwise `[channels, 1, height, width]`, rank 2 `[out, in]`, or any
 * tensor of rank 0, 1 or 3
 * @returns rank 4 `[height, width, in, out]`, depthwise `[height, width, channels, 1]`, rank 2 `[in, out]`; others as
 * they are, not copied
 * @throws {TypeError} if a depthwise weight has more than one input per channel
 * @example
 * ```ts
 * import { toTfjsLayout } from "./layouts.ts";
 * const stem = { dtype: "float32", shape: [16, 3, 5, 5], data: new Float32Array(1200) } as const;
 * console.log(toTfjsLayout("conv_stem.weight", stem).shape); // [5, 5, 3, 16]
 * ```
 */
export function toTfjsLayout(name: string, tensor: HostTensor): HostTensor {
  const { shape } = tensor;
  if (shape.length === 2) return transposeMatrix(tensor);
  if (shape.length !== 4) return tensor;
  const [out, inputs, height, width] = shape;
  const isDepthwise = isDepthwiseName(name);
  if (isDepthwise && inputs !== 1) throw wrongDepthwise(name, shape, "[channels, 1, height, width]");
  // [out * in][height * width] -> [height * width][...]: for depthwise in = 1, so both orders of the rest agree
  const data = emptyLike(tensor);
  const area = height * width;
  const source = tensor.data;
  for (let o = 0; o < out; o++) {
    for (let i = 0; i < inputs; i++) {
      let from = (o * inputs + i) * area;
      for (let to = i * out + o, p = 0; p < area; p++, to += inputs * out) data[to] = source[from++];
    }
  }
  return { ...tensor, shape: isDepthwise ? [height, width, out, 1] : [height, width, inputs, out], data };
}

/**
 * Turns a weight from tfjs's layout to PyTorch's: the inverse of {@linkcode toTfjsLayout}.
 *
 * @param name timm's name
 * @param tensor rank 4 `[height, width, in, out]`, depthwise `[height, width, channels, 1]`, rank 2 `[in, out]`, or any
 * tensor of rank 0, 1 or 3
 * @returns rank 4 `[out, in, height, width]`, depthwise `[channels, 1, height, width]`, rank 2 `[out, in]`; others as
 * they are, not copied
 * @throws {TypeError} if a depthwise weight has more than one output per channel
 */
export function fromTfjsLayout(name: string, tensor: HostTensor): HostTensor {
  const { shape } = tensor;
  if (shape.length === 2) return transposeMatrix(tensor);
  if (shape.length !== 4) return tensor;
  const isDepthwise = isDepthwiseName(name);
  if (isDepthwise && shape[3] !== 1) throw wrongDepthwise(name, shape, "[height, width, channels, 1]");
  const [height, width] = shape;
  const [inputs, out] = isDepthwise ? [1, shape[2]] : [shape[2], shape[3]];
  const data = emptyLike(tensor);
  const area = height * width;
  const source = tensor.data;
  for (let o = 0; o < out; o++) {
    for (let i = 0; i < inputs; i++) {
      let to = (o * inputs + i) * area;
      for (let from = i * out + o, p = 0; p < area; p++, from += inputs * out) data[to++] = source[from];
    }
  }
  return { ...tensor, shape: [out, inputs, height, width], data };
}

function isDepthwiseName(name: string): boolean {
  return name.endsWith("conv_dw.weight");
}

function transposeMatrix(tensor: HostTensor): HostTensor {
  const [rows, columns] = tensor.shape;
  const data = emptyLike(tensor);
  const source = tensor.data;
  for (let row = 0, from = 0; row < rows; row++) {
    for (let column = 0, to = row; column < columns; column++, to += rows) data[to] = source[from++];
  }
  return { ...tensor, shape: [columns, rows], data };
}

function emptyLike({ data }: HostTensor): HostData {
  return new (data.constructor as new (length: number) => HostData)(data.length);
}

function wrongDepthwise(name: string, shape: readonly number[], wanted: string): TypeError {
  return new TypeError(
    `Cannot change the layout of "${name}": a depthwise weight of shape ${wanted} was wanted, found [${
      shape.join(", ")
    }]\n` +
      `  help: the weights belong to another network, or are in the other layout already`,
  );
}
