/**
 * What every metric is computed from: a row of class scores per sample, and the sample's true class.
 */

/**
 * One row of class scores per sample, shape `[samples, classes]`: logits, cosines or probabilities, as
 * `model.logits(images)` gives them. Finite numbers.
 */
export type Scores = readonly ArrayLike<number>[];

/** True class per sample, shape `[samples]`: whole numbers in `0..classes - 1`. */
export type Labels = ArrayLike<number>;

/** How many rows of an offending kind an error names before it says "and n more". */
const NAMED_ROWS = 3;

/**
 * Checks that scores and labels belong together, and says their shape.
 *
 * @param action What the caller is about to do, for the error: `compute the top-5 accuracy`.
 * @param scores Class scores, `[samples, classes]`.
 * @param labels True classes, `[samples]`.
 * @returns The lengths of the axes.
 * @throws {TypeError} If the number of rows and labels differ, or rows have different lengths.
 * @throws {RangeError} If there is no sample or no class, a label is no class, or a score is NaN or infinite.
 * @example
 * ```ts
 * import { checkScores } from "./scores.ts";
 * const { samples, classes } = checkScores("compute it", [Float32Array.of(0.2, 0.8)], Int32Array.of(1));
 * console.log(samples, classes); // 1 2
 * ```
 */
export function checkScores(
  action: string,
  scores: Scores,
  labels: Labels,
): { samples: number; classes: number } {
  const samples = scores.length;
  if (samples !== labels.length) {
    throw new TypeError(
      `Cannot ${action}: found ${samples} rows of scores and ${labels.length} labels, wanted one label a row`,
    );
  }
  if (samples === 0) {
    throw new RangeError(`Cannot ${action}: there are no samples\n  help: pass at least one labelled sample`);
  }
  const classes = scores[0].length;
  if (classes === 0) {
    throw new RangeError(`Cannot ${action}: row 0 of the scores is empty, wanted a score per class`);
  }

  const lengths: string[] = [];
  const wrongLabels: string[] = [];
  const notFinite: string[] = [];
  for (let sample = 0; sample < samples; sample++) {
    const row = scores[sample];
    if (row.length !== classes) lengths.push(`row ${sample}: found ${row.length} scores`);
    const label = labels[sample];
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      wrongLabels.push(`row ${sample}: found label ${label}`);
    }
    for (let index = 0; index < row.length; index++) {
      if (!Number.isFinite(row[index])) {
        notFinite.push(`row ${sample}: the score of class ${index} is ${row[index]}`);
        break;
      }
    }
  }
  if (lengths.length > 0) {
    throw new TypeError(
      `Cannot ${action}: ${
        count(lengths, samples)
      } of scores have another length than row 0, wanted ${classes}\n` +
        listed(lengths),
    );
  }
  if (wrongLabels.length > 0) {
    throw new RangeError(
      `Cannot ${action}: ${count(wrongLabels, samples)} have a label that is no class, ` +
        `wanted a whole number from 0 to ${classes - 1}\n` + listed(wrongLabels) +
        `\n  help: check that the data set and the model have the same classes`,
    );
  }
  if (notFinite.length > 0) {
    throw new RangeError(
      `Cannot ${action}: ${count(notFinite, samples)} hold scores that are not finite numbers\n` +
        listed(notFinite) +
        `\n  help: a model whose training diverged gives such scores; train again with a lower learning rate`,
    );
  }
  return { samples, classes };
}

function count(problems: string[], samples: number): string {
  return `${problems.length} of ${samples} rows`;
}

function listed(problems: string[]): string {
  const lines = problems.slice(0, NAMED_ROWS).map((problem) => `  ${problem}`);
  if (problems.length > NAMED_ROWS) lines.push(`  (and ${problems.length - NAMED_ROWS} more)`);
  return lines.join("\n");
}
