/**
 * Tells which settings that are asked for differ from those of a run that is to go on. What is not asked for does not
 * differ.
 *
 * @param asked Values by name; `undefined` where nothing was said.
 * @param settings The run's values.
 * @returns A line for each that differs.
 *
 * @example
 * ```ts
 * import { namedDifferences } from "./differences.ts";
 *
 * console.log(namedDifferences({ epochs: 3, seed: undefined }, { epochs: 5, seed: 1 })); // [ "epochs: was 5, is 3" ]
 * ```
 */
export function namedDifferences(
  asked: Readonly<Record<string, unknown>>,
  settings: Readonly<Record<string, unknown>>,
): string[] {
  const show = (value: unknown) => value === undefined ? "not set" : canonical(value);
  return Object.keys(asked)
    .filter((name) => asked[name] !== undefined && canonical(asked[name]) !== canonical(settings[name]))
    .map((name) =>
      `${name === "name" ? "recipe" : name}: was ${show(settings[name])}, is ${show(asked[name])}`
    );
}

/** JSON with the names of objects in order. */
function canonical(value: unknown): string {
  return JSON.stringify(
    value,
    (_, part) =>
      typeof part === "object" && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => a < b ? -1 : 1))
        : part,
  );
}
