import { relative } from "node:path";
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  type YAMLError,
  type YAMLMap,
} from "npm:yaml@2.9.1";
import { readFailure } from "../lib/files/read_failure.ts";
import { UsageError } from "./_program.ts";

/** Where a value stands in a file: names of keys and places in lists. */
export type KeyPath = readonly (string | number)[];

/** A YAML (or JSON) file that somebody wrote, with what is wrong with it. */
export interface YamlFile {
  /** The file, as messages name it. */
  readonly path: string;
  /** Its content as plain data. */
  readonly value: unknown;
  /** What is wrong so far, a line each: `main_model.yaml:12:3: train.lr: found ...`. */
  readonly problems: readonly string[];
  /** Adds a problem where a value stands, or its key. */
  report(path: KeyPath, message: string, at?: "key" | "value"): void;
  /** Where a value stands, or the nearest one around it that is there: `main_model.yaml:12:3`. */
  place(path: KeyPath, at?: "key" | "value"): string;
}

/**
 * Reads a YAML file whose author is to be told about every mistake at once, with lines and columns. What is no YAML,
 * and keys that are there twice, are its first problems; the value is what can be read nevertheless.
 *
 * @param path The file.
 * @returns The file.
 * @throws {UsageError} If it cannot be opened.
 */
export async function readYamlFile(path: string): Promise<YamlFile> {
  const text = await Deno.readTextFile(path).catch((error) => {
    throw new UsageError(`Cannot read "${path}": ${readFailure(error, "file")}`);
  });
  return parseYamlFile(shownPath(path), text);
}

/** A path as messages show it: from the current folder, where the file is below it. */
export function shownPath(path: string): string {
  const short = relative(Deno.cwd(), path);
  return short === "" || short.startsWith("..") ? path : short;
}

/** What {@linkcode readYamlFile} does with a file's text. */
export function parseYamlFile(path: string, text: string): YamlFile {
  const lines = new LineCounter();
  // Keys that are there twice are looked for below: the parser does not tell where the first one is.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const problems: { offset: number; line: string }[] = [];
  const placeAt = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  const add = (offset: number, message: string) =>
    problems.push({ offset, line: `${placeAt(offset)}: ${message}` });
  for (const { pos, code, message } of syntaxErrors(document)) {
    const text = code === "MULTIPLE_DOCS"
      ? "found a second document, wanted one: a line of --- begins another"
      : message.split("\n")[0];
    add(pos[0], `no YAML: ${text}`);
  }
  for (const { key, first, second } of duplicateKeys(document)) {
    add(second, `"${key}": duplicate key, the first one is in line ${lines.linePos(first).line}`);
  }
  let value: unknown;
  try {
    value = document.errors.length > 0 ? undefined : document.toJS();
  } catch (error) { // aliases that blow up, or lead nowhere
    add(0, `no YAML: ${(error as Error).message}`);
  }
  const file: YamlFile = {
    path,
    value,
    get problems() {
      return problems.toSorted((a, b) => a.offset - b.offset).map(({ line }) => line);
    },
    report: (path, message, at) => {
      add(offsetOf(document, path, at ?? "value"), message);
    },
    place: (path, at = "value") => placeAt(offsetOf(document, path, at)),
  };
  return file;
}

/**
 * Refuses files with problems, all of them at once.
 *
 * @param action What could not be done, e.g. `Cannot use the template "..."`.
 * @param files The files.
 * @param further Problems that stand in no file.
 * @throws {UsageError} If there is a problem.
 */
export function refuseProblems(
  action: string,
  files: readonly YamlFile[],
  further: readonly string[] = [],
): void {
  const problems = [...files.flatMap((file) => file.problems), ...further];
  if (problems.length === 0) return;
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  throw new UsageError(`${action}: ${count}\n${problems.map((line) => `  ${line}`).join("\n")}`);
}

/** What is no YAML. A tab before a key makes nonsense of all that follows, so where there are tabs they are named alone. */
function syntaxErrors({ errors, warnings }: Document): readonly YAMLError[] {
  const tabs = errors.filter(({ code }) => code === "TAB_AS_INDENT");
  return tabs.length > 0 ? tabs : [...errors, ...warnings];
}

function duplicateKeys(document: Document): { key: string; first: number; second: number }[] {
  const found: { key: string; first: number; second: number }[] = [];
  const visit = (node: unknown): void => {
    if (isMap(node)) {
      const seen = new Map<string, number>();
      for (const { key, value } of node.items) {
        if (isScalar(key)) {
          const name = String(key.value), offset = key.range?.[0] ?? 0, first = seen.get(name);
          if (first === undefined) seen.set(name, offset);
          else found.push({ key: name, first, second: offset });
        }
        visit(value);
      }
    } else if (isSeq(node)) node.items.forEach(visit);
  };
  visit(document.contents);
  return found;
}

/** Where the deepest part of a path that is there begins. */
function offsetOf(document: Document, path: KeyPath, at: "key" | "value"): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [depth, name] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (!isCollection(node)) break;
    const isLast = depth === path.length - 1;
    if (isMap(node)) {
      const pair = findPair(node, name);
      if (pair === undefined) break;
      const key = startOf(pair.key) ?? offset;
      offset = isLast && at === "value" ? startOf(pair.value) ?? key : key;
      node = pair.value;
    } else {
      node = node.items[name as number];
      offset = startOf(node) ?? offset;
    }
  }
  return offset;
}

function findPair(map: YAMLMap, name: string | number): Pair | undefined {
  // The last of equal keys is the one whose value counts.
  return map.items.findLast(({ key }) => isScalar(key) && String(key.value) === String(name));
}

function startOf(node: unknown): number | undefined {
  if (typeof node !== "object" || node === null || !("range" in node)) return undefined;
  const [start, end] = (node as { range?: [number, number, number] }).range ?? [];
  // An empty value has no place of its own.
  return isScalar(node) && node.source === "" && start === end && node.type === "PLAIN" ? undefined : start;
}
