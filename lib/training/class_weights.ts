import type { Dataset } from "../data/dataset.ts";
import { listUnknown } from "../errors/nearest_name.ts";

/**
 * How much each class counts in the loss: all the same (`undefined`), so that each class counts the same however many
 * samples it has (`"auto"`), or weights by class name (classes left out weigh 1).
 */
export type ClassWeightsOption = undefined | "auto" | Readonly<Record<string, number>>;

/**
 * Turns the option `classWeights` into a weight per class, normalised to a mean of 1 so that the loss, and with it the
 * best learning rate, keeps its scale.
 *
 * `"auto"` is the inverse frequency: a class's weight is proportional to 1 / its number of samples. A class without
 * samples gets weight 0 and stays out of the mean: no sample ever asks for it.
 *
 * @param option What the user wrote.
 * @param dataset The training set.
 * @returns Weights, float32 `[classes]`, at least 0; `undefined` if all classes count the same.
 * @throws {TypeError} If the option is something else, or names a class that the data set lacks.
 * @throws {RangeError} If a weight is negative or no finite number, all are 0, or the data set is empty.
 * @example
 * ```ts
 * import { classWeights } from "./class_weights.ts";
 * const samples = [0, 0, 0, 1].map((label, index) => ({ image: `${index}.png`, label, name: `${index}.png` }));
 * const dataset = { name: "pets/train", classNames: ["cat", "dog"], samples };
 * console.log(classWeights("auto", dataset)); // Float32Array(2) [ 0.5, 1.5 ]
 * ```
 */
export function classWeights(option: ClassWeightsOption, dataset: Dataset): Float32Array | undefined {
  if (option === undefined) return undefined;
  const action = `Cannot weigh the classes of "${dataset.name}"`;
  if (option === "auto") return Float32Array.from(inverseFrequencies(dataset, action));
  if (typeof option !== "object" || option === null || Array.isArray(option)) {
    throw new TypeError(
      `${action}: found ${
        typeof option === "string" ? JSON.stringify(option) : typeof option
      } for classWeights, ` +
        `wanted "auto" or weights by class name\n  help: write for example { ${example(dataset)} }`,
    );
  }
  return Float32Array.from(givenWeights(option, dataset, action));
}

/**
 * How unequal the classes are: samples of the largest class divided by samples of the smallest one that has any.
 *
 * @param dataset A data set.
 * @returns At least 1; 1 if all classes have as many samples, or there are none.
 * @example
 * ```ts
 * import { imbalanceRatio } from "./class_weights.ts";
 * const samples = [0, 0, 0, 1].map((label, index) => ({ image: `${index}.png`, label, name: `${index}.png` }));
 * console.log(imbalanceRatio({ name: "pets/train", classNames: ["cat", "dog"], samples })); // 3
 * ```
 */
export function imbalanceRatio(dataset: Dataset): number {
  const counts = samplesPerClass(dataset).filter((count) => count > 0);
  return counts.length === 0 ? 1 : Math.max(...counts) / Math.min(...counts);
}

function inverseFrequencies(dataset: Dataset, action: string): number[] {
  if (dataset.samples.length === 0) {
    throw new RangeError(
      `${action}: it has no samples to count\n  help: pass weights by class name, { ${example(dataset)} }`,
    );
  }
  const weights = samplesPerClass(dataset).map((count) => count === 0 ? 0 : 1 / count);
  const present = weights.filter((weight) => weight > 0);
  const mean = sum(present) / present.length;
  return weights.map((weight) => weight / mean);
}

function givenWeights(option: Readonly<Record<string, number>>, dataset: Dataset, action: string): number[] {
  const names = Object.keys(option);
  const unknown = names.filter((name) => !dataset.classNames.includes(name));
  if (unknown.length > 0) {
    throw new TypeError(
      `${action}: ${unknown.length} of ${names.length} names are no classes of it\n` +
        listUnknown(unknown, dataset.classNames) +
        `\n  help: ${classList(dataset.classNames)}`,
    );
  }
  const wrong = names.filter((name) => !(Number.isFinite(option[name]) && option[name] >= 0));
  if (wrong.length > 0) {
    throw new RangeError(
      `${action}: ${wrong.length} of ${names.length} weights cannot be used, wanted numbers of at least 0\n` +
        wrong.map((name) => `  ${JSON.stringify(name)}: found ${option[name]}`).join("\n") +
        `\n  help: write for example { ${example(dataset)} }`,
    );
  }
  const weights = dataset.classNames.map((name) => Object.hasOwn(option, name) ? option[name] : 1);
  const total = sum(weights);
  if (total === 0) {
    throw new RangeError(`${action}: all weights are 0\n  help: give at least one class a weight above 0`);
  }
  return weights.map((weight) => weight * weights.length / total);
}

/** Number of samples per class, `[classes]`. */
function samplesPerClass(dataset: Dataset): number[] {
  const counts = new Array<number>(dataset.classNames.length).fill(0);
  for (const { label } of dataset.samples) counts[label]++;
  return counts;
}

function example(dataset: Dataset): string {
  return `${JSON.stringify(dataset.classNames[0] ?? "cat")}: 2`;
}

function classList(names: readonly string[]): string {
  const shown = names.slice(0, 20).join(", ");
  return `the classes are ${shown}${names.length > 20 ? ` and ${names.length - 20} more` : ""}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
