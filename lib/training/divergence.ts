import { join } from "node:path";
import type { HostTensor } from "../graph/host_tensor.ts";
import { bestFileName, resumeFileName } from "./checkpoint.ts";

/** Where a run was when its numbers stopped being numbers. */
export interface Divergence {
  /** What was found, as the end of a sentence: `the loss is NaN at epoch 2, step 3 of 40`. */
  readonly found: string;
  readonly learningRate: number;
  readonly outputDir: string;
  /** Whether an epoch was finished before, so that there is a best one. */
  readonly hasBest: boolean;
}

/**
 * The error of a run that diverged: what was found, which files are still good, and what to try.
 *
 * @param divergence See {@linkcode Divergence}.
 * @returns The error, to be thrown.
 */
export function divergenceError({ found, learningRate, outputDir, hasBest }: Divergence): RangeError {
  const best = hasBest ? `, the best epoch in ${JSON.stringify(join(outputDir, bestFileName))}` : "";
  const smaller = Number((learningRate / 10).toPrecision(2));
  return new RangeError(
    `Cannot go on training: ${found}, with learning rate ${learningRate}\n` +
      `  the last good state is kept in ${JSON.stringify(join(outputDir, resumeFileName))}${best}\n` +
      `  help: train with a smaller learning rate, e.g. { learningRate: ${smaller} }, or with { warmUpEpochs: 3 }`,
  );
}

/**
 * Names of the tensors that hold NaN or an infinity.
 *
 * @param tensors Float32 tensors by name.
 * @returns The names, in the order of the tensors.
 */
export function notFiniteTensors(tensors: Readonly<Record<string, HostTensor>>): string[] {
  return Object.entries(tensors).filter(([, { data }]) => !isFiniteArray(data as Float32Array)).map((
    [name],
  ) => name);
}

/** Whether all values are finite. */
export function isFiniteArray(values: Float32Array): boolean {
  // 0 * x is 0 for every finite x and NaN for the others: one sum, no branch an element.
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += 0 * values[index]!;
  return sum === 0;
}
