import type { WarningEvent } from "../training/events.ts";
import type { Verdict } from "./outcome.ts";
import type { SearchMode } from "./settings.ts";
import type { Trial } from "./trial.ts";

/** What a search for the learning rate says while it goes. */
export type LRSearchEvent =
  | SearchStartEvent
  | SearchStepEvent
  | SearchEpochEvent
  | SearchTrialEvent
  | SearchEndEvent
  | WarningEvent;

/** The search is about to begin, and knows from a few steps that it measured what it will cost. */
export interface SearchStartEvent {
  /** Kind of the event. */
  readonly type: "search-start";
  /** Model id, e.g. `mobilenetv3_large_100.ra_in1k`. */
  readonly model: string;
  /** How rates are chosen. */
  readonly mode: SearchMode;
  /** Smallest rate that is tried. */
  readonly minLearningRate: number;
  /** Largest rate that is tried. */
  readonly maxLearningRate: number;
  /** Trials of the whole search; 1 for a range test. */
  readonly trials: number;
  /** Trials that an earlier part of the search has finished. */
  readonly trialsDone: number;
  /** Epochs of a trial; of a range test with its warm-up, as many as its steps make. */
  readonly epochs: number;
  /** Steps of an epoch. */
  readonly stepsPerEpoch: number;
  /** Pictures trained on. */
  readonly trainSize: number;
  /** Pictures validated on. */
  readonly validationSize: number;
  /** Pictures a step. */
  readonly batchSize: number;
  /** Epochs that are still to come at most: pruning and rates that come twice make them fewer. */
  readonly epochsToCome: number;
  /** Estimated seconds they take at most. */
  readonly estimatedSeconds: number;
  /** `cpu` or `gpu`, and the library with its version. */
  readonly device: string;
  /** Folder of the search's state. */
  readonly outputDir: string;
  /** All of it in a sentence. */
  readonly message: string;
}

/** A step of a trial or of a range test is done. */
export interface SearchStepEvent {
  /** Kind of the event. */
  readonly type: "search-step";
  /** 0-based trial. */
  readonly trial: number;
  /** 0-based epoch of the trial. */
  readonly epoch: number;
  /** 0-based step within the epoch. */
  readonly step: number;
  /** Steps of an epoch. */
  readonly stepsPerEpoch: number;
  /** Mean loss of the batch. */
  readonly loss: number;
  /** Rate of the step. */
  readonly learningRate: number;
  /** Whether the step belongs to a range test, so that its rate is one of the curve. */
  readonly isRangeTest: boolean;
  /** Images of this batch divided by the seconds since the last step ended, waiting for data included. */
  readonly imagesPerSecond: number;
  /** Seconds since the search (this process's part of it) started. */
  readonly elapsedSeconds: number;
  /** Estimated seconds to the end at most. */
  readonly remainingSeconds: number;
}

/** An epoch of a trial and its validation are done. */
export interface SearchEpochEvent {
  /** Kind of the event. */
  readonly type: "search-epoch";
  /** 0-based trial. */
  readonly trial: number;
  /** Rate of the trial. */
  readonly learningRate: number;
  /** 0-based epoch of the trial. */
  readonly epoch: number;
  /** Mean loss of the training batches. */
  readonly trainLoss: number;
  /** Share of validation pictures whose best class is right, 0..1. */
  readonly validationTop1: number;
}

/** A trial is over. */
export interface SearchTrialEvent {
  /** Kind of the event. */
  readonly type: "search-trial";
  /** The trial. */
  readonly trial: Trial;
  /** The best trial so far, by the objective. */
  readonly best: Trial | undefined;
  /** Seconds since the search (this process's part of it) started. */
  readonly elapsedSeconds: number;
  /** Estimated seconds to the end at most. */
  readonly remainingSeconds: number;
}

/** The search is over. */
export interface SearchEndEvent {
  /** Kind of the event. */
  readonly type: "search-end";
  /** Whether all of it was done, or the user stopped it. */
  readonly stopped: "completed" | "interrupted";
  /** The rate to train with; none if the search tells none. */
  readonly suggestion: number | undefined;
  /** How it was chosen, in words. */
  readonly rule: string;
  /** How sure that is. */
  readonly verdict: Verdict;
  /** Why, in words. */
  readonly reason: string;
  /** Seconds since the search (this process's part of it) started. */
  readonly elapsedSeconds: number;
}
