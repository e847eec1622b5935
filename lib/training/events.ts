/**
 * What a run says while it goes. Recipes never print: the notebook view, the terminal bar, CSV, JSONL and TensorBoard
 * files are all readers of these events.
 */
export type TrainingEvent = StartEvent | StepEvent | EpochEvent | CheckpointEvent | WarningEvent | EndEvent;

/** The run is about to take its first step. */
export interface StartEvent {
  readonly type: "start";
  /** Model id, e.g. `mobilenetv3_large_100`. */
  readonly model: string;
  readonly classNames: readonly string[];
  readonly trainSize: number;
  readonly validationSize: number;
  readonly batchSize: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  /** 0-based epoch and step the run starts at; not 0 after a resume. */
  readonly epoch: number;
  readonly step: number;
  /** `cpu` or `gpu`, and the library with its version. */
  readonly device: string;
  readonly outputDir?: string;
}

/** One optimiser step is done. */
export interface StepEvent {
  readonly type: "step";
  /** 0-based epoch. */
  readonly epoch: number;
  /** 0-based step within the epoch. */
  readonly step: number;
  readonly stepsPerEpoch: number;
  /** Mean loss of the batch. */
  readonly loss: number;
  readonly learningRate: number;
  /** Images of this batch divided by the seconds since the last step ended, waiting for data included. */
  readonly imagesPerSecond: number;
  /** Seconds since the run (this process's part of it) started. */
  readonly elapsedSeconds: number;
  /** Estimated seconds to the end of the last epoch. */
  readonly remainingSeconds: number;
}

/** One row of the history: an epoch with its validation. */
export interface EpochRecord {
  /** 0-based epoch. */
  readonly epoch: number;
  readonly trainLoss: number;
  /** Accuracy on the (augmented) training batches as they were trained on, 0..1. */
  readonly trainTop1: number;
  readonly validationLoss: number;
  /** Share of validation pictures whose best class is right, 0..1. */
  readonly validationTop1: number;
  readonly validationTop5: number;
  readonly learningRate: number;
}

/** An epoch and its validation pass are done. */
export interface EpochEvent extends EpochRecord {
  readonly type: "epoch";
  readonly epochs: number;
  /** Whether this is the best epoch so far, by validation top-1. */
  readonly best: boolean;
  /** Seconds this epoch took, validation included. */
  readonly durationSeconds: number;
  readonly elapsedSeconds: number;
  readonly remainingSeconds: number;
}

/** A checkpoint file was written. */
export interface CheckpointEvent {
  readonly type: "checkpoint";
  readonly kind: "best" | "resume";
  readonly path: string;
  readonly epoch: number;
}

/** Something the user should know; the run goes on. */
export interface WarningEvent {
  readonly type: "warning";
  readonly message: string;
}

/** The run is over. */
export interface EndEvent {
  readonly type: "end";
  readonly stopped: StopReason;
  /** Epoch of the best validation top-1, or -1 if no epoch was finished. */
  readonly bestEpoch: number;
  readonly bestTop1: number;
  readonly elapsedSeconds: number;
}

/** Why a run ended: all epochs done, early stopping, the user's stop, or a loss that is not a number. */
export type StopReason = "completed" | "early-stopping" | "interrupted";
