import { join } from "node:path";
import { bestFileName, resumeFileName } from "./checkpoint.ts";

/** Where a run was when its numbers stopped being numbers. */
export interface Divergence {
  /** What was found, as the end of a sentence: `the loss is NaN at epoch 2, step 3 of 40`. */
  readonly found: string;
  /** Of the step it was in. */
  readonly learningRate: number;
  /** The option that this rate follows from. @default {"learningRate"} */
  readonly option?: "learningRate" | "freezeLearningRate";
  /** What the option was. @default {the rate of the step} */
  readonly wholeRate?: number;
  /** Whether a warm-up is something new that may help. @default {true} */
  readonly mayWarmUp?: boolean;
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
export function divergenceError(divergence: Divergence): RangeError {
  const { found, learningRate, option = "learningRate", outputDir, hasBest } = divergence;
  const { wholeRate = learningRate, mayWarmUp = true } = divergence;
  const best = hasBest ? `, the best epoch in ${JSON.stringify(join(outputDir, bestFileName))}` : "";
  const smaller = Number((wholeRate / 10).toPrecision(2));
  return new RangeError(
    `Cannot go on training: ${found}, with learning rate ${learningRate}\n` +
      `  the last good state is kept in ${JSON.stringify(join(outputDir, resumeFileName))}${best}\n` +
      `  help: train with a smaller learning rate, e.g. { ${option}: ${smaller} }` +
      (option === "learningRate" && mayWarmUp ? ", or with { warmUpEpochs: 3 }" : ""),
  );
}
