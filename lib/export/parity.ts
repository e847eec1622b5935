import type { ImageSource } from "../data/dataset.ts";
import { DatasetError } from "../data/dataset_error.ts";
import type { Model } from "../models/model.ts";
import type { ProvisionListener } from "../provision/events.ts";
import { LibraryError, reasonOf } from "../provision/library_error.ts";
import { type ExportedFile, readExported } from "../runtimes/exported_file.ts";
import { type ExportedModel, openExported } from "../runtimes/exported_model.ts";
import type { ExportMetadata } from "./export_metadata.ts";
import { createLogitsComparer } from "./_compare_logits.ts";
import { findDivergence, type Suspect } from "./_divergence.ts";
import { toFileInput } from "./_file_input.ts";
import { toParityError } from "./_parity_message.ts";
import { decodedPictures, examplePictures, type Picture } from "./_parity_pictures.ts";

/** What is still called the same. */
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
  /** What was asked for, or is usual. */
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
  readonly model: Pick<Model, "id" | "logits" | "preprocessing" | "quantization">;
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
  const { model, metadata: { precision }, file, signal, onProgress } = check;
  const bytes = await readExported(file);
  let opened: ExportedModel;
  try {
    opened = await openExported(bytes, { onProgress, signal });
  } catch (thrown) {
    if (!(thrown instanceof LibraryError)) throw thrown;
    return { checked: false, reason: reasonOf(thrown.message.split("\n  help:")[0]), help: thrown.help };
  }
  const comparer = createLogitsComparer();
  const { size } = model.preprocessing;
  try {
    for await (const pictures of picturesOf(check)) {
      signal?.throwIfAborted();
      const found = await logitsOfFile(opened, check, pictures);
      const wanted = await model.logits(pictures.map((data) => ({ ...size, channels: 3, data })));
      pictures.forEach((picture, index) => comparer.add(picture, wanted[index]!, found[index]!));
    }
  } finally {
    await opened.dispose();
  }
  const { count, maxAbsDifference, relativeDifference, same, ties, worst } = comparer.result(
    equalScores[precision],
  );
  const parity: Parity = {
    checked: true,
    runtime: opened.runtime,
    pictures: count,
    source: isGiven(check) ? "given" : "examples",
    maxAbsDifference,
    relativeDifference,
    top1Agreement: same / count,
    nearTies: ties / count,
    limits: limitsOf(check),
  };
  const { maxRelativeDifference = Infinity, minTop1Agreement = 0 } = parity.limits;
  // NaN and infinite logits are never the model's. The shares are not added up: 0.7 + 0.2 is less than 0.9.
  const isWithin = Number.isFinite(relativeDifference) && relativeDifference <= maxRelativeDifference &&
    (same + ties) / count >= minTop1Agreement;
  if (isWithin) return parity;
  const place = await findDivergence({ ...check, file: bytes }, worst).catch((error: Error) => error);
  throw toParityError(check, parity, place);
}

/** Whether the pictures are the caller's. */
function isGiven({ pictures = [] }: ParityCheck): boolean {
  return pictures.length > 0;
}

/** The pictures, a part after the other. */
async function* picturesOf(check: ParityCheck): AsyncGenerator<readonly Picture[], void, void> {
  const { model: { id, preprocessing }, metadata: { precision }, pictures = [], signal } = check;
  if (!isGiven(check)) return yield examplePictures(precision === "int8" ? 100 : 8, preprocessing);
  try {
    yield* decodedPictures(pictures, preprocessing, signal);
  } catch (error) {
    if (!(error instanceof DatasetError)) throw error;
    // The same problems, without the help for data sets.
    const { problems } = error;
    throw new DatasetError(
      `Cannot compare ${id} with its file: ${problems.length} of ${pictures.length} pictures are not readable`,
      { problems, help: "leave them out" },
    );
  }
}

/** What was asked for, and where nothing was, what is usual. */
function limitsOf({ limits = {}, metadata: { precision } }: ParityCheck): ParityLimits {
  const {
    maxRelativeDifference = defaultLimits[precision].maxRelativeDifference,
    minTop1Agreement = defaultLimits[precision].minTop1Agreement,
  } = limits;
  return { maxRelativeDifference, ...(minTop1Agreement === undefined ? {} : { minTop1Agreement }) };
}

async function logitsOfFile(
  opened: ExportedModel,
  { graph, metadata, signal }: ParityCheck,
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
    const outputs = await opened.run({ [input!.name]: toFileInput(images, metadata) });
    const { data, shape } = outputs[graph.outputName]!;
    const classes = shape[1]!;
    for (let row = 0; row < shown.length; row++) {
      logits.push((data as Float32Array).slice(row * classes, (row + 1) * classes));
    }
  }
  return logits;
}
