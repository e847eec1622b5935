import { ofType, type OptionProblem } from "../errors/check_options.ts";
import type { Sample } from "../data/dataset.ts";
import { writeFile } from "../files/write_file.ts";
import { softmax } from "./softmax.ts";

/** What a model said of labelled pictures. */
export interface Predictions {
  /** Logits, `[samples, classes]`. */
  readonly logits: readonly Float32Array[];
  /** The pictures, `[samples]`, with the model's class indices as labels. */
  readonly samples: readonly Sample[];
  /** Names of the classes, `[classes]`. */
  readonly classNames: readonly string[];
}

/** How many classes a JSON file holds for each picture. */
const TOP = 5;

/**
 * Checks the path of a file with predictions. A path that was not given fits.
 *
 * @param option Name of the option.
 * @param path Its value.
 * @returns What is wrong, or `undefined`.
 * @example
 * ```ts
 * import { predictionsPathProblem } from "./predictions_file.ts";
 * console.log(predictionsPathProblem("savePredictionsTo", "out.txt")?.wanted); // a path that ends in .csv or .json
 * ```
 */
export function predictionsPathProblem(option: string, path: unknown): OptionProblem | undefined {
  if (path === undefined || typeof path === "string" && /\.(csv|json)$/i.test(path)) return undefined;
  return ofType(option, path, "string") ??
    { option, found: path, wanted: "a path that ends in .csv or .json", wrongType: false };
}

/**
 * Writes what a model says of each picture. A `.csv` file (RFC 4180) has a line for each: its name, its class, the class
 * the model names, the probability of that one and that of its own. A `.json` file has the five likeliest classes. The
 * file is there whole or not at all.
 *
 * @param path The file; its folder is made if it is missing.
 * @param predictions Logits, pictures and class names.
 * @throws {Error} If the file cannot be written.
 * @example
 * ```ts
 * import { writePredictions } from "./predictions_file.ts";
 * const path = `${Deno.makeTempDirSync()}/predictions.csv`;
 * await writePredictions(path, {
 *   logits: [new Float32Array([2, 0])],
 *   samples: [{ image: "tom.jpg", name: "tom.jpg", label: 0 }],
 *   classNames: ["cat", "dog"],
 * });
 * console.log(Deno.readTextFileSync(path).split("\r\n")[1]); // tom.jpg,cat,cat,0.880797,0.880797
 * ```
 */
export async function writePredictions(path: string, predictions: Predictions): Promise<void> {
  await writeFile(path, /\.json$/i.test(path) ? toJSON(predictions) : toCSV(predictions));
}

function toCSV({ logits, samples, classNames }: Predictions): string {
  const rows = samples.map(({ name, label }, index) => {
    const probabilities = softmax(logits[index]!);
    const best = order(probabilities)[0]!;
    return [
      name,
      classNames[label]!,
      classNames[best]!,
      digits(probabilities[best]!),
      digits(probabilities[label]!),
    ];
  });
  const header = ["name", "label", "predicted", "probability", "label_probability"];
  return [header, ...rows].map((row) => row.map(quote).join(",") + "\r\n").join("");
}

function toJSON({ logits, samples, classNames }: Predictions): string {
  const rows = samples.map(({ name, label }, index) => {
    const probabilities = softmax(logits[index]!);
    const best = order(probabilities).slice(0, TOP);
    return {
      name,
      label: classNames[label],
      predictions: best.map((of) => ({
        label: classNames[of],
        probability: Number(digits(probabilities[of]!)),
      })),
    };
  });
  return JSON.stringify(rows, null, 1) + "\n";
}

/** Classes, the likeliest first. */
function order(probabilities: ArrayLike<number>): number[] {
  return Array.from(probabilities, (_, index) => index).sort((a, b) =>
    probabilities[b]! - probabilities[a]! || a - b
  );
}

function digits(probability: number): string {
  return probability.toFixed(6);
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
