import type { ImageSource } from "../data/dataset.ts";
import { predictedClass } from "../metrics/predicted_class.ts";
import type { Model } from "../models/model.ts";
import type { ProvisionListener } from "../provision/events.ts";
import { LibraryError, reasonOf } from "../provision/library_error.ts";
import { type ExportedFile, readExported } from "../runtimes/exported_file.ts";
import { type ExportedModel, openExported } from "../runtimes/exported_model.ts";
import type { ExportMetadata } from "./export_metadata.ts";
import { type Divergence, findDivergence, type Suspect } from "./_divergence.ts";
import { toFileInput } from "./file_input.ts";
import { decodePictures, examplePictures, type Picture } from "./_parity_pictures.ts";
import { ParityError } from "./parity_error.ts";

/** What is still called the same. A bound that is left out is not looked at. */
export interface ParityLimits {
  /**
   * Largest difference of a logit, as a share of the range of all logits.
   * @default {1e-4 for fp32, 1e-2 for fp16, 0.1 for int8}
   */
  readonly maxRelativeDifference?: number;
  /**
   * Least share of the pictures for which both name the same class, near ties counted as the same: which of two equal
   * classes is named is chance.
   * @default {0.99 for int8, none otherwise}
   */
  readonly minTop1Agreement?: number;
}

/** How a file compares with the model it was made from. */
export interface Parity {
  /** It was compared. */
  readonly checked: true;
  /** What ran the file, e.g. `onnxruntime 1.30.0`. */
  readonly runtime: string;
  /** How many pictures both were shown. */
  readonly pictures: number;
  /** Whose pictures: the caller's, or made-up ones. */
  readonly source: "given" | "examples";
  /** Largest difference of a logit. */
  readonly maxAbsDifference: number;
  /** The same as a share of the range of the trained model's logits. */
  readonly relativeDifference: number;
  /** Share of the pictures for which both name the same class, 0..1. */
  readonly top1Agreement: number;
  /**
   * Share of the pictures for which they do not, but the model itself gives both classes the same score: but for 0.01 %
   * of the range of the scores (fp16: 0.1 %, int8: 1 %).
   */
  readonly nearTies: number;
  /** What was asked for. */
  readonly limits: ParityLimits;
}

/** Why a file was not compared. */
export interface ParityNotChecked {
  /** It was not compared. */
  readonly checked: false;
  /** Why not. */
  readonly reason: string;
  /** What to do so that it is. */
  readonly help: string;
}

/** What an export says where the caller did not want the file to be compared. */
export const parityNotWanted: ParityNotChecked = {
  checked: false,
  reason: "it was not asked for",
  help: "leave { parity: false } out",
};

/** What {@linkcode checkParity} needs. */
export interface ParityCheck extends Omit<Suspect, "file"> {
  /** The trained model, or for int8 the simulation of it. */
  readonly model: Pick<Model, "id" | "logits" | "preprocessing">;
  /** The written file: a path ending in `.xml` or `.onnx`, or the bytes. */
  readonly file: ExportedFile;
  /** What to compare with. @default {8 made-up pictures, 100 for int8} */
  readonly pictures?: readonly ImageSource[];
  /** What is still called the same. @default {see ParityLimits} */
  readonly limits?: ParityLimits;
  /** Told about the download of the runtime. */
  readonly onProgress?: ProvisionListener;
  /** Stops it: it throws the signal's reason. */
  readonly signal?: AbortSignal;
}

const defaultLimits: Readonly<Record<ExportMetadata["precision"], ParityLimits>> = {
  fp32: { maxRelativeDifference: 1e-4 },
  fp16: { maxRelativeDifference: 1e-2 },
  // A value may fall on the neighbouring level, and what follows from it; a layer that is wrong does more.
  int8: { maxRelativeDifference: 0.1, minTop1Agreement: 0.99 },
};

/** Scores that differ by less than this share of the range are equal. */
const equalScores: Readonly<Record<ExportMetadata["precision"], number>> = {
  fp32: 1e-4,
  fp16: 1e-3,
  int8: 1e-2,
};

/** Pictures a batch where the file takes any number. */
const batchOfDynamic = 4;

/**
 * Shows pictures to the trained model and to a file, which runs in the runtime it was made for (OpenVINO in 32 bits, or
 * onnxruntime), and compares the logits.
 *
 * @param check The model, the file, and how the file was made.
 * @returns The differences. Where the runtime cannot be had, why there are none.
 * @throws {ParityError} If the file is outside the limits; it names the first operation that differs.
 * @throws {DatasetError} If a picture cannot be read.
 * @throws {SyntaxError} If the runtime cannot read the file.
 */
export async function checkParity(check: ParityCheck): Promise<Parity | ParityNotChecked> {
  const { model, metadata, file, signal, onProgress } = check;
  const given = check.pictures ?? [];
  const pictures = given.length > 0
    ? await decodePictures(given, model.preprocessing, signal)
    : examplePictures(metadata.precision === "int8" ? 100 : 8, model.preprocessing);
  const bytes = await readExported(file);
  let opened: ExportedModel;
  try {
    opened = await openExported(bytes, { onProgress, signal });
  } catch (thrown) {
    if (!(thrown instanceof LibraryError)) throw thrown;
    return { checked: false, reason: reasonOf(thrown.message.split("\n  help:")[0]), help: thrown.help };
  }
  let found: Float32Array[];
  const { runtime } = opened;
  try {
    found = await logitsOfFile(opened, check, pictures);
  } finally {
    await opened.dispose();
  }
  const { size } = model.preprocessing;
  const wanted = await model.logits(pictures.map((data) => ({ ...size, channels: 3, data })));
  const { worst, ...differences } = compare(wanted, found, equalScores[metadata.precision]);
  const parity: Parity = {
    checked: true,
    runtime,
    pictures: pictures.length,
    source: given.length > 0 ? "given" : "examples",
    ...differences,
    limits: check.limits ?? defaultLimits[metadata.precision],
  };
  if (isWithin(parity)) return parity;
  let place: Divergence | undefined | Error;
  try {
    place = await findDivergence({ ...check, file: bytes }, pictures[worst]!);
  } catch (error) {
    place = error as Error;
  }
  throw parityError(check, parity, place);
}

async function logitsOfFile(
  opened: ExportedModel,
  { graph, metadata, model, signal }: ParityCheck,
  pictures: readonly Picture[],
): Promise<Float32Array[]> {
  const [input] = opened.inputs;
  const fixed = input!.shape[0]!;
  const batch = fixed > 0 ? fixed : Math.min(batchOfDynamic, pictures.length);
  const logits: Float32Array[] = [];
  for (let start = 0; start < pictures.length; start += batch) {
    signal?.throwIfAborted();
    const shown = pictures.slice(start, start + batch);
    const images = new Uint8Array(batch * shown[0]!.length);
    for (const [row, picture] of shown.entries()) images.set(picture, row * picture.length);
    const outputs = await opened.run({
      [input!.name]: toFileInput(images, model.preprocessing, metadata.input),
    });
    const { data, shape } = outputs[graph.outputName]!;
    const classes = shape[1]!;
    for (let row = 0; row < shown.length; row++) {
      logits.push((data as Float32Array).slice(row * classes, (row + 1) * classes));
    }
  }
  return logits;
}

/** How far logits are apart, and for which picture most. */
function compare(wanted: readonly Float32Array[], found: readonly Float32Array[], equal: number) {
  let lowest = Infinity, highest = -Infinity;
  for (const row of wanted) {
    for (const value of row) [lowest, highest] = [Math.min(lowest, value), Math.max(highest, value)];
  }
  const range = highest - lowest || Math.abs(highest) || 1;
  let maxAbsDifference = 0, worst = 0, same = 0, ties = 0;
  for (const [index, row] of wanted.entries()) {
    const other = found[index]!;
    let difference = row.length === other.length ? 0 : Infinity;
    row.forEach((value, at) => {
      const here = Math.abs(value - other[at]!);
      difference = Math.max(difference, Number.isFinite(here) ? here : Infinity);
    });
    if (difference > maxAbsDifference) [maxAbsDifference, worst] = [difference, index];
    const [best, named] = [predictedClass(row), predictedClass(other)];
    if (best === named) same++;
    else if (row[best]! - row[named]! <= equal * range) ties++;
  }
  const relativeDifference = maxAbsDifference / range;
  const count = wanted.length;
  return { maxAbsDifference, relativeDifference, top1Agreement: same / count, nearTies: ties / count, worst };
}

function isWithin({ limits, relativeDifference, top1Agreement, nearTies }: Parity): boolean {
  const { maxRelativeDifference = Infinity, minTop1Agreement = 0 } = limits;
  const isFinite = Number.isFinite(relativeDifference); // NaN and infinite logits are never the model's
  return isFinite && relativeDifference <= maxRelativeDifference &&
    top1Agreement + nearTies >= minTop1Agreement;
}

function parityError(check: ParityCheck, parity: Parity, place: Divergence | undefined | Error): ParityError {
  const { limits, maxAbsDifference, pictures, relativeDifference, runtime, source } = parity;
  const { top1Agreement, nearTies } = parity;
  const { maxRelativeDifference, minTop1Agreement } = limits;
  const share = (ratio: number) => `${Number((100 * ratio).toPrecision(3))} %`;
  const bound = (word: string, limit?: number) =>
    limit === undefined ? "" : `, wanted at ${word} ${share(limit)}`;
  const shown = `${pictures} ${source === "given" ? "of your" : "made-up"} pictures`;
  const details = [
    `runtime: ${runtime}, on ${shown}`,
    `logits: differ by up to ${maxAbsDifference.toPrecision(3)}, which is ${
      share(relativeDifference)
    } of their range` +
    bound("most", maxRelativeDifference),
    `top-1: the same for ${share(top1Agreement)} of the pictures` +
    `${nearTies > 0 ? ` and nearly tied for ${share(nearTies)}` : ""}${bound("least", minTop1Agreement)}`,
    describePlace(place, share),
  ];
  const name = place === undefined || place instanceof Error ? undefined : place.node.output.name;
  return new ParityError(`Cannot export ${check.model.id}: the file computes something else than the model`, {
    details,
    help: place !== undefined && "isPreprocessing" in place && place.isPreprocessing
      ? "mean, scale or the order of the channels in the file are not the model's; export it again"
      : "export the model again; if that does not help, report this message, or accept the difference with " +
        `{ parity: { ${Object.keys(limits).join(", ")} } }`,
    ...(name === undefined ? {} : { node: name }),
  });
}

function describePlace(place: Divergence | undefined | Error, share: (ratio: number) => string): string {
  if (place instanceof Error) {
    return `where it begins could not be found out: ${reasonOf(place)}`;
  }
  if (place === undefined) {
    return "no operation alone is the cause: each agrees where its value is asked for";
  }
  const { difference, isPreprocessing, node: { op, output } } = place;
  const by = Number.isFinite(difference)
    ? `differs by ${share(difference)} of its largest value`
    : "is not finite, or of another shape";
  return isPreprocessing
    ? `it begins with the preprocessing: the normalised pictures, "${output.name}": ${by}`
    : `it begins at "${output.name}" (${op} [${output.shape}]), which ${by}; what comes before it agrees`;
}
