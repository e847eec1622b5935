import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import {
  Document,
  type DocumentOptions,
  isMap,
  type Pair,
  parseDocument,
  Scalar,
  type ScalarTag,
  type SchemaOptions,
  type Tags,
} from "npm:yaml@2.9.1";
import { compareCodePoints } from "../data/compare_code_points.ts";
import { writeFile } from "../files/write_file.ts";
import type { Evaluation } from "./evaluation.ts";

/** What {@linkcode writeMetricsYaml} takes beside the evaluation. */
export interface MetricsYamlOptions {
  /** File of the weights that were evaluated; named with its size and SHA-256. */
  readonly snapshotPath: string;
}

/**
 * Writes `metrics.yaml` in the form of OpenVINO Training Extensions 2021, which other tools read: the snapshot's name,
 * SHA-256, size and source under `files`, and under `metrics` size (Mp), complexity (GFLOPs) and the per-class mean of
 * top-1 and top-5 accuracy in per cent.
 *
 * Values are rounded as there: accuracies to 2 decimals, the others to 3. Keys are sorted and the layout is that of
 * Python's `yaml.dump`, but a long name stays on one line. An evaluation without `complexity` gives a file without
 * those two entries. Other top-level keys of an existing file are kept as they stand, with their comments; its `files`
 * and `metrics` are replaced. A snapshot that is a symbolic link is followed once, so that `latest.pth` names the real
 * file. The file is written beside its target and then renamed: it is there whole, or not at all.
 *
 * @param path File to write; its folder is made if it is missing.
 * @param evaluation What `evaluate` returned.
 * @param options The snapshot's path.
 * @throws {SyntaxError} If the file exists already and is no YAML mapping.
 * @throws {Error} If the snapshot cannot be read or the file cannot be written.
 * @example
 * ```ts
 * import { createEvaluation } from "./evaluation.ts";
 * const folder = Deno.makeTempDirSync();
 * Deno.writeTextFileSync(`${folder}/best.safetensors`, "weights");
 * const evaluation = createEvaluation({ logits: [[2, 0], [0, 1]], labels: [0, 1], classNames: ["cat", "dog"] });
 * await writeMetricsYaml(`${folder}/metrics.yaml`, evaluation, { snapshotPath: `${folder}/best.safetensors` });
 * console.log(Deno.readTextFileSync(`${folder}/metrics.yaml`).includes("value: 100.0")); // true
 * ```
 */
export async function writeMetricsYaml(
  path: string,
  evaluation: Evaluation,
  options: MetricsYamlOptions,
): Promise<void> {
  const action = `Cannot save metrics to "${path}"`;
  const document = await readExisting(path, action);
  const file = await describeSnapshot(options.snapshotPath, action);
  document.set("files", document.createNode([file]));
  document.set("metrics", document.createNode(metricEntries(evaluation)));
  await writeFile(path, document.toString({ indentSeq: false, lineWidth: 0, singleQuote: true }));
}

/** The entries under `metrics`, in the reference's order. */
function metricEntries({ complexity, meanTop1, meanTop5 }: Evaluation): Record<string, unknown>[] {
  return [
    ...(complexity
      ? [
        { display_name: "Size", key: "size", unit: "Mp", value: float(complexity.megaParams, 3) },
        { display_name: "Complexity", key: "complexity", unit: "GFLOPs", value: float(complexity.gflops, 3) },
      ]
      : []),
    { display_name: "Top-1 accuracy", key: "accuracy", unit: "%", value: float(100 * meanTop1, 2) },
    { display_name: "Top-5 accuracy", key: "top_5_accuracy", unit: "%", value: float(100 * meanTop5, 2) },
  ];
}

/** A number that stays a float in YAML (`100.0`), rounded as Python rounds: an exact half goes to the even digit. */
function float(value: number, decimals: number): Scalar<number> {
  const scaled = value * 10 ** decimals;
  // Only a multiple of 2^-(decimals + 1) can be an exact half; all others have a nearest decimal, which toFixed finds.
  const half = Number.isInteger(value * 2 ** (decimals + 1)) && Math.abs(scaled % 1) === 0.5;
  const rounded = half ? 2 * Math.round(scaled / 2) / 10 ** decimals : Number(value.toFixed(decimals));
  const scalar = new Scalar(rounded);
  scalar.minFractionDigits = 1;
  return scalar;
}

/** The entry under `files`. */
async function describeSnapshot(path: string, action: string): Promise<Record<string, string | number>> {
  try {
    const { isSymlink } = await Deno.lstat(path);
    const target = isSymlink ? await Deno.readLink(path) : undefined;
    const source = target === undefined
      ? path
      : target.startsWith("/")
      ? target
      : join(dirname(path), target);
    const hash = createHash("sha256");
    let size = 0;
    using file = await Deno.open(source);
    const buffer = new Uint8Array(1 << 20);
    for (let read = await file.read(buffer); read !== null; read = await file.read(buffer)) {
      hash.update(buffer.subarray(0, read));
      size += read;
    }
    return { name: basename(source), sha256: hash.digest("hex"), size, source };
  } catch (error) {
    throw new Error(
      `${action}: the snapshot "${path}" cannot be read: ${messageOf(error)}\n` +
        `  help: pass { snapshotPath } with the file of the weights that were evaluated`,
      { cause: error },
    );
  }
}

/** The existing file, or an empty mapping, as a document that prints like PyYAML's. */
async function readExisting(path: string, action: string): Promise<Document> {
  const options: DocumentOptions & SchemaOptions = {
    version: "1.1",
    customTags: (tags: Tags): Tags => [ESCAPED_STRING, ...tags],
    sortMapEntries: byKey,
  };
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
    if (isMissing) return new Document({}, options);
    throw new Error(`${action}: the file that is there cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const help = "\n  help: move that file away, or save the metrics under another name";
  const document = parseDocument(text, options);
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => `  ${error.message.split("\n")[0].replace(/:$/, "")}`);
    throw new SyntaxError(`${action}: the file that is there is not YAML\n${problems.join("\n")}${help}`);
  }
  if (document.contents === null) return new Document({}, options);
  if (!isMap(document.contents)) {
    throw new SyntaxError(`${action}: the file that is there holds no mapping of keys to values${help}`);
  }
  document.contents.items.sort(byKey); // `sortMapEntries` sorts only what is made anew
  return document as unknown as Document;
}

/** The order in which PyYAML writes keys. */
function byKey(a: Pair, b: Pair): number {
  return compareCodePoints(String(a.key), String(b.key));
}

/**
 * Strings with anything but printable ASCII are written in double quotes with escapes, as PyYAML does by itself: a file
 * name may hold line breaks, tabs and any Unicode. `=` alone is a special value to PyYAML unless it is quoted.
 */
const ESCAPED_STRING: ScalarTag = {
  tag: "tag:yaml.org,2002:str",
  default: true,
  identify: (value) => typeof value === "string" && /[^\x20-\x7e]|^=$/.test(value),
  resolve: (text) => text,
  stringify: ({ value }) =>
    value === "=" ? "'='" : JSON.stringify(value).replace(/[^\x20-\x7e]/gu, (character) => {
      const code = character.codePointAt(0)!;
      if (code <= 0xff) return "\\x" + hexadecimal(code, 2);
      return code <= 0xffff ? "\\u" + hexadecimal(code, 4) : "\\U" + hexadecimal(code, 8);
    }),
};

function hexadecimal(code: number, digits: number): string {
  return code.toString(16).toUpperCase().padStart(digits, "0");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
