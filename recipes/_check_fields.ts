import { describeValue, type OptionProblem } from "../lib/errors/check_options.ts";
import { nearestName } from "../lib/errors/nearest_name.ts";
import type { KeyPath, YamlFile } from "./_yaml_file.ts";

/** Tells what is wrong with a value; one of the functions of lib/errors/check_options.ts, or like them. */
export type Check = (option: string, value: unknown) => OptionProblem | undefined;

/** What fits each key of a mapping: a check, the keys of a mapping within it, or of the mappings of a list. */
export type Fields<T> = {
  readonly [K in keyof T]-?: NonNullable<T[K]> extends readonly (infer Item extends object)[]
    ? readonly [Fields<Item>]
    : NonNullable<T[K]> extends string | number | boolean | readonly unknown[] ? Check
    : NonNullable<T[K]> extends object ? Fields<NonNullable<T[K]>>
    : Check;
};

/** {@linkcode Fields} of any mapping. */
interface AnyFields {
  readonly [key: string]: Check | AnyFields | readonly [AnyFields];
}

/**
 * Compares a YAML file with the keys it may have; what does not fit becomes a problem of the file. Unknown keys are
 * refused with the nearest known one.
 *
 * @param file The file.
 * @param fields What fits.
 * @returns What fits of the file.
 */
export function checkFields<T>(file: YamlFile, fields: Fields<T>): Partial<T> {
  if (file.value === undefined && file.problems.length > 0) return {};
  return checkMapping(file, [], file.value, fields as unknown as AnyFields) as Partial<T>;
}

function checkMapping(file: YamlFile, path: KeyPath, value: unknown, fields: AnyFields): object {
  const at = nameOf(path);
  const names = Object.keys(fields);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const found = value === null || value === undefined ? "nothing" : describeValue(value);
    const prefix = at === "" ? "" : `${at}: `;
    file.report(path, `${prefix}found ${found}, wanted keys like "${names[0]}: ..."`);
    return {};
  }
  const fitting: Record<string, unknown> = {};
  for (const [key, found] of Object.entries(value)) {
    const here = [...path, key];
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (field === undefined) {
      const nearest = nearestName(key, names);
      const meant = nearest === undefined ? `the keys are ${names.join(", ")}` : `did you mean "${nearest}"?`;
      file.report(here, `${nameOf(here)}: unknown key, ${meant}`, "key");
    } else if (typeof field === "function") {
      const problem = field(nameOf(here), found ?? null);
      if (problem === undefined) fitting[key] = found;
      else file.report(here, messageOf(problem));
    } else if (Array.isArray(field)) {
      fitting[key] = checkList(file, here, found, (field as readonly [AnyFields])[0]);
    } else {
      fitting[key] = checkMapping(file, here, found, field as AnyFields);
    }
  }
  return fitting;
}

function checkList(file: YamlFile, path: KeyPath, value: unknown, fields: AnyFields): object[] {
  if (Array.isArray(value)) {
    return value.map((item, index) => checkMapping(file, [...path, index], item, fields));
  }
  const found = value === null ? "nothing" : describeValue(value);
  file.report(path, `${nameOf(path)}: found ${found}, wanted a list of "- ${Object.keys(fields)[0]}: ..."`);
  return [];
}

/** E.g. `train.lr: found "fast", wanted a number above 0`. */
export function messageOf({ option, found, wanted }: OptionProblem): string {
  return `${option}: found ${found === null ? "nothing" : describeValue(found)}, wanted ${wanted}`;
}

/** E.g. `dependencies[0].source`. */
function nameOf(path: KeyPath): string {
  return path.map((part, index) => typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`)
    .join("");
}
