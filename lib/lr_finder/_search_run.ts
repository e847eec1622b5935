import type { DatasetSplits } from "../data/dataset.ts";
import type { Model } from "../models/model.ts";
import { type Clock, startClock } from "../training/clock.ts";
import { plural } from "../plots/theme.ts";
import { formatDuration } from "../training/readers/format.ts";
import type { TrialBench } from "./_bench.ts";
import type { Cost } from "./_cost.ts";
import { bestTrial } from "./best_trial.ts";
import type { LRSearchEvent, SearchStartEvent } from "./events.ts";
import { gridRates, nextGridRate } from "./grid_search.ts";
import { shouldPrune, STARTUP_TRIALS } from "./median_pruner.ts";
import { isDiverged, type RangeTestPoint, rangeTestRates, smoothLosses } from "./range_test.ts";
import type { SearchState } from "./search_state.ts";
import type { LRSearch } from "./settings.ts";
import { suggestTpe } from "./tpe.ts";
import { type Trial, wasTried } from "./trial.ts";

/** A search with what it runs on. */
export interface Search {
  readonly model: Model;
  readonly bench: TrialBench;
  /** Where the search stands. */
  state: SearchState;
  readonly cost: Cost;
  readonly outputDir: string;
  readonly signal: AbortSignal;
  readonly emit: (event: LRSearchEvent) => void | Promise<void>;
}

/** Writes the state with changes. */
type Save = (change: Partial<SearchState>) => Promise<void>;

/** The fewest steps of a range test: fastai's. A small set is gone through several times for them. */
const fewestSteps = 100;

/** Trials of the whole search. A grid may have fewer rates than there could be trials. */
function trialsOf({ search }: SearchState): number {
  if (search.mode === "fast_ai") return 1;
  return search.mode === "grid_search" ? Math.min(search.trials, gridRates(search).length) : search.trials;
}

/** Steps of a range test. */
function rangeSteps({ bench: { trainLoader } }: Search): number {
  return Math.max(fewestSteps, trainLoader.stepsPerEpoch);
}

/** Epochs of a trial, or of a range test with its warm-up. */
function epochsOfTrial(search: Search): number {
  const { mode, epochs, warmUpEpochs } = search.state.search;
  return mode === "fast_ai"
    ? warmUpEpochs + rangeSteps(search) / search.bench.trainLoader.stepsPerEpoch
    : epochs;
}

/** Whether a trial of the search may end early. */
function canPrune({ mode, pruning }: LRSearch, trials: number): boolean {
  return mode !== "fast_ai" && pruning === "median" && trials > STARTUP_TRIALS;
}

/** Epochs that are to come at most. */
export function epochsToCome(search: Search): number {
  return (trialsOf(search.state) - search.state.trials.length) * epochsOfTrial(search);
}

/** What is told before a search begins. */
export function startEvent(
  search: Search,
  data: DatasetSplits,
  estimatedSeconds: number,
): SearchStartEvent {
  const { state, bench: { trainLoader } } = search;
  const { mode, minLearningRate, maxLearningRate, step, epochs, warmUpEpochs } = state.search;
  const trials = trialsOf(state), pictures = data.train.samples.length;
  const toCome = epochsToCome(search);
  const range = `from ${minLearningRate} to ${maxLearningRate}`;
  const done = state.trials.length === 0 ? "" : `, ${state.trials.length} of which are done`;
  const plan = mode === "fast_ai"
    ? `a range test of ${rangeSteps(search)} steps ${range}, after ${
      plural(warmUpEpochs, "epoch")
    } of warm-up`
    : `${plural(trials, "trial")} of ${plural(epochs, "epoch")} at rates ${range} in steps of ${step}, ` +
      `chosen by ${mode === "tpe" ? "TPE" : "grid search"}${done}`;
  const most = mode === "fast_ai" ? "" : "at most ";
  const message = `Looking for the learning rate: ${plan}. It takes ${most}` +
    `${plural(Number(toCome.toFixed(1)), "epoch")} of ${plural(pictures, "picture")}, ` +
    `about ${formatDuration(estimatedSeconds)}` +
    (canPrune(state.search, trials) ? ", less if trials are pruned" : "");
  return {
    type: "search-start",
    model: state.model,
    mode,
    minLearningRate,
    maxLearningRate,
    trials,
    trialsDone: state.trials.length,
    epochs: epochsOfTrial(search),
    stepsPerEpoch: trainLoader.stepsPerEpoch,
    trainSize: pictures,
    validationSize: data.validation.samples.length,
    batchSize: trainLoader.batchSize,
    epochsToCome: toCome,
    estimatedSeconds,
    device: `${state.environment.device} (${state.environment.library})`,
    outputDir: search.outputDir,
    message,
  };
}

/** Runs the trials that are not done yet, as far as the user lets it. */
export async function runTrials(search: Search, save: Save): Promise<void> {
  const { cost, emit } = search;
  while (search.state.trials.length < trialsOf(search.state)) {
    const { trials, search: settings, seed } = search.state;
    const learningRate = settings.mode === "grid_search"
      ? nextGridRate(gridRates(settings), trials, seed)!
      : suggestTpe(settings, trials, seed);
    const trial: Trial | undefined = wasTried(trials, learningRate)
      ? { number: trials.length, learningRate, values: [], state: "duplicate" }
      : await runTrial(search, learningRate);
    if (trial === undefined) return;
    await save({ trials: [...trials, trial] });
    await emit({
      type: "search-trial",
      trial,
      best: bestTrial(search.state.trials),
      elapsedSeconds: cost.elapsedSeconds(),
      remainingSeconds: cost.secondsFor(epochsToCome(search)),
    });
  }
  await save({ done: true });
}

/** Trains at one rate. Returns nothing if the user stopped the search. */
async function runTrial(search: Search, learningRate: number): Promise<Trial | undefined> {
  const { bench, cost, signal, emit, state: { trials, search: settings } } = search;
  const number = trials.length;
  const values: number[] = [];
  const end = (state: Trial["state"]): Trial => ({ number, learningRate, values, state });
  const clock = startClock();
  await bench.reset();
  for (let epoch = 0; epoch < settings.epochs; epoch++) {
    const losses = await trainEpoch(search, clock, epoch, () => learningRate);
    if (losses === undefined) return undefined;
    if (!losses.every(Number.isFinite)) return end("failed");
    const validationTop1 = await bench.validationTop1(signal);
    if (validationTop1 === undefined) return undefined;
    if (Number.isNaN(validationTop1)) return end("failed");
    values.push(validationTop1);
    cost.done(1);
    clock.pause();
    const trainLoss = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    await emit({ type: "search-epoch", trial: number, learningRate, epoch, trainLoss, validationTop1 });
    if (settings.pruning === "median" && shouldPrune(trials, values)) return end("pruned");
  }
  return end("complete");
}

/** A range test with its warm-up: the rate rises with every step until the loss has become too large. */
export async function runRangeTest(search: Search, save: Save): Promise<void> {
  const { bench: { trainLoader, ...bench }, cost, state: { recipe, search: settings } } = search;
  const clock = startClock();
  await bench.reset();
  for (let epoch = 0; epoch < settings.warmUpEpochs; epoch++) {
    const losses = await trainEpoch(search, clock, epoch, () => recipe.learningRate);
    if (losses === undefined) return;
    if (!losses.every(Number.isFinite)) return await save({ points: [], done: true });
    cost.done(1);
  }
  const steps = rangeSteps(search), { stepsPerEpoch } = trainLoader;
  const rates = rangeTestRates(settings.minLearningRate, settings.maxLearningRate, steps);
  const points: RangeTestPoint[] = [];
  let diverged = false;
  const look = (loss: number, learningRate: number) => {
    const before = points.at(-1)?.smoothedLoss;
    const smoothedLoss = before === undefined ? loss : smoothLosses([before, loss], settings.smoothing)[1]!;
    if (Number.isFinite(loss)) points.push({ learningRate, loss, smoothedLoss });
    diverged = !Number.isFinite(loss) || isDiverged(points.map((point) => point.smoothedLoss));
    return !diverged;
  };
  for (let from = 0; from < steps && !diverged; from += stepsPerEpoch) {
    const epoch = settings.warmUpEpochs + from / stepsPerEpoch;
    const losses = await trainEpoch(search, clock, epoch, (step) => rates[from + step], look);
    if (losses === undefined) return;
    cost.done(losses.length / stepsPerEpoch);
  }
  await save({ points, done: true });
}

/**
 * Takes the steps of an epoch.
 *
 * @param search The search.
 * @param clock Of the speed.
 * @param epoch 0-based epoch.
 * @param rateOf The rate of a step; none: the epoch ends before it.
 * @param goesOn Looks at a range test's step, and says whether another may follow.
 * @returns The losses of the steps that were taken, the last one perhaps not finite; `undefined` if the user stopped.
 */
async function trainEpoch(
  search: Search,
  clock: Clock,
  epoch: number,
  rateOf: (step: number) => number | undefined,
  goesOn?: (loss: number, learningRate: number) => boolean,
): Promise<number[] | undefined> {
  const { bench: { trainLoader, ...bench }, cost, signal, emit, state: { trials } } = search;
  const { stepsPerEpoch } = trainLoader;
  const losses: number[] = [];
  for await (const batch of trainLoader.epoch(epoch)) {
    const step = losses.length, learningRate = rateOf(step);
    if (learningRate === undefined) break;
    if (signal.aborted) return undefined;
    const loss = await bench.step(batch, { epoch, step }, learningRate);
    losses.push(loss);
    const epochsDone = epoch + (step + 1) / stepsPerEpoch;
    await emit({
      type: "search-step",
      trial: trials.length,
      epoch,
      step,
      stepsPerEpoch,
      loss,
      learningRate,
      isRangeTest: goesOn !== undefined,
      imagesPerSecond: clock.stepDone(batch.count),
      elapsedSeconds: cost.elapsedSeconds(),
      remainingSeconds: cost.secondsFor(Math.max(0, epochsToCome(search) - epochsDone)),
    });
    if (!Number.isFinite(loss) || goesOn?.(loss, learningRate) === false) break;
  }
  return losses;
}
