import assert from "node:assert/strict";
import { settingsOf } from "../../bench/ablation/runs.ts";
import {
  besideTable,
  commonTop1,
  type Contestant,
  secondsTo,
  type TorchComparison,
  type TorchRun,
} from "../../bench/beside_torch/comparison.ts";

const run = (contestant: Contestant, seed: number, accuracies: readonly number[], factor = 1): TorchRun => ({
  contestant,
  seed,
  testTop1: accuracies.at(-1)!,
  bestEpoch: accuracies.length - 1,
  ready: { processorSeconds: 2 * factor, seconds: 9 },
  done: { processorSeconds: 20 * factor, seconds: 99 },
  epochs: accuracies.map((validationTop1, epoch) => ({
    validationTop1,
    trainLoss: 1,
    processorSeconds: 10 * (epoch + 1) * factor,
    seconds: 99,
  })),
  peakMemoryBytes: 500e6 * factor,
  versions: {},
});
const comparison: TorchComparison = {
  command: "",
  machine: { processor: "", cores: 1, memoryBytes: 1, system: "" },
  settings: { ...settingsOf("lite0"), configuration: "adaptive", learningRate: 0.1 },
  runs: [
    run("whittle", 0, [0.5, 0.8]),
    run("torch", 0, [0.7, 0.75], 2),
    run("whittle", 1, [0.7, 0.9]),
    run("torch", 1, [0.8, 0.7], 3),
  ],
};

Deno.test("commonTop1() is what the worst of all runs reaches", () => {
  assert.equal(commonTop1(comparison), 0.75);
  assert.deepEqual(comparison.runs.map((run) => secondsTo(0.75, run)), [20, 40, 20, 30]);
});

Deno.test("besideTable() has a row for each program", () => {
  assert.deepEqual(besideTable(comparison).split("\n").slice(2), [
    "| Whittle | 85.0 % (80.0 % to 90.0 %) | 20 s (20 s to 20 s) | 20 s (20 s to 20 s) | 2.0 s (2.0 s to 2.0 s) | " +
    "500 MB (500 MB to 500 MB) |",
    "| PyTorch | 72.5 % (70.0 % to 75.0 %) | 35 s (30 s to 40 s) | 50 s (40 s to 60 s) | 5.0 s (4.0 s to 6.0 s) | " +
    "1250 MB (1000 MB to 1500 MB) |",
  ]);
});
