import { createHash } from "node:crypto";
import { join } from "node:path";
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
  readonly recipe: Recipe;
  readonly seed: number;
  /** Hash of the names and labels of the training and validation samples. */
  readonly dataHash: string;
  readonly environment: Environment;
  readonly state: RunState;
  /** State of the training step (`parameters/*`, `velocities/*`, `statistics/*`) and the best weights (`best/*`). */
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

/** Writes all a resumed run needs, as one file with one rename. */
export async function saveResume(path: string, checkpoint: ResumeCheckpoint): Promise<void> {
  const { tensors, ...rest } = checkpoint;
  await writeSafetensors(path, tensors, { "whittle-resume": JSON.stringify(rest) });
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
  let file;
  try {
    file = await readSafetensors(path);
  } catch (error) {
    throw new CheckpointError(
      `Cannot resume from "${source}": ${error instanceof Error ? error.message : error}\n` +
        `  help: pass the folder of a run, or its ${resumeFileName}`,
      { cause: error },
    );
  }
  const text = file.metadata["whittle-resume"];
  if (text === undefined) {
    throw new CheckpointError(
      `Cannot resume from "${path}": it holds weights only, not the state of a run\n` +
        `  help: pass the run's ${resumeFileName}, or start a new run from these weights with { weights: ... }`,
    );
  }
  const rest = JSON.parse(text) as Omit<ResumeCheckpoint, "tensors">;
  if (rest.format !== 1) {
    throw new CheckpointError(
      `Cannot resume from "${path}": the file has format ${rest.format}, and this version reads format 1`,
    );
  }
  return { ...rest, tensors: file.tensors };
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

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}
