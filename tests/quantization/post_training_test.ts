import assert from "node:assert/strict";
import { type Dataset, dataset } from "../../lib/data/dataset.ts";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import type { Model } from "../../lib/models/model.ts";
import { foldNetwork } from "../../lib/models/quantized/folded_network.ts";
import type { Quantization } from "../../lib/models/quantized/quantization.ts";
import { createQuantizedNetwork } from "../../lib/models/quantized/quantized_network.ts";
import type { Network } from "../../lib/models/network.ts";
import { replay } from "../../lib/models/quantized/replay.ts";
import { compareLayers, type Comparison } from "../../lib/quantization/compare_layers.ts";
import { observeValues } from "../../lib/quantization/observe.ts";
import { calibrationLoader, quantizeAfterTraining } from "../../lib/quantization/post_training.ts";
import { predictionDivergence } from "../../lib/quantization/prediction_divergence.ts";
import { chooseRange, rangeMethods } from "../../lib/quantization/ranges.ts";
import { withFloatLayers } from "../../lib/quantization/with_float_layers.ts";
import { normaliseImages } from "../../lib/operators/normalise_images.ts";
import { openExecutor } from "../../lib/tensorflow/executor.ts";
import { tf } from "../../lib/tensorflow/mod.ts";
import { imageBytes } from "../models/hash_weights.ts";
import { smallNetwork, smallPreprocessing, weightsOf } from "../models/_small_network.ts";
import { failure } from "../training/_runs.ts";

await openExecutor();
const network = smallNetwork(), preprocessing = smallPreprocessing;
const folded = foldNetwork(network, preprocessing.size);
const float = folded.fold(weightsOf(network));
/** What of a model quantising reads. */
const model = { network, preprocessing, weights: weightsOf(network) } as unknown as Model;
const count = 10, bytes = imageBytes(0, count, 8, 8), each = 8 * 8 * 3;
const pictures: Dataset = dataset(
  Array.from({ length: count }, (_, index) => ({
    image: { width: 8, height: 8, channels: 3, data: bytes.slice(index * each, (index + 1) * each) },
    label: 0,
    name: `${index}`,
  })),
  ["a", "b", "c"],
);
const settings = { weightBits: 7, ranges: "meanMinMax", adaptStatistics: false, batchSize: 5 } as const;

/** What each picture gives at each point, computed op by op. */
function valuesAt(): Record<string, Float32Array[]> {
  const seen: Record<string, Float32Array[]> = {};
  tf.tidy(() => {
    const params = Object.fromEntries(
      Object.entries(float).map((
        [name, { data, shape }],
      ) => [name, tf.tensor(data as Float32Array, [...shape])]),
    );
    for (let index = 0; index < count; index++) {
      const picture = tf.tensor4d(bytes.slice(index * each, (index + 1) * each), [1, 8, 8, 3], "int32");
      const look = (part: "body" | "classifier") => ({
        value(id: number, value: tf.Tensor) {
          const point = folded.points.find((point) => point.part === part && point.value === id);
          if (point !== undefined) (seen[point.name] ??= []).push(value.dataSync() as Float32Array);
          return value;
        },
      });
      const images = normaliseImages(picture, preprocessing);
      const { features } = replay(folded.body.graph, { ...params, images }, look("body"));
      replay(folded.classifier.graph, { ...params, features: features! }, look("classifier"));
    }
  });
  return seen;
}

for (const batchSize of [5, 4]) {
  Deno.test(`observeValues() in batches of ${batchSize} counts what each picture gives`, async () => {
    const progress: [number, number][] = [];
    const observed = await observeValues({
      folded,
      weights: float,
      preprocessing,
      loader: calibrationLoader(pictures, model, batchSize),
      onProgress: (done, total) => progress.push([done, total]),
    });
    const wanted = valuesAt();
    assert.deepEqual(Object.keys(observed).sort(), Object.keys(wanted).sort());
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    for (const [name, { meanMin, meanMax, histogram: { low, high, counts } }] of Object.entries(observed)) {
      const rows = wanted[name]!, all = rows.flatMap((row) => [...row]);
      const near = (found: number, value: number) =>
        assert.ok(Math.abs(found - value) < 1e-5, `${name}: ${found}, ${value}`);
      near(meanMin, mean(rows.map((row) => Math.min(...row))));
      near(meanMax, mean(rows.map((row) => Math.max(...row))));
      near(low, Math.min(...all));
      near(high, Math.max(...all));
      assert.equal(
        counts.reduce((sum, value) => sum + value, 0),
        all.length,
        "rows that are no pictures do not count",
      );
      // Up to one bin, as many numbers are below the middle.
      const middle = (low + high) / 2, half = counts.slice(0, counts.length / 2).reduce((a, b) => a + b, 0);
      const width = (high - low) / counts.length;
      assert.ok(half >= all.filter((value) => value < middle - width).length);
      assert.ok(half <= all.filter((value) => value < middle + width).length);
    }
    const steps = 2 * Math.ceil(count / batchSize) * batchSize;
    assert.deepEqual(progress.at(-1), [steps, steps]);
  });
}

function comparison(parts: Partial<Comparison> = {}): Comparison {
  return {
    folded,
    quantization: { weightBits: 7, floatLayers: folded.layers.map(({ name }) => name) },
    float,
    quantized: float,
    preprocessing,
    loader: calibrationLoader(pictures, model, 5),
    adapt: false,
    ...parts,
  };
}

/** The weights with a change of one of them. */
function changed(name: string, of: (value: number, index: number) => number): Record<string, HostTensor> {
  const { shape, data } = float[name]!;
  return { ...float, [name]: { dtype: "float32", shape, data: Float32Array.from(data as Float32Array, of) } };
}

Deno.test("compareLayers() of a network with itself finds no difference", async () => {
  const progress: number[][] = [];
  const loader = calibrationLoader(pictures, model, 4); // the last two pictures fill no batch
  const found = await compareLayers(comparison({ loader, onProgress: (...of) => progress.push(of) }));
  assert.deepEqual(progress, [[4, 12], [8, 12], [12, 12]]);
  assert.deepEqual(Object.keys(found), folded.layers.map(({ name }) => name));
  for (const [name, { meanDifference, decibels }] of Object.entries(found)) {
    assert.ok(meanDifference.every((value) => value === 0), name);
    assert.equal(meanDifference.length, folded.layers.find((layer) => layer.name === name)!.outChannels);
    assert.ok(decibels > 1000, `${name}: ${decibels}`);
  }
});

Deno.test("compareLayers() finds a mean that is off, and gives it back before the next layer when it adapts", async () => {
  const shift = [0.5, -0.25, 0, 1];
  const quantized = changed("bn1.bias", (value, channel) => value - shift[channel]!);
  for (const adapt of [false, true]) {
    const found = await compareLayers(comparison({ quantized, adapt }));
    found["conv_stem"]!.meanDifference.forEach((value, channel) =>
      assert.ok(Math.abs(value - shift[channel]!) < 1e-5, `${value}`)
    );
    const next = Math.max(...found["block.conv_dw"]!.meanDifference.map(Math.abs));
    if (adapt) assert.ok(next < 1e-5, `${next}`);
    else assert.ok(next > 1e-2, `${next}`);
  }
});

Deno.test("compareLayers() takes rows without a picture for none", async () => {
  const [first] = pictures.samples;
  const unreadable = { ...first!, image: Uint8Array.of(1, 2, 3) };
  const quantized = changed("conv_stem.weight", (value) => 0.8 * value);
  const compare = (samples: Dataset["samples"]) => {
    const loader = calibrationLoader({ ...pictures, samples }, model, 3, { onUnreadable: "skip" });
    return compareLayers(comparison({ quantized, loader }));
  };
  const wanted = await compare(Array(3).fill(first));
  // One batch with a hole, one without any picture, and a last one that is not full.
  const found = await compare([first!, unreadable, first!, unreadable, unreadable, unreadable, first!]);
  for (const [name, { meanDifference, decibels }] of Object.entries(wanted)) {
    assert.ok(
      Math.abs(found[name]!.decibels - decibels) < 1e-3,
      `${name}: ${found[name]!.decibels}, ${decibels}`,
    );
    meanDifference.forEach((value, at) =>
      assert.ok(Math.abs(found[name]!.meanDifference[at]! - value) < 1e-5)
    );
  }
});

Deno.test("compareLayers() measures noise in decibels", async () => {
  // Of the classifier's result a tenth is missing: the noise is 1/100 of the signal's squares.
  const quantized = {
    ...changed("classifier.weight", (value) => 0.9 * value),
    "classifier.bias": changed("classifier.bias", (value) => 0.9 * value)["classifier.bias"]!,
  };
  const found = await compareLayers(comparison({ quantized }));
  assert.ok(Math.abs(found["classifier"]!.decibels - 20) < 1e-3, `${found["classifier"]!.decibels}`);
});

Deno.test("quantizeAfterTraining() has the ranges that were observed, one for each point and filter", async () => {
  const steps = new Set<string>();
  const { weights, quantization, float: before } = await quantizeAfterTraining(model, pictures, settings, {
    onProgress: (step) => steps.add(step),
  });
  assert.deepEqual(quantization, { weightBits: 7, floatLayers: [] });
  assert.deepEqual([...steps], ["calibration"]);
  const loader = calibrationLoader(pictures, model, 5);
  const observed = await observeValues({ folded, weights: float, preprocessing, loader });
  for (const { name } of folded.points) {
    const { min, max } = chooseRange(observed[name]!, "meanMinMax");
    assert.deepEqual(weights[`${name}.min`], { dtype: "float32", shape: [], data: Float32Array.of(min) });
    assert.deepEqual(weights[`${name}.max`], { dtype: "float32", shape: [], data: Float32Array.of(max) });
  }
  for (const { weight, outChannels } of folded.layers) {
    assert.deepEqual(weights[`${weight}.range`]!.shape, [outChannels]);
  }
  for (const [name, value] of Object.entries(before)) assert.deepEqual(weights[name], value, name);
});

Deno.test("quantizeAfterTraining() gives channels their means back", async () => {
  const off: Record<string, number> = {};
  for (const adaptStatistics of [false, true]) {
    const { weights, quantization, float } = await quantizeAfterTraining(model, pictures, {
      ...settings,
      adaptStatistics,
    });
    const found = await compareLayers(comparison({ quantization, float, quantized: weights }));
    for (const [name, { meanDifference }] of Object.entries(found)) {
      const sum = meanDifference.reduce((sum, value) => sum + Math.abs(value), 0);
      if (adaptStatistics) {
        assert.ok(sum < 0.5 * off[name]! + 1e-4, `${name}: ${sum}, and without ${off[name]}`);
      } else off[name] = sum;
    }
  }
  assert.ok(Math.max(...Object.values(off)) > 1e-3, "something is off without it");
});

/** Mean Kullback-Leibler divergence of a quantised network's predictions, computed op by op. */
function divergenceOf(weights: Readonly<Record<string, HostTensor>>, quantization: Quantization): number {
  const quantized = createQuantizedNetwork(network, folded, quantization);
  const probabilities = (network: Network, weights: Readonly<Record<string, HostTensor>>) =>
    tf.tidy(() => {
      const params = Object.fromEntries(
        Object.entries(weights).map((
          [name, { data, shape }],
        ) => [name, tf.tensor(data as Float32Array, [...shape])]),
      );
      const images = normaliseImages(tf.tensor4d(bytes, [count, 8, 8, 3], "int32"), preprocessing);
      return Array.from(tf.softmax(network.forward(params, images, { training: false }).logits).dataSync());
    });
  const wanted = probabilities(network, model.weights), found = probabilities(quantized, weights);
  return wanted.reduce((sum, p, index) => sum + p * Math.log(p / found[index]!), 0) / count;
}

Deno.test("quantizeAfterTraining() takes of all ways the one with the predictions nearest to those in float", async () => {
  const found: { apart: number; weights: unknown; ranges: string; isAdapted: boolean }[] = [];
  for (const ranges of rangeMethods) {
    for (const adaptStatistics of [true, false]) {
      const { weights, quantization, isAdapted } = await quantizeAfterTraining(model, pictures, {
        ...settings,
        ranges,
        adaptStatistics,
      });
      found.push({ apart: divergenceOf(weights, quantization), weights, ranges, isAdapted });
    }
  }
  found.sort((a, b) => a.apart - b.apart);
  assert.ok(found[0]!.apart < 0.99 * found[1]!.apart, "the best is clear");
  const progress: [number, number][] = [];
  const chosen = await quantizeAfterTraining(
    model,
    pictures,
    { ...settings, ranges: "auto", adaptStatistics: "auto" },
    { onProgress: (step, done, total) => step === "statistics" && progress.push([done, total]) },
  );
  assert.deepEqual([chosen.ranges, chosen.isAdapted], [found[0]!.ranges, found[0]!.isAdapted]);
  assert.deepEqual(chosen.weights, found[0]!.weights);
  assert.deepEqual(progress.at(-1), [90, 90], "three ways to give means back, six to judge, ten pictures");

  const loader = calibrationLoader(pictures, model, 5);
  const quantized = createQuantizedNetwork(network, folded, chosen.quantization);
  const divergence = await predictionDivergence(model, quantized, loader);
  const measured = await divergence.of(chosen.weights);
  await divergence.dispose();
  assert.ok(Math.abs(measured / found[0]!.apart - 1) < 1e-2, `${measured}, wanted ${found[0]!.apart}`);
});

Deno.test("withFloatLayers() finds biases anew that fit the layers, and leaves those that were learnt", async () => {
  const quantized = await quantizeAfterTraining(model, pictures, { ...settings, adaptStatistics: true });
  const loader = calibrationLoader(pictures, model, 5);
  const all = folded.layers.map(({ name }) => name);
  const { weights, quantization } = await withFloatLayers(model, quantized, all, loader);
  assert.deepEqual(quantization, { weightBits: 7, floatLayers: all });
  let changed = 0;
  for (const { bias } of folded.layers) {
    for (const [index, value] of (float[bias!]!.data as Float32Array).entries()) {
      assert.ok(
        Math.abs(weights[bias!]!.data[index] as number - value) < 1e-5,
        `${bias} is not the float one`,
      );
      changed = Math.max(changed, Math.abs(quantized.weights[bias!]!.data[index] as number - value));
    }
  }
  assert.ok(changed > 1e-3, "in int8 they were others");
  const learnt = await withFloatLayers(model, { ...quantized, isAdapted: false }, all, loader);
  assert.equal(learnt.weights, quantized.weights);
});

Deno.test("quantizeAfterTraining() stops when told to", async () => {
  const signal = AbortSignal.abort(new Error("enough"));
  assert.equal(
    (await failure(quantizeAfterTraining(model, pictures, settings, { signal }))).message,
    "enough",
  );
});
