import type { Preprocessing } from "../data/preprocessing.ts";
import type { Quantization } from "./quantized/quantization.ts";

/** What a weights file of Whittle says of itself, in the safetensors metadata under `whittle`. */
export interface CheckpointMetadata {
  /** Version of this record. */
  readonly format: 1;
  /** timm's id with its tag. */
  readonly model: string;
  readonly classNames: readonly string[];
  readonly preprocessing: Preprocessing;
  /** How the weights are quantised, if they are: they are those of the folded network, with ranges. */
  readonly quantization?: Quantization;
  /** The recipe the weights were trained with, as plain data. */
  readonly recipe?: unknown;
  /** Measured on the validation set, e.g. `{ validationTop1: 0.93 }`. */
  readonly metrics?: Readonly<Record<string, number>>;
}

/**
 * Reads the record out of a file's metadata.
 *
 * @param metadata String pairs of a safetensors file.
 * @returns The record, or `undefined` if the file is not Whittle's.
 * @throws {SyntaxError} If the record is of another version or not readable.
 */
export function parseCheckpointMetadata(
  metadata: Readonly<Record<string, string>>,
): CheckpointMetadata | undefined {
  const text = metadata["whittle"];
  if (text === undefined) return undefined;
  const value = JSON.parse(text) as CheckpointMetadata;
  if (value.format !== 1) {
    throw new SyntaxError(
      `Cannot read the checkpoint: its metadata has format ${value.format}, and this version reads format 1\n` +
        `  help: update Whittle`,
    );
  }
  return value;
}

/**
 * The record as string pairs for a safetensors file; `format: pt` tells other readers that layouts are PyTorch's.
 *
 * @param metadata The record.
 * @returns String pairs.
 */
export function toCheckpointMetadata(metadata: CheckpointMetadata): Record<string, string> {
  return { format: "pt", whittle: JSON.stringify(metadata) };
}
