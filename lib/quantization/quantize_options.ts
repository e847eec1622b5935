import type { Dataset } from "../data/dataset.ts";
import type { Device } from "../tensorflow/engine.ts";
import type { TrainingEvent } from "../training/events.ts";
import { type FineTuneOptions, valueProblems } from "../training/fine_tune_options.ts";
import type { AuxiliaryModel } from "../training/recipe.ts";
import * as check from "../errors/check_options.ts";
import type { QuantizationEvent } from "./events.ts";
import { type RangeChoice, rangeChoices } from "./ranges.ts";

/** Options of `quantize`. */
export interface QuantizeOptions {
  /** The most that top-1 of the int8 file may be below that of the model on the validation set, 0..1. @default {0.01} */
  maxDrop?: number;
  /** The most layers that may go back to float for that. @default {half of them} */
  maxFloatLayers?: number;
  /** Whether the quantised network is fine-tuned; `false`: post-training quantisation only. @default {true} */
  fineTune?: boolean;
  /**
   * The processors the file is for. `any`: weights have 7 bits, because processors without VNNI add up products in 16
   * bits, which two of 8 bits can exceed. `vnni`: 8 bits. @default {"any"}
   */
  target?: "any" | "vnni";
  /** Pictures the ranges of values are found with; taken from the training set, or a set of its own. @default {300} */
  calibration?: number | Dataset;
  /**
   * How ranges are chosen from them; `auto` tries all ways and takes the one whose predictions are nearest to those in
   * float. @default {"auto"}
   */
  ranges?: RangeChoice;
  /** Rate at which fine-tuning starts. @default {0.035 times that of the model's training} */
  learningRate?: number;
  /** The most epochs of fine-tuning; it ends by itself when the validation accuracy has stopped rising. @default {200} */
  epochs?: number;
  /** Pictures a step. @default {as the model was trained} */
  batchSize?: number;
  /** Models that teach in fine-tuning and stay as they are. @default {none} */
  auxiliaryModels?: readonly AuxiliaryModel[];
  /** Folder of a fine-tuning to go on with: one that was stopped, or one whose result cost more than `maxDrop`. */
  resumeFrom?: string;
  /** Of the choice of pictures, and of fine-tuning. @default {0} */
  seed?: number;
  /**
   * Folder for the checkpoint, which is written once the promise holds, and for the state of fine-tuning.
   * @default {outputs/<model>-int8-<time>}
   */
  outputDir?: string;
  /** Pictures decoded at the same time. @default {one for each core} */
  workers?: number;
  /** What to do with a picture that cannot be read. @default {"error"} */
  onUnreadable?: "error" | "skip";
  /** What fine-tuning computes on; the int8 file is always run on the CPU. @default {"auto"} */
  device?: Device;
  /** Stops it: fine-tuning is saved and can be resumed. */
  signal?: AbortSignal;
  /** Told about everything that happens. */
  onEvent?: (event: TrainingEvent | QuantizationEvent) => unknown;
  /** Whether progress is shown. @default {true unless onEvent is given} */
  view?: boolean;
  /** Files of the fine-tuning's events. @default {all} */
  logs?: readonly ("csv" | "jsonl" | "tensorboard")[];
}

const known = [
  "maxDrop",
  "maxFloatLayers",
  "fineTune",
  "target",
  "calibration",
  "ranges",
  "learningRate",
  "epochs",
  "batchSize",
  "auxiliaryModels",
  "resumeFrom",
  "seed",
  "outputDir",
  "workers",
  "onUnreadable",
  "device",
  "signal",
  "onEvent",
  "view",
  "logs",
] as const satisfies readonly (keyof QuantizeOptions)[];

/**
 * Refuses options that `quantize` does not know or cannot use, all of them at once.
 *
 * @param options What the user passed.
 * @throws {TypeError} If an option is not known or of a wrong type.
 * @throws {RangeError} If a value is out of range, or options contradict each other.
 */
export function checkQuantizeOptions(options: QuantizeOptions): void {
  check.checkOptions(options, known, "quantize");
  const { maxDrop, maxFloatLayers, fineTune = true, target, calibration, ranges, ...training } = options;
  const ofFineTuning = ["learningRate", "epochs", "batchSize", "auxiliaryModels", "resumeFrom"] as const;
  check.checkValues("quantize", [
    check.ratio("maxDrop", maxDrop),
    check.wholeNumber("maxFloatLayers", maxFloatLayers),
    check.ofType("fineTune", fineTune, "boolean"),
    check.oneOf("target", target, ["any", "vnni"]),
    calibrationProblem(calibration),
    check.oneOf("ranges", ranges, rangeChoices),
    ...valueProblems(training as FineTuneOptions),
    ...ofFineTuning.map((option) =>
      !fineTune && options[option] !== undefined
        ? { option, found: options[option], wanted: "nothing with { fineTune: false }", wrongType: false }
        : undefined
    ),
  ]);
}

function calibrationProblem(calibration: unknown): check.OptionProblem | undefined {
  if (Array.isArray((calibration as Partial<Dataset> | undefined)?.samples)) return undefined;
  const problem = check.positiveInteger("calibration", calibration);
  return problem?.wrongType ? { ...problem, wanted: `${problem.wanted}, or a data set` } : problem;
}
