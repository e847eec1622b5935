import type { LRSearchEvent } from "../lr_finder/events.ts";

/**
 * What a run says while it goes. Recipes never print: the notebook view, the terminal bar, CSV, JSONL and TensorBoard
 * files are all readers of these events. A run that looks for its learning rate first says what the search says.
 */
export type TrainingEvent =
  | StartEvent
  | FeaturesEvent
  | StepEvent
  | EpochEvent
  | CheckpointEvent
  | WarningEvent
  | EndEvent
  | LRSearchEvent;

/** The run is about to take its first step. */
export interface StartEvent {
  /** Kind of the event. */
  readonly type: "start";
  /** Model id, e.g. `mobilenetv3_large_100`. */
  readonly model: string;
  /** Names of the classes. */
  readonly classNames: readonly string[];
  /** Pictures trained on. */
  readonly trainSize: number;
  /** Pictures validated on. */
  readonly validationSize: number;
  /** Pictures a step. */
  readonly batchSize: number;
  /** Epochs of the whole run. */
  readonly epochs: number;
  /** How many of them come first with only the classifier learning; none: 0. */
  readonly freezeEpochs?: number;
  /** Steps of an epoch. */
  readonly stepsPerEpoch: number;
  /** 0-based epoch and step the run starts at; not 0 after a resume. */
  readonly epoch: number;
  /** 0-based step within the epoch. */
  readonly step: number;
  /** `cpu` or `gpu`, and the library with its version. */
  readonly device: string;
  /** Folder of checkpoints and logs. */
  readonly outputDir?: string;
}

/** Before epochs in which only the classifier learns: features of some more pictures are computed. */
export interface FeaturesEvent {
  /** Kind of the event. */
  readonly type: "features";
  /** Pictures whose features are computed. */
  readonly done: number;
  /** Pictures of the training and the validation set. */
  readonly total: number;
  /** Seconds since the run (this process's part of it) started. */
  readonly elapsedSeconds: number;
  /** Estimated seconds until all are. */
  readonly remainingSeconds: number;
}

/** One optimiser step is done. */
export interface StepEvent {
  /** Kind of the event. */
  readonly type: "step";
  /** 0-based epoch. */
  readonly epoch: number;
  /** 0-based step within the epoch. */
  readonly step: number;
  /** Steps of an epoch. */
  readonly stepsPerEpoch: number;
  /** Mean loss of the batch. */
  readonly loss: number;
  /** Learning rate of the step. */
  readonly learningRate: number;
  /** Momentum of the step, if it changes from step to step. */
  readonly momentum?: number;
  /** Images of this batch divided by the seconds since the last step ended, waiting for data included. */
  readonly imagesPerSecond: number;
  /** Seconds since the run (this process's part of it) started. */
  readonly elapsedSeconds: number;
  /** Estimated seconds to the end of the last epoch; NaN while only the classifier learns, which tells nothing of it. */
  readonly remainingSeconds: number;
}

/** One row of the history: an epoch with its validation. */
export interface EpochRecord {
  /** 0-based epoch. */
  readonly epoch: number;
  /** `frozen`: only the classifier learned, on pictures without augmentation; none: all parameters did. */
  readonly phase?: "frozen";
  /** Mean loss of the training batches. */
  readonly trainLoss: number;
  /**
   * Accuracy on the (augmented) training batches as they were trained on, 0..1; of pictures mixed of two, for the label
   * that there is more of.
   */
  readonly trainTop1: number;
  /** Mean cross-entropy on the validation set, without class weights and smoothing. */
  readonly validationLoss: number;
  /** Share of validation pictures whose best class is right, 0..1. */
  readonly validationTop1: number;
  /** Share of validation pictures whose class is among the best five, 0..1. */
  readonly validationTop5: number;
  /** With a moving average: validation top-1 of the weights themselves. The figures above are of the better of both. */
  readonly rawTop1?: number;
  /** With a moving average: validation top-1 of the average. */
  readonly averageTop1?: number;
  /** Learning rate of the epoch; with one cycle that of its last step. */
  readonly learningRate: number;
}

/** An epoch and its validation pass are done. */
export interface EpochEvent extends EpochRecord {
  /** Kind of the event. */
  readonly type: "epoch";
  /** Epochs of the whole run. */
  readonly epochs: number;
  /** Whether this is the best epoch so far, by validation top-1. */
  readonly best: boolean;
  /** Seconds this epoch took, validation included. */
  readonly durationSeconds: number;
  /** Seconds since the run (this process's part of it) started. */
  readonly elapsedSeconds: number;
  /** Estimated seconds to the end of the last epoch. */
  readonly remainingSeconds: number;
}

/** A checkpoint file was written. */
export interface CheckpointEvent {
  /** Kind of the event. */
  readonly type: "checkpoint";
  /** `best`: weights for use; `resume`: all that is needed to go on. */
  readonly kind: "best" | "resume";
  /** The file. */
  readonly path: string;
  /** 0-based epoch. */
  readonly epoch: number;
}

/** Something the user should know; the run goes on. */
export interface WarningEvent {
  /** Kind of the event. */
  readonly type: "warning";
  /** What the user should know. */
  readonly message: string;
}

/** The run is over. */
export interface EndEvent {
  /** Kind of the event. */
  readonly type: "end";
  /** Why the run ended. */
  readonly stopped: StopReason;
  /** Epoch of the best validation top-1, or -1 if no epoch was finished. */
  readonly bestEpoch: number;
  /** Best validation top-1, 0..1. */
  readonly bestTop1: number;
  /** Seconds since the run (this process's part of it) started. */
  readonly elapsedSeconds: number;
}

/**
 * Why a run ended: all epochs done, early stopping, the user's stop, or because only its learning rate was to be found.
 */
export type StopReason = "completed" | "early-stopping" | "interrupted" | "after-search";
