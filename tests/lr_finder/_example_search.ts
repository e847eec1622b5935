/** An imagined search, as results and as events, for views and readers. */
import type { LRSearchEvent } from "../../lib/lr_finder/events.ts";
import type { Trial } from "../../lib/lr_finder/trial.ts";
import type { SearchSummary } from "../../lib/notebook/find_lr_view.ts";
import { settleSearch } from "../../lib/lr_finder/settings.ts";
import { modelRecord } from "../../lib/models/registry.ts";

const model = "mobilenetv3_small_100.lamb_in1k";
const search = { ...settleSearch(modelRecord(model), 32, {}), trials: 5, epochs: 2 };

/** A trial of each kind. */
export const exampleTrials: readonly Trial[] = [
  { number: 0, learningRate: 0.0025, values: [0.5, 0.7], state: "complete" },
  { number: 1, learningRate: 0.005, values: [0.6, 0.85], state: "complete" },
  { number: 2, learningRate: 0.0015, values: [0.4], state: "pruned" },
  { number: 3, learningRate: 0.005, values: [], state: "duplicate" },
  { number: 4, learningRate: 0.0075, values: [0.5], state: "failed" },
];

/** What came of them. */
export const exampleSearch: SearchSummary = {
  model,
  search,
  trials: exampleTrials,
  points: [],
  suggestion: 0.005,
  verdict: "clear",
  rule: "the rate of the trial with the best validation top-1 after 2 epochs, trial 2 of 5",
  reason: "Its top-1 of 85.0 % is 15.0 points above the other's.",
  stopped: "completed",
  validationSize: 200,
  durationSeconds: 75,
};

/** A range test that found something. */
export const exampleRangeTest: SearchSummary = {
  ...exampleSearch,
  search: { ...search, mode: "fast_ai", minLearningRate: 0.0001, maxLearningRate: 1 },
  trials: [],
  points: Array.from({ length: 41 }, (_, step) => {
    const learningRate = 0.0001 * 10 ** (step / 10);
    const smoothedLoss = 1 + 1 / (1 + (learningRate / 0.01) ** 2) + 3 * learningRate ** 2;
    return { learningRate, loss: smoothedLoss + 0.2 * (-1) ** step, smoothedLoss };
  }),
  suggestion: 0.0001 * 10 ** (18 / 10),
  rule:
    "the rate at which the smoothed loss falls most steeply, the first 10 and the last 5 steps left aside",
  reason: "The loss falls there.",
};

/** What the search said while it went. */
export function exampleSearchEvents(): LRSearchEvent[] {
  const step = (trial: number, step: number): LRSearchEvent => ({
    type: "search-step",
    trial,
    epoch: 0,
    step,
    stepsPerEpoch: 2,
    loss: 1 - 0.25 * step,
    learningRate: exampleTrials[trial]!.learningRate,
    isRangeTest: false,
    imagesPerSecond: 46.06,
    elapsedSeconds: 10 * trial,
    remainingSeconds: 70 - 10 * trial,
  });
  return [
    {
      type: "search-start",
      model,
      mode: "tpe",
      minLearningRate: search.minLearningRate,
      maxLearningRate: search.maxLearningRate,
      trials: 5,
      trialsDone: 0,
      epochs: 2,
      stepsPerEpoch: 2,
      trainSize: 8,
      validationSize: 200,
      batchSize: 4,
      epochsToCome: 10,
      estimatedSeconds: 80,
      device: "cpu (oneDNN 3.2.0)",
      outputDir: "outputs/x",
      message: "Looking for the learning rate: 5 trials. It takes at most 10 epochs",
    },
    ...exampleTrials.flatMap((trial): LRSearchEvent[] => [
      ...(trial.values.length === 0 ? [] : [step(trial.number, 0), step(trial.number, 1)]),
      {
        type: "search-trial",
        trial,
        best: exampleTrials[Math.min(trial.number, 1)],
        elapsedSeconds: 10 * trial.number,
        remainingSeconds: 60 - 10 * trial.number,
      },
    ]),
    { type: "warning", message: "1 picture was skipped" },
    {
      type: "search-end",
      stopped: "completed",
      suggestion: 0.005,
      verdict: "clear",
      rule: exampleSearch.rule,
      reason: exampleSearch.reason,
      elapsedSeconds: 75,
    },
  ];
}
