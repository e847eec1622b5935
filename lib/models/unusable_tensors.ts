import type { HostTensor } from "../graph/host_tensor.ts";

/**
 * Names of the weights no network can compute with: those that hold NaN or an infinity, and running variances below 0.
 * They have to be looked for: TensorFlow's fused ReLU makes 0 of NaN, so that the scores may not show them.
 *
 * @param tensors Tensors by name; of other dtypes than float32 nothing is said.
 * @returns The names, in the order of the tensors.
 */
export function unusableTensors(tensors: Readonly<Record<string, HostTensor>>): string[] {
  return Object.entries(tensors).filter(([name, { dtype, data }]) => {
    if (dtype !== "float32") return false;
    const values = data as Float32Array;
    return !isFiniteArray(values) || (name.endsWith(".running_var") && values.some((value) => value < 0));
  }).map(([name]) => name);
}

/** Whether all values are finite. */
export function isFiniteArray(values: Float32Array): boolean {
  // 0 * x is 0 for every finite x and NaN for the others: one sum, no branch an element.
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += 0 * values[index]!;
  return sum === 0;
}
