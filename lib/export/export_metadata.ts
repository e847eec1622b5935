import type { Preprocessing } from "../data/preprocessing.ts";

/** What an exported file wants as its input, and what it is; IR and ONNX hold the same record. */
export interface ExportMetadata {
  /** Version of this record. */
  readonly format: 1;
  /** timm's id of the trained model, with its tag. */
  readonly model: string;
  /** Names of the classes, in the order of the logits. */
  readonly classNames: readonly string[];
  /** How a picture is resized; mean and std are the network's own, whoever applies them. */
  readonly preprocessing: Preprocessing;
  /** What is fed: `[batch, 3, height, width]`. */
  readonly input: ExportInput;
  /** Numbers of the computation: all `fp32`, weights stored as `fp16`, or `int8`. */
  readonly precision: "fp32" | "fp16" | "int8";
  /** Operations for one picture (10^9) and parameters (10^6). */
  readonly complexity?: { readonly gflops: number; readonly megaParams: number };
}

/** What an exported file is fed. */
export interface ExportInput {
  /** Order of the channel planes. */
  readonly channelOrder: "bgr" | "rgb";
  /** `raw`: 0..255, mean and std are applied inside; `normalized`: `(x / 255 - mean) / std` is applied by the caller. */
  readonly values: "raw" | "normalized";
}
