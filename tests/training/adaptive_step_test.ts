/**
 * All techniques in one step - mutual learning of two networks, AM-softmax, dropout, SAM, no bias decay, a moving
 * average - against PyTorch, by both executors; and the same with pictures mixed of two, label smoothing and class
 * weights.
 */
import assert from "node:assert/strict";
import type { Preprocessing } from "../../lib/data/preprocessing.ts";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { classifierNetwork } from "../../lib/models/classifier.ts";
import { activate, batchNorm, convolution, pool, sequential } from "../../lib/models/layers.ts";
import type { ClassifierHead } from "../../lib/models/network.ts";
import { fromTfjsLayout, toTfjsLayout } from "../../lib/models/weights/layouts.ts";
import { sigmoid } from "../../lib/operators/activations.ts";
import { compile } from "../../lib/tensorflow/compile.ts";
import { initialState, recordTrainStep } from "../../lib/training/train_step.ts";
import { generate, type Stored } from "../operators/_check.ts";

interface Oracle {
  batchSize: number;
  side: number;
  classes: number;
  channels: number;
  rho: number;
  momentum: number;
  weightDecay: number;
  ema: number;
  epsilon: number;
  margin: number;
  scale: number;
  dropout: number;
  factor: number;
  rates: number[];
  meanStd: [Preprocessing["mean"], Preprocessing["std"]][];
  labels: number[];
  masks: number[][];
  labelWeights?: number[];
  labelSmoothing?: number;
  classWeights?: number[];
  losses: number[];
  correct: number[];
  main: Record<string, Stored>;
  auxiliary: Record<string, Stored>;
  average: Record<string, Stored>;
}
const readOracle = (name: string): Oracle =>
  JSON.parse(Deno.readTextFileSync(new URL(`../oracles/training/${name}.json`, import.meta.url)));
const oracle = readOracle("adaptive_step"), mixedOracle = readOracle("mixed_step");
const { batchSize, side, classes, channels } = oracle;

function network(head: ClassifierHead) {
  const body = sequential(
    convolution("conv", { inChannels: 3, outChannels: channels, kernel: 3 }),
    batchNorm("bn", channels, oracle.epsilon),
    activate(sigmoid),
    pool(),
  );
  return classifierNetwork(body, { channels, numClasses: classes, head });
}

/** The oracle's first weights: the hash of each name in PyTorch's layout. */
function weightsOf(prefix: string, stored: Record<string, Stored>): Record<string, HostTensor> {
  return Object.fromEntries(
    Object.entries(stored).map(([name, { shape }]) => {
      const offset = name.endsWith("running_var") || name === "bn.weight" ? 1 : 0;
      return [name, toTfjsLayout(name, generate(`${prefix}${name}`, shape, Math.fround(0.3), offset))];
    }),
  );
}

const main = network("linear"), auxiliary = network("cosine");
const scale: HostTensor = { dtype: "float32", shape: [], data: Float32Array.of(oracle.scale) };
const mainWeights = weightsOf("main/", oracle.main);
const auxiliaryWeights = { ...weightsOf("aux/", oracle.auxiliary), "classifier.scale": scale };
const preprocessing = (index: number): Preprocessing => ({
  size: { height: side, width: side },
  interpolation: "bilinear",
  channelOrder: "rgb",
  mean: oracle.meanStd[index]![0],
  std: oracle.meanStd[index]![1],
});

const graphOf = ({ labelWeights, labelSmoothing, classWeights }: Oracle) =>
  recordTrainStep({
    network: main,
    preprocessing: preprocessing(0),
    batchSize,
    loss: { labelSmoothing, classWeights },
    mixed: labelWeights !== undefined,
    optimizer: { momentum: oracle.momentum, weightDecay: oracle.weightDecay, noBiasDecay: true },
    sam: { rho: oracle.rho },
    ema: { decay: oracle.ema },
    auxiliary: [{
      network: auxiliary,
      preprocessing: preprocessing(1),
      margin: oracle.margin,
      dropout: oracle.dropout,
      learningRateFactor: oracle.factor,
    }],
  });
const variables = initialState(main, mainWeights, {
  ema: { decay: oracle.ema },
  auxiliary: [{ network: auxiliary, weights: auxiliaryWeights }],
});

const steps = [["", oracle], [" and mixed pictures", mixedOracle]] as const;

for (
  const [executor, [what, oracle]] of (["tensorflow", "onednn"] as const).flatMap((executor) =>
    steps.map((step) => [executor, step] as const)
  )
) {
  Deno.test(`a step with every technique${what} is PyTorch's, by ${executor}`, async () => {
    await using step = compile(graphOf(oracle), { executor, variables });
    assert.equal(step.executor.name, executor);
    for (const [index, rate] of oracle.rates.entries()) {
      const data = Uint8Array.from({ length: batchSize * side * side * 3 }, (_, i) => i * 7919 % 256);
      const { loss, correct } = await step.run({
        images: { dtype: "uint8", shape: [batchSize, side, side, 3], data },
        labels: { dtype: "int32", shape: [batchSize], data: Int32Array.from(oracle.labels) },
        ...(oracle.labelWeights && {
          otherLabels: { dtype: "int32", shape: [batchSize], data: Int32Array.from(oracle.labels).reverse() },
          labelWeight: { dtype: "float32", shape: [], data: Float32Array.of(oracle.labelWeights[index]!) },
        }),
        learningRate: { dtype: "float32", shape: [], data: Float32Array.of(rate) },
        "dropout/1": {
          dtype: "float32",
          shape: [batchSize, channels],
          data: Float32Array.from(oracle.masks[index]!),
        },
      });
      const wanted = oracle.losses[index]!;
      assert.ok(
        Math.abs(loss!.data[0] as number - wanted) < 2e-6 * wanted,
        `loss ${loss!.data[0]}, not ${wanted}`,
      );
      assert.equal(correct!.data[0], oracle.correct[index]);
    }
    const found = await step.read();
    for (
      const [prefixes, stored] of [
        [["parameters/", "statistics/"], oracle.main],
        [["auxiliary/1/parameters/", "auxiliary/1/statistics/"], oracle.auxiliary],
        [["average/"], oracle.average],
      ] as const
    ) {
      for (const [name, { data }] of Object.entries(stored)) {
        const key = prefixes.map((prefix) => prefix + name).find((key) => key in found)!;
        const values = fromTfjsLayout(name, found[key]!).data as Float32Array;
        const largest = Math.max(...data.map(Math.abs));
        data.forEach((value, index) =>
          assert.ok(
            Math.abs(values[index]! - value) <= 3e-6 * largest,
            `${key}[${index}] is ${values[index]}, not ${value}`,
          )
        );
      }
    }
    assert.deepEqual(found["auxiliary/1/statistics/classifier.scale"]!.data, Float32Array.of(oracle.scale));
  });
}
