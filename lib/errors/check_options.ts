import { listUnknown } from "./nearest_name.ts";

/** An option whose value does not fit. */
export interface OptionProblem {
  /** Name of the option. */
  readonly option: string;
  /** The value it has. */
  readonly found: unknown;
  /** What was wanted, in words: `a whole number of at least 1`. */
  readonly wanted: string;
  /** Whether it is not even of the right type. */
  readonly wrongType: boolean;
}

/**
 * Refuses option names that a verb does not know, all of them at once, each with the name that was probably meant: a
 * misspelt option must not be ignored silently.
 *
 * @param given The options the user passed, or `undefined` for none.
 * @param known Names of the options the verb takes.
 * @param verb Name of the verb, for the error: `fineTune`.
 * @param option Name of the option whose fields these are, if they are not the options themselves.
 * @throws {TypeError} If `given` is no object, or has a name that is not known.
 * @example
 * ```ts
 * import { checkOptions } from "./check_options.ts";
 * checkOptions({ epochs: 3 }, ["epochs", "batchSize"], "fineTune");
 * try {
 *   checkOptions({ epoch: 3 }, ["epochs", "batchSize"], "fineTune");
 * } catch (error) {
 *   console.log((error as Error).message.includes(`did you mean "epochs"?`)); // true
 * }
 * ```
 */
export function checkOptions(given: unknown, known: readonly string[], verb: string, option?: string): void {
  if (given === undefined) return;
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new TypeError(
      `Cannot run ${verb}(): found ${describeValue(given)} for the ${
        option ?? "options"
      }, wanted an object\n` +
        `  help: write for example { ${known[0]}: ... }`,
    );
  }
  const unknown = Object.keys(given).filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  const kind = option === undefined ? "option" : `field of the ${option}`;
  const kinds = option === undefined ? "options" : `fields of the ${option}`;
  throw new TypeError(
    `Cannot run ${verb}(): ${
      unknown.length === 1 ? `1 ${kind} is` : `${unknown.length} ${kinds} are`
    } not known\n` +
      listUnknown(unknown, known) +
      `\n  help: the ${option === undefined ? `options of ${verb}()` : kinds} are ${
        [...known].sort().join(", ")
      }`,
  );
}

/**
 * Refuses option values that do not fit, all of them at once. Each is checked by one of the functions of this file.
 *
 * @param verb Name of the verb, for the error: `fineTune`.
 * @param problems What the checks found; `undefined` where a value fits.
 * @throws {TypeError} If a value is of a wrong type.
 * @throws {RangeError} If all values have the right type, but one is out of range.
 * @example
 * ```ts
 * import { checkValues, positiveInteger, ratio } from "./check_options.ts";
 * const options = { epochs: 3, labelSmoothing: 0.1 };
 * checkValues("fineTune", [
 *   positiveInteger("epochs", options.epochs),
 *   ratio("labelSmoothing", options.labelSmoothing),
 * ]);
 * ```
 */
export function checkValues(verb: string, problems: readonly (OptionProblem | undefined)[]): void {
  const found = problems.filter((problem) => problem !== undefined);
  if (found.length === 0) return;
  const message = `Cannot run ${verb}(): ` +
    `${
      found.length === 1 ? "1 option has a value" : `${found.length} options have values`
    } that cannot be used\n` +
    found.map(({ option, found, wanted }) => `  ${option}: found ${describeValue(found)}, wanted ${wanted}`)
      .join(
        "\n",
      ) +
    `\n  help: leave an option out to get its default`;
  throw found.some((problem) => problem.wrongType) ? new TypeError(message) : new RangeError(message);
}

/**
 * Checks a count that must be at least 1, such as `epochs`. An option that was not given fits.
 *
 * @param option Name of the option.
 * @param value Its value.
 * @returns What is wrong, or `undefined`.
 * @example
 * ```ts
 * import { positiveInteger } from "./check_options.ts";
 * console.log(positiveInteger("epochs", 0)?.wanted); // a whole number of at least 1
 * ```
 */
export function positiveInteger(option: string, value: unknown): OptionProblem | undefined {
  return number(
    option,
    value,
    (given) => Number.isSafeInteger(given) && given >= 1,
    "a whole number of at least 1",
  );
}

/**
 * Checks a count that may be 0, such as `workers` or `seed`. An option that was not given fits.
 *
 * @param option Name of the option.
 * @param value Its value.
 * @returns What is wrong, or `undefined`.
 * @example
 * ```ts
 * import { wholeNumber } from "./check_options.ts";
 * console.log(wholeNumber("seed", -1)?.wanted); // a whole number of at least 0
 * ```
 */
export function wholeNumber(option: string, value: unknown): OptionProblem | undefined {
  return number(
    option,
    value,
    (given) => Number.isSafeInteger(given) && given >= 0,
    "a whole number of at least 0",
  );
}

/**
 * Checks a finite number above 0, such as `learningRate`. An option that was not given fits.
 *
 * @param option Name of the option.
 * @param value Its value.
 * @returns What is wrong, or `undefined`.
 * @example
 * ```ts
 * import { positiveNumber } from "./check_options.ts";
 * console.log(positiveNumber("learningRate", 0)?.wanted); // a number above 0
 * ```
 */
export function positiveNumber(option: string, value: unknown): OptionProblem | undefined {
  return number(option, value, (given) => Number.isFinite(given) && given > 0, "a number above 0");
}

/**
 * Checks a finite number that may be 0, such as `weightDecay`. An option that was not given fits.
 *
 * @param option Name of the option.
 * @param value Its value.
 * @returns What is wrong, or `undefined`.
 * @example
 * ```ts
 * import { nonNegativeNumber } from "./check_options.ts";
 * console.log(nonNegativeNumber("weightDecay", -1)?.wanted); // a number of at least 0
 * ```
 */
export function nonNegativeNumber(option: string, value: unknown): OptionProblem | undefined {
  return number(option, value, (given) => Number.isFinite(given) && given >= 0, "a number of at least 0");
}

/**
 * Checks a share from 0 up to but not including 1, such as `labelSmoothing` or `momentum`. An option that was not given
 * fits.
 *
 * @param option Name of the option.
 * @param value Its value.
 * @returns What is wrong, or `undefined`.
 * @example
 * ```ts
 * import { ratio } from "./check_options.ts";
 * console.log(ratio("momentum", 1)?.wanted); // a number from 0 up to, not including, 1
 * ```
 */
export function ratio(option: string, value: unknown): OptionProblem | undefined {
  return number(option, value, (given) => given >= 0 && given < 1, "a number from 0 up to, not including, 1");
}

/**
 * Checks a share from 0 to 1, such as a probability. An option that was not given fits.
 *
 * @param option Name of the option.
 * @param value Its value.
 * @returns What is wrong, or `undefined`.
 * @example
 * ```ts
 * import { share } from "./check_options.ts";
 * console.log(share("probability", 1.5)?.wanted); // a number from 0 to 1
 * ```
 */
export function share(option: string, value: unknown): OptionProblem | undefined {
  return number(option, value, (given) => given >= 0 && given <= 1, "a number from 0 to 1");
}

/**
 * Checks a value that is one of a few strings, such as `device`. An option that was not given fits.
 *
 * @param option Name of the option.
 * @param value Its value.
 * @param choices The strings it may be.
 * @returns What is wrong, or `undefined`.
 * @example
 * ```ts
 * import { oneOf } from "./check_options.ts";
 * console.log(oneOf("device", "tpu", ["cpu", "gpu"])?.wanted); // "cpu" or "gpu"
 * ```
 */
export function oneOf(option: string, value: unknown, choices: readonly string[]): OptionProblem | undefined {
  if (value === undefined || choices.includes(value as string)) return undefined;
  const quoted = choices.map((choice) => JSON.stringify(choice));
  const wanted = quoted.length === 1 ? quoted[0] : `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`;
  return { option, found: value, wanted, wrongType: typeof value !== "string" };
}

/**
 * Checks a value's JavaScript type, such as the string of `outputDir` or the function of `onEvent`. An option that was
 * not given fits.
 *
 * @param option Name of the option.
 * @param value Its value.
 * @param type What `typeof` must give.
 * @returns What is wrong, or `undefined`.
 * @example
 * ```ts
 * import { ofType } from "./check_options.ts";
 * console.log(ofType("outputDir", 3, "string")?.wanted); // a string
 * ```
 */
export function ofType(
  option: string,
  value: unknown,
  type: "string" | "boolean" | "function",
): OptionProblem | undefined {
  if (value === undefined || typeof value === type) return undefined;
  const wanted = { string: "a string", boolean: "true or false", function: "a function" }[type];
  return { option, found: value, wanted, wrongType: true };
}

function number(
  option: string,
  value: unknown,
  fits: (value: number) => boolean,
  wanted: string,
): OptionProblem | undefined {
  if (value === undefined) return undefined;
  const wrongType = typeof value !== "number";
  return !wrongType && fits(value) ? undefined : { option, found: value, wanted, wrongType };
}

/**
 * A value as it would be written, short enough for a line of an error.
 *
 * @param value Any value.
 * @returns In words, where it has no short notation.
 * @example
 * ```ts
 * import { describeValue } from "./check_options.ts";
 * console.log(describeValue("cosine"), describeValue([1, 2])); // "cosine" an array of 2
 * ```
 */
export function describeValue(value: unknown): string {
  if (typeof value === "string") return shorten(JSON.stringify(value));
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "object" && value !== null) {
    const kind = value.constructor?.name;
    return kind === undefined || kind === "Object" ? "an object" : `an object of class ${kind}`;
  }
  return String(value);
}

function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 56)}..."`;
}
