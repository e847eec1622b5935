import { join } from "node:path";
import { auxiliaryFileName, bestFileName, resumeFileName, saveResume, saveWeights } from "./checkpoint.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import { unusableTensors } from "../models/unusable_tensors.ts";
import { divergenceError } from "./divergence.ts";
import type { EpochRecord } from "./events.ts";
import { bestRecord, currentLearningRate, isFrozen, type Run } from "./_run.ts";

/**
 * Writes weights for others to use, unless the run keeps them to itself.
 *
 * @param run The run.
 * @param weights The best weights, or the current ones if no epoch was finished.
 * @param record The epoch they come from.
 */
export async function saveBest(
  run: Run,
  weights: Readonly<Record<string, HostTensor>>,
  record: EpochRecord | undefined,
): Promise<void> {
  if (run.savesBest === false) return;
  const path = join(run.outputDir, bestFileName);
  const { data: { classNames }, recipe } = run;
  await saveWeights(path, weights, {
    format: 1,
    model: run.model,
    classNames,
    preprocessing: run.preprocessing,
    ...quantizationOf(run),
    recipe,
    ...(record === undefined ? {} : { metrics: numbersOf(record) }),
  });
  await run.emit({ type: "checkpoint", kind: "best", path, epoch: record?.epoch ?? run.state.epoch });
}

function quantizationOf({ quantization }: Run): Pick<Run, "quantization"> {
  return quantization === undefined ? {} : { quantization };
}

function numbersOf({ phase: _, ...numbers }: EpochRecord): Record<string, number> {
  return numbers;
}

/**
 * Writes the auxiliary models as they are now, each for itself.
 *
 * @param run The run.
 */
export async function saveAuxiliary(run: Run): Promise<void> {
  const { data: { classNames }, recipe } = run;
  for (const [index, { model, preprocessing }] of (run.auxiliary ?? []).entries()) {
    const [parameters, statistics] = await Promise.all(
      ["parameters", "statistics"].map((part) => run.step.read(`auxiliary/${index + 1}/${part}/`)),
    );
    const path = join(run.outputDir, auxiliaryFileName(index));
    await saveWeights(path, { ...parameters, ...statistics }, {
      format: 1,
      model,
      classNames,
      preprocessing,
      recipe,
    });
  }
}

/**
 * Writes all that is needed to go on from here.
 *
 * @param run The run.
 * @throws {RangeError} If weights are not finite: such a state must not replace a good one.
 */
export async function saveRun(run: Run): Promise<void> {
  const path = join(run.outputDir, resumeFileName);
  const state = await run.step.read();
  requireFinite(run, state);
  const best = Object.entries(run.bestWeights ?? {}).map(([name, value]) => [`best/${name}`, value]);
  await saveResume(path, {
    format: 1,
    model: run.model,
    classNames: run.data.classNames,
    preprocessing: run.preprocessing,
    ...quantizationOf(run),
    recipe: run.recipe,
    seed: run.seed,
    dataHash: run.dataHash,
    environment: run.environment,
    state: run.state,
    tensors: { ...state, ...Object.fromEntries(best) },
  });
  await run.emit({ type: "checkpoint", kind: "resume", path, epoch: run.state.epoch });
}

/** The loss tells of the weights before a step; this tells of those after it. */
export function requireFinite(run: Run, tensors: Readonly<Record<string, HostTensor>>): void {
  const names = unusableTensors(tensors);
  if (names.length === 0) return;
  throw diverged(
    run,
    `${names.length} of ${Object.keys(tensors).length} tensors (${
      names[0]
    } first) hold NaN, an infinity or a ` +
      `negative variance after ${position(run)}`,
  );
}

/** The error of a run that diverged; see `divergenceError`. */
export function diverged(run: Run, found: string): RangeError {
  const { learningRate, freezeLearningRate = learningRate, schedule, warmUpEpochs } = run.recipe;
  const rate = isFrozen(run)
    ? { option: "freezeLearningRate", wholeRate: freezeLearningRate } as const
    : { option: "learningRate", wholeRate: learningRate } as const;
  return divergenceError({
    found,
    learningRate: currentLearningRate(run),
    ...rate,
    // One cycle begins low by itself, and refuses a warm-up; the fine-tuning of a quantised network has none.
    mayWarmUp: schedule !== "oneCycle" && warmUpEpochs < 3 && run.quantization === undefined,
    outputDir: run.outputDir,
    hasBest: run.savesBest !== false && bestRecord(run.state) !== undefined,
  });
}

/** E.g. `epoch 2, step 3 of 40`, both counted from 1: the last step that was taken. */
function position({ state, trainLoader }: Run): string {
  return `epoch ${state.epoch + 1}, step ${state.step} of ${trainLoader.stepsPerEpoch}`;
}
