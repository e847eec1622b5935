import { rawOperator } from "../tensorflow/backend.ts";
import { tf } from "../tensorflow/tf.ts";

/**
 * Turns a recording's `uint8` input into numbers tfjs can compute with. tfjs has no uint8 and takes such a tensor for
 * int32, so this must be the first operation on it. Batches cross to the engine as bytes, a quarter of float32.
 *
 * @param bytes A tensor whose native dtype is uint8, of any shape.
 * @returns Float32 of the same shape, 0..255.
 */
export function castToFloat32(bytes: tf.Tensor): tf.Tensor {
  return rawOperator("Cast", [bytes], {
    SrcT: { kind: "dtype", value: "uint8" },
    DstT: { kind: "dtype", value: "float32" },
    Truncate: { kind: "bool", value: false },
  })[0]!;
}
