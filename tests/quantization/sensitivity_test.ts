import assert from "node:assert/strict";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { initialise } from "../../lib/models/initialise.ts";
import { createModel } from "../../lib/models/model.ts";
import { createNetwork, modelRecord } from "../../lib/models/registry.ts";
import { rankLayers } from "../../lib/quantization/layer_report.ts";
import { calibrationLoader, quantizeAfterTraining } from "../../lib/quantization/post_training.ts";
import { quantizedModel } from "../../lib/quantization/quantized_model.ts";
import { layerSensitivity } from "../../lib/quantization/sensitivity.ts";
import { shapeSplits } from "../training/_shapes.ts";

const record = modelRecord("mobilenetv3_small_100");
const { parameters } = createNetwork(record, { numClasses: 3 });
const pictures = shapeSplits({ train: 16, validation: 1 }).train;
const model = createModel({
  record,
  classNames: pictures.classNames,
  weights: initialise(parameters, 1),
  preprocessing: { ...record.preprocessing, size: { height: 32, width: 32 } },
});
const settings = { weightBits: 7, ranges: "mse", adaptStatistics: false, batchSize: 16 } as const;
const quantized = await quantizeAfterTraining(model, pictures, settings);
const { folded, quantization, float, weights } = quantized;
const loader = calibrationLoader(pictures, model, 16);

Deno.test("layerSensitivity() is near what quantising each layer alone changes", async () => {
  const estimate = await layerSensitivity({
    folded,
    quantization,
    float,
    quantized: weights,
    preprocessing: model.preprocessing,
    loader,
    numClasses: 3,
  });
  const names = folded.layers.map(({ name }) => name);
  assert.deepEqual(Object.keys(estimate).sort(), names.toSorted());
  const images = pictures.samples.map(({ image }) => image);
  const wanted = await model.logits(images);
  // The one that changes most by the estimate, and one in the middle.
  const ranked = names.toSorted((a, b) => estimate[b]! - estimate[a]!);
  for (const name of [ranked[0]!, ranked[20]!]) {
    const floatLayers = names.filter((other) => other !== name);
    const alone = quantizedModel(model, {
      ...quantized,
      quantization: { ...quantized.quantization, floatLayers },
    });
    const found = await alone.logits(images);
    await alone.dispose();
    let change = 0;
    found.forEach((row, at) => row.forEach((value, index) => change += (value - wanted[at]![index]!) ** 2));
    const ratio = estimate[name]! / change;
    assert.ok(ratio > 0.25 && ratio < 4, `${name}: estimated ${estimate[name]}, is ${change}`);
  }
  await model.dispose();
});

Deno.test("rankLayers() ranks layers by the weights that are kept", async () => {
  const filled = (name: string, value: number): HostTensor => {
    const { shape, data } = weights[name]!;
    return { dtype: "float32", shape, data: new Float32Array(data.length).fill(value) };
  };
  const head = {
    "conv_head.weight": filled("conv_head.weight", 0),
    "conv_head.bias": filled("conv_head.bias", 1),
  };
  const tuned = { ...quantized, weights: { ...weights, ...head } };
  const shares = await rankLayers(model, tuned, loader);
  // Zeros are not rounded, and nothing before them is seen behind them.
  assert.deepEqual([shares.get("conv_head"), shares.get("classifier")], [0, 1]);
  assert.equal([...shares.keys()][0], "classifier");
});
