/** A step with layer decay and a cycled momentum, and steps of a classifier on fixed features, against PyTorch. */
import assert from "node:assert/strict";
import type { Preprocessing } from "../../lib/data/preprocessing.ts";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { classifierNetwork, classifierOnly } from "../../lib/models/classifier.ts";
import { activate, batchNorm, convolution, pool, sequential } from "../../lib/models/layers.ts";
import type { ClassifierHead } from "../../lib/models/network.ts";
import { fromTfjsLayout, toTfjsLayout } from "../../lib/models/weights/layouts.ts";
import { sigmoid } from "../../lib/operators/activations.ts";
import { compile } from "../../lib/tensorflow/compile.ts";
import { oneCycle } from "../../lib/training/one_cycle.ts";
import { initialState, recordTrainStep } from "../../lib/training/train_step.ts";
import { generate, type Stored } from "../operators/_check.ts";

interface Oracle {
  batchSize: number;
  side: number;
  classes: number;
  channels: number;
  rho: number;
  weightDecay: number;
  epsilon: number;
  layerDecay: number;
  steps: number;
  rate: number;
  labels: number[];
  losses: number[];
  state: Record<string, Stored>;
  labelSmoothing: number;
  margin: number;
  scale: number;
  headMomentum: number;
  headRate: number;
  heads: Record<ClassifierHead, { losses: number[]; correct: number[]; state: Record<string, Stored> }>;
}
const oracle: Oracle = JSON.parse(
  Deno.readTextFileSync(new URL("../oracles/training/phases_step.json", import.meta.url)),
);
const { batchSize, side, classes, channels, epsilon } = oracle;
const scalar = (value: number): HostTensor => ({
  dtype: "float32",
  shape: [],
  data: Float32Array.of(value),
});
const labels: HostTensor = { dtype: "int32", shape: [batchSize], data: Int32Array.from(oracle.labels) };

function network(head: ClassifierHead) {
  const body = sequential(
    convolution("conv_stem", { inChannels: 3, outChannels: channels, kernel: 3 }),
    batchNorm("bn1", channels, epsilon),
    activate(sigmoid),
    convolution("blocks.0.0.conv_pw", { inChannels: channels, outChannels: channels }),
    batchNorm("blocks.0.0.bn1", channels, epsilon),
    activate(sigmoid),
    pool(),
  );
  return classifierNetwork(body, { channels, numClasses: classes, head });
}

const hashed = (name: string, shape: number[], offset = 0) =>
  generate(name, shape, Math.fround(0.3), Math.fround(offset));

/** The oracle's first weights: the hash of each name in PyTorch's layout. */
const weights: Record<string, HostTensor> = Object.fromEntries(
  Object.entries(oracle.state).map(([name, { shape }]) => {
    const offset = name.endsWith("running_var") || name.endsWith("bn1.weight") ? 1 : 0;
    return [name, toTfjsLayout(name, hashed(name, shape, offset))];
  }),
);

function assertState(found: Readonly<Record<string, HostTensor>>, wanted: Record<string, Stored>): void {
  for (const [name, { data }] of Object.entries(wanted)) {
    const key = [`parameters/${name}`, `statistics/${name}`].find((key) => key in found)!;
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

const preprocessing: Preprocessing = {
  size: { height: side, width: side },
  interpolation: "bilinear",
  channelOrder: "rgb",
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
};

for (const executor of ["tensorflow", "onednn"] as const) {
  Deno.test(`steps with layer decay, one cycle, SAM and no bias decay are PyTorch's, by ${executor}`, async () => {
    const graph = recordTrainStep({
      network: network("linear"),
      preprocessing,
      batchSize,
      loss: {},
      optimizer: {
        momentum: 0.5, // never: the input counts
        weightDecay: oracle.weightDecay,
        noBiasDecay: true,
        layerDecay: oracle.layerDecay,
      },
      cyclesMomentum: true,
      sam: { rho: oracle.rho },
    });
    const variables = initialState(network("linear"), weights);
    await using step = compile(graph, { executor, variables });
    const cycle = oneCycle(oracle.rate, oracle.steps);
    const data = Uint8Array.from({ length: batchSize * side * side * 3 }, (_, i) => i * 7919 % 256);
    for (const [index, wanted] of oracle.losses.entries()) {
      const { learningRate, momentum } = cycle(index);
      const { loss } = await step.run({
        images: { dtype: "uint8", shape: [batchSize, side, side, 3], data },
        labels,
        learningRate: scalar(learningRate),
        momentum: scalar(momentum!),
      });
      const found = loss!.data[0] as number;
      assert.ok(Math.abs(found - wanted) < 2e-6 * wanted, `loss ${index} is ${found}, not ${wanted}`);
    }
    const state = await step.read();
    assertState(state, oracle.state);
    // The stem moved, or else its scale would not have been seen.
    const stem = "conv_stem.weight";
    const moved = (state[`parameters/${stem}`]!.data as Float32Array)
      .some((value, index) => Math.abs(value - Number(weights[stem]!.data[index]!)) > 1e-4);
    assert.ok(moved);
  });

  for (const head of ["linear", "cosine"] as const) {
    Deno.test(`steps of a ${head} classifier on features are PyTorch's, by ${executor}`, async () => {
      const classifier = classifierOnly(network(head));
      const graph = recordTrainStep({
        network: classifier,
        preprocessing,
        batchSize,
        input: "features",
        loss: { labelSmoothing: oracle.labelSmoothing },
        optimizer: { momentum: oracle.headMomentum, weightDecay: oracle.weightDecay, noBiasDecay: true },
        margin: head === "cosine" ? oracle.margin : 0,
        dropout: 0.5,
      });
      const { state: stored, losses, correct } = oracle.heads[head];
      const first = Object.fromEntries(
        Object.entries(stored).map(([name, { shape }]) => [
          name,
          toTfjsLayout(name, hashed(`${head}/${name}`, shape)),
        ]),
      );
      const scale: Record<string, HostTensor> = head === "cosine"
        ? { "classifier.scale": scalar(oracle.scale) }
        : {};
      const variables = initialState(classifier, { ...first, ...scale });
      await using step = compile(graph, { executor, variables });
      const features = {
        ...hashed(`${head}/features`, [batchSize, channels], 0.2),
        shape: [batchSize, 1, 1, channels],
      };
      for (const [index, wanted] of losses.entries()) {
        const mask = Float32Array.from(
          { length: batchSize * channels },
          (_, at) => (at + index) % 2 === 0 ? 2 : 0,
        );
        const outputs = await step.run({
          features,
          labels,
          learningRate: scalar(oracle.headRate),
          "dropout/0": { dtype: "float32", shape: [batchSize, channels], data: mask },
        });
        const loss = outputs["loss"]!.data[0] as number;
        assert.ok(Math.abs(loss - wanted) < 2e-6 * wanted, `loss ${index} is ${loss}, not ${wanted}`);
        assert.equal(outputs["correct"]!.data[0], correct[index]);
      }
      const state = await step.read();
      assertState(state, stored);
      if (head === "cosine") {
        assert.deepEqual(state["statistics/classifier.scale"]!.data, Float32Array.of(oracle.scale));
      }
    });
  }
}
