import { createHash } from "node:crypto";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { DatasetSplits } from "../data/dataset.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import { type CheckpointMetadata, toCheckpointMetadata } from "../models/checkpoint_metadata.ts";
import { fromTfjsLayout } from "../models/weights/layouts.ts";
import { readSafetensors, writeSafetensors } from "../models/weights/safetensors.ts";
import type { EarlyStoppingState } from "./early_stopping.ts";
import type { Environment } from "./environment.ts";
import type { EpochRecord } from "./events.ts";
import type { Recipe } from "./recipe.ts";

/** Raised when a checkpoint cannot be read, or does not belong to the run that is to go on. */
export class CheckpointError extends Error {
  override readonly name = "CheckpointError";
}

/** Where a run stands, besides its tensors. All of it is plain data. */
export interface RunState {
  /** 0-based epoch, and steps of it that are done. */
  readonly epoch: number;
  readonly step: number;
  /** Sums over the steps of this epoch that are done. */
  readonly lossSum: number;
  readonly correct: number;
  readonly history: readonly EpochRecord[];
  readonly earlyStopping: EarlyStoppingState;
}

/** All a resumed run needs. */
export interface ResumeCheckpoint {
  readonly format: 1;
  readonly model: string;
  readonly classNames: readonly string[];
  readonly preprocessing: CheckpointMetadata["preprocessing"];
  readonly quantization?: CheckpointMetadata["quantization"];
  readonly recipe: Recipe;
  readonly seed: number;
  /** Hash of the names and labels of the training and validation samples. */
  readonly dataHash: string;
  readonly environment: Environment;
  readonly state: RunState;
  /**
   * State of the training step (`parameters/*`, `velocities/*`, `statistics/*`, `average/*`, `auxiliary/*`) and the best
   * weights (`best/*`).
   */
  readonly tensors: Readonly<Record<string, HostTensor>>;
}

/** Name of the file a run is resumed from. */
export const resumeFileName = "resume.safetensors";
/** Name of the file with the best weights. */
export const bestFileName = "best.safetensors";

/**
 * Writes the weights of a model for others: in PyTorch's layout under timm's names, with what is needed to use them in
 * the metadata. Written whole or not at all.
 *
 * @param path The file.
 * @param weights Parameters and running statistics in tfjs's layouts.
 * @param metadata Model, class names, preprocessing, recipe and metrics.
 * @throws {Error} If the file cannot be written.
 */
export async function saveWeights(
  path: string,
  weights: Readonly<Record<string, HostTensor>>,
  metadata: CheckpointMetadata,
): Promise<void> {
  const tensors = Object.fromEntries(
    Object.entries(weights).map(([name, tensor]) => [name, fromTfjsLayout(name, tensor)]),
  );
  await writeSafetensors(path, tensors, toCheckpointMetadata(metadata));
}

/**
 * Writes all a resumed run needs, as one file with one rename.
 *
 * @param path The file.
 * @param checkpoint What it holds.
 * @throws {Error} If the file cannot be written; an older one stays as it was.
 */
export async function saveResume(path: string, checkpoint: ResumeCheckpoint): Promise<void> {
  const { tensors, ...rest } = checkpoint;
  await writeSafetensors(path, tensors, {
    "whittle-resume": JSON.stringify(rest),
    "whittle-resume-crc32": checksum(tensors),
  });
}

/**
 * Reads what {@linkcode saveResume} wrote.
 *
 * @param source The file, or the run's folder.
 * @returns The checkpoint.
 * @throws {CheckpointError} If there is none, or the file is damaged or of another kind.
 */
export async function loadResume(source: string): Promise<ResumeCheckpoint> {
  const path = await isFolder(source) ? join(source, resumeFileName) : source;
  const fail = (cause: string, help: string, error?: unknown): never => {
    throw new CheckpointError(`Cannot resume from "${path}": ${cause}\n  help: ${help}`, { cause: error });
  };
  const otherRun = `pass the folder of a run, or its ${resumeFileName}`;
  const file = await readSafetensors(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return fail("there is no such file", otherRun, error);
    // The first line says what is wrong; help about weight files would mislead.
    const [cause] = (error instanceof Error ? error.message : String(error)).split("\n");
    return fail(cause!.replace(`Cannot read safetensors "${path}": `, ""), otherRun, error);
  });
  const text = file.metadata["whittle-resume"];
  if (text === undefined) {
    return fail(
      "it holds weights only, not the state of a run",
      `pass the run's ${resumeFileName}, or start a new run from these weights with { weights: ... }`,
    );
  }
  if (file.metadata["whittle-resume-crc32"] !== checksum(file.tensors)) {
    return fail("the file is damaged: its tensors do not have the checksum they were saved with", otherRun);
  }
  const rest = JSON.parse(text) as Omit<ResumeCheckpoint, "tensors">;
  if (rest.format !== 1) {
    return fail(`the file has format ${rest.format}, and this version reads format 1`, "update Whittle");
  }
  return { ...rest, tensors: file.tensors };
}

/** CRC-32 of all values, in the order of the names: the format itself notices a file cut off, but no flipped bit. */
function checksum(tensors: Readonly<Record<string, HostTensor>>): string {
  let sum = 0;
  for (const name of Object.keys(tensors).sort()) {
    const { buffer, byteOffset, byteLength } = tensors[name]!.data;
    sum = crc32(new Uint8Array(buffer, byteOffset, byteLength), sum);
  }
  return sum.toString(16).padStart(8, "0");
}

/** Name of the file with the weights of an auxiliary model, 0-based. */
export function auxiliaryFileName(index: number): string {
  return `auxiliary_${index + 1}.safetensors`;
}

/** A hash of what a run is trained and validated on: class names, and the names and labels of the samples. */
export function hashData(data: Pick<DatasetSplits, "classNames" | "train" | "validation">): string {
  const hash = createHash("sha256");
  hash.update(JSON.stringify(data.classNames));
  for (const { samples } of [data.train, data.validation]) {
    hash.update(`\n${samples.length}\n`);
    for (const { name, label } of samples) hash.update(`${label} ${JSON.stringify(name)}\n`);
  }
  return hash.digest("hex");
}

/** A hash of weights: names, shapes and values. */
export function hashWeights(weights: Readonly<Record<string, HostTensor>>): string {
  const hash = createHash("sha256");
  for (const name of Object.keys(weights).sort()) {
    const { shape, data } = weights[name]!;
    hash.update(`${name} [${shape}]\n`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex");
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}
