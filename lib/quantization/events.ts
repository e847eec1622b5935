import type { ControlStep } from "./accuracy_drop_error.ts";

/** What quantisation says while it goes; fine-tuning says what every training says. */
export type QuantizationEvent = QuantizationStepEvent | AccuracyEvent;

/** Some more pictures are done. */
export interface QuantizationStepEvent {
  /** Kind of the event. */
  readonly type: "quantization";
  /** `calibration`: values are looked at; `statistics`: ranges are tried, and means given back; `layers`: each is compared with float. */
  readonly step: "calibration" | "statistics" | "layers";
  /** Pictures that are done. */
  readonly done: number;
  /** All of them. */
  readonly total: number;
}

/** The int8 file was measured. */
export interface AccuracyEvent extends ControlStep {
  /** Kind of the event. */
  readonly type: "accuracy";
}
