import { join } from "node:path";
import { bestFileName, resumeFileName } from "./checkpoint.ts";

/** Where a run was when its numbers stopped being numbers. */
export interface Divergence {
  /** What was found, as the end of a sentence: `the loss is NaN at epoch 2, step 3 of 40`. */
  readonly found: string;
  readonly learningRate: number;
  /** The option that says it. @default {"learningRate"} */
  readonly option?: "learningRate" | "freezeLearningRate";
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
  const best = hasBest ? `, the best epoch in ${JSON.stringify(join(outputDir, bestFileName))}` : "";
  const smaller = Number((learningRate / 10).toPrecision(2));
  return new RangeError(
    `Cannot go on training: ${found}, with learning rate ${learningRate}\n` +
      `  the last good state is kept in ${JSON.stringify(join(outputDir, resumeFileName))}${best}\n` +
      `  help: train with a smaller learning rate, e.g. { ${option}: ${smaller} }` +
      (option === "learningRate" ? ", or with { warmUpEpochs: 3 }" : ""),
  );
}
