/** Quantised networks as int8 files: what runtimes make of them, and whether that is what was simulated. */
import assert from "node:assert/strict";
import { dataset } from "../../../lib/data/dataset.ts";
import { evaluate } from "../../../lib/evaluate.ts";
import { toONNX } from "../../../lib/export/onnx.ts";
import { toOpenVINO } from "../../../lib/export/openvino_ir.ts";
import { toExportGraph } from "../../../lib/export/to_export_graph.ts";
import { toExportMetadata } from "../../../lib/export/to_export_metadata.ts";
import { fineTune } from "../../../lib/fine_tune.ts";
import type { HostTensor } from "../../../lib/graph/host_tensor.ts";
import { readSafetensors, writeSafetensors } from "../../../lib/models/weights/safetensors.ts";
import { loadModel } from "../../../lib/load_model.ts";
import { createModel, type Model } from "../../../lib/models/model.ts";
import { foldNetwork } from "../../../lib/models/quantized/folded_network.ts";
import { createQuantizedNetwork } from "../../../lib/models/quantized/quantized_network.ts";
import type { Quantization } from "../../../lib/models/quantized/quantization.ts";
import { createNetwork, modelRecord } from "../../../lib/models/registry.ts";
import { initialise } from "../../../lib/models/initialise.ts";
import { predict } from "../../../lib/predict.ts";
import { quantizeAfterTraining } from "../../../lib/quantization/post_training.ts";
import { openExported } from "../../../lib/runtimes/exported_model.ts";
import { openIR } from "../../../lib/runtimes/openvino.ts";
import { saveWeights } from "../../../lib/training/checkpoint.ts";
import { fed } from "../../export/_networks.ts";
import { failure, freshFolder } from "../../training/_runs.ts";
import { shapeSplits } from "../../training/_shapes.ts";
import { rangesFor } from "./_ranges.ts";

const side = 32;
const input = { channelOrder: "rgb", values: "normalized" } as const;
const options = { precision: "fp32", dynamicBatch: false } as const;

function files(model: Model, batch: number) {
  const { graph } = toExportGraph(model, batch);
  const metadata = toExportMetadata(model, graph, { input, precision: "fp32" });
  return { graph, ir: toOpenVINO(graph, metadata, options), onnx: toONNX(graph, metadata, options) };
}

/** The layer whose result is part of an operation of OpenVINO's. */
const layerNamed = (name: string) => name.replace(/\/.*$/, "").replace(/^logits$/, "classifier");

for (
  const id of [
    "mobilenetv3_small_100",
    "mobilenetv3_large_075",
    "mobilenetv3_large_100",
    "efficientnet_b0",
    "tf_efficientnet_lite0",
  ]
) {
  Deno.test(`quantised layers of ${id} run in int8 kernels, and the others in float`, async () => {
    const record = modelRecord(id);
    const preprocessing = { ...record.preprocessing, size: { height: side, width: side } };
    const float = createNetwork(record, { numClasses: 3 });
    const folded = foldNetwork(float, preprocessing.size);
    const floatLayers = [1, 2, 7, 12].map((index) => folded.layers[index]!.name);
    const quantization: Quantization = { weightBits: 7, floatLayers };
    const network = createQuantizedNetwork(float, folded, quantization);
    const weights = rangesFor(network, folded.fold(initialise(float.parameters, 1)));
    const model = createModel({ record, classNames: ["a", "b", "c"], weights, preprocessing, quantization });
    const { graph, ir } = files(model, 1);
    const count = (op: string) => graph.nodes.filter((node) => node.op === op).length;
    assert.equal(count("convolution") + count("linear"), folded.layers.length);
    assert.equal(count("dequantize"), folded.layers.length - floatLayers.length);
    const opened = await openIR(ir, id, { profiling: true });
    await opened.run({
      images: {
        dtype: "float32",
        shape: [1, 3, side, side],
        data: new Float32Array(3 * side * side).fill(0.5),
      },
    });
    const ran = opened.profile().filter(({ type, status }) =>
      /Convolution|FullyConnected|MatMul/.test(type) && status === "executed"
    );
    await opened.dispose();
    await model.dispose();
    assert.equal(ran.length, folded.layers.length);
    const inFloat = ran.filter(({ kernel }) => !/I8|U8/.test(kernel));
    assert.deepEqual(inFloat.map(({ name }) => layerNamed(name)).sort(), floatLayers.toSorted());
    for (const { kernel } of inFloat) assert.match(kernel, /FP32|F32/i);
  });
}

const data = shapeSplits({ train: 16, validation: 5 });
const folder = freshFolder();
const run = await fineTune("mobilenetv3_small_100", data, {
  weights: null,
  imageSize: side,
  epochs: 6,
  batchSize: 8,
  learningRate: 0.05,
  outputDir: folder,
  logs: [],
  view: false,
});
const { weights, quantization } = await quantizeAfterTraining(run.model, data.train, {
  weightBits: 7,
  ranges: "mse",
  adaptStatistics: true,
  batchSize: 16,
});
const model = createModel({
  record: modelRecord(run.model.id),
  classNames: run.model.classNames,
  weights,
  preprocessing: run.model.preprocessing,
  quantization,
});
const pictures = shapeSplits({ train: 67, size: side }).train.samples.slice(0, 200);
const { classNames, preprocessing } = model;

/** Largest score of each row. */
const best = (rows: readonly Float32Array[]) => rows.map((row) => row.indexOf(Math.max(...row)));

Deno.test("int8 files of a trained network agree with the simulation in both runtimes", async () => {
  const simulated = await model.logits(pictures.map(({ image }) => image));
  const labels = best(simulated);
  assert.equal(new Set(labels).size, 3, "more than one class is seen");
  const scores = simulated.flatMap((row) => [...row]);
  const range = Math.max(...scores) - Math.min(...scores);
  const bytes = Float32Array.from(pictures.flatMap(({ image }) => [...(image as { data: Uint8Array }).data]));
  const images: HostTensor = {
    dtype: "float32",
    ...fed({ shape: [200, side, side, 3], data: bytes }, preprocessing, input),
  };
  const { ir, onnx } = files(model, 200);
  for (const file of [ir, { onnx }]) {
    const opened = await openExported(file);
    const { logits } = await opened.run({ images });
    await opened.dispose();
    const rows = labels.map((_, index) => (logits!.data as Float32Array).slice(3 * index, 3 * index + 3));
    // onnxruntime rounds biases too; a network that has seen few pictures is unsure of many, and they tip over.
    const sure = simulated.map((row) => {
      const [first, second] = row.toSorted((a, b) => b - a);
      return first! - second! > 0.02 * range;
    });
    const same = best(rows).filter((label, index) => sure[index] && label === labels[index]).length;
    const agreement = same / sure.filter(Boolean).length;
    assert.ok(sure.filter(Boolean).length > 60, `${sure.filter(Boolean).length}`);
    const differences = rows.flatMap((row, index) =>
      [...row].map((x, at) => Math.abs(x - simulated[index]![at]!))
    );
    const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length / range;
    assert.ok(agreement >= 0.99, `${opened.runtime}: ${agreement}`);
    assert.ok(mean < 0.01, `${opened.runtime}: ${mean} of the range`);
  }
});

const path = `${folder}/int8.safetensors`;
const metadata = { format: 1, model: model.id, classNames, preprocessing, quantization } as const;
await saveWeights(path, weights, metadata);

Deno.test("loadModel() opens a quantised checkpoint: the same logits, and evaluate and predict take it", async () => {
  const loaded = await loadModel(path);
  assert.deepEqual(loaded.quantization, quantization);
  assert.deepEqual(
    Object.keys(loaded.weights).sort(),
    model.network.parameters.map(({ name }) => name).sort(),
  );
  const images = pictures.slice(0, 4).map(({ image }) => image);
  const wanted = await model.logits(images);
  assert.deepEqual(await loaded.logits(images), wanted);
  assert.match(
    Deno.inspect(loaded),
    /^Model mobilenetv3_small_100\.lamb_in1k, int8, 32 x 32 pixels, 3 classes/,
  );
  await loaded.dispose();
  const set = dataset(pictures.slice(0, 4).map(({ image, label }) => ({ image, label })), classNames);
  const { top1 } = await evaluate(path, set);
  const right = best(wanted).filter((label, index) => label === pictures[index]!.label).length;
  assert.equal(top1, right / 4);
  const predictions = await predict(path, images);
  assert.deepEqual(predictions.map(([first]) => classNames.indexOf(first!.label)), best(wanted));
});

Deno.test("loadModel() refuses to open a quantised checkpoint in another form", async () => {
  const begin = `Cannot open model "${path}" in another form: it is quantised\n`;
  const help = "\n  help: change the float model, and quantise it again";
  assert.equal(
    (await failure(loadModel(path, { numClasses: 5, imageSize: 64 }))).message,
    `${begin}  numClasses: found 5, wanted 3\n  imageSize: found 64, wanted 32${help}`,
  );
  assert.equal(
    (await failure(loadModel(path, { classNames: ["a", "b"] }))).message,
    `${begin}  classNames: found 2, wanted 3${help}`,
  );
  const renamed = await loadModel(path, { numClasses: 3, imageSize: 32, classNames: ["x", "y", "z"] });
  assert.deepEqual(renamed.classNames, ["x", "y", "z"]);
  await renamed.dispose();
});

Deno.test("loadModel() names tensors that a quantised checkpoint lacks, or that have other shapes", async () => {
  const { tensors, metadata } = await readSafetensors(path);
  const broken = { ...tensors };
  delete broken["conv_stem.input.max"];
  broken["conv_stem.weight.range"] = { dtype: "float32", shape: [2], data: Float32Array.of(1, 1) };
  const file = `${folder}/broken.safetensors`;
  await writeSafetensors(file, broken, metadata);
  assert.equal(
    (await failure(loadModel(file))).message,
    `Cannot open model "${file}": 2 of its ${model.network.parameters.length} tensors are missing or of another shape\n` +
      '  "conv_stem.weight.range": wanted [16]\n  "conv_stem.input.max": wanted []\n  help: get the file again',
  );
});
