import assert from "node:assert/strict";
import type { ExportInput } from "../../lib/export/export_metadata.ts";
import { withInput } from "../../lib/export/model_input.ts";
import { type ONNXOptions, toONNX } from "../../lib/export/onnx.ts";
import { toExportGraph } from "../../lib/export/to_export_graph.ts";
import { toExportMetadata } from "../../lib/export/to_export_metadata.ts";
import type { Model } from "../../lib/models/model.ts";
import type { OpenForTrainingOptions } from "../../lib/models/open_model.ts";
import { openExported } from "../../lib/runtimes/exported_model.ts";
import { differenceOfRange, fed, logitsOf, randomModel, randomPictures } from "./_networks.ts";
import { type ONNXRun, runONNX } from "./_onnxruntime.ts";

interface Variant extends Partial<ONNXOptions> {
  readonly input: ExportInput;
}

const rawBGR: Variant = { input: { channelOrder: "bgr", values: "raw" } };
const batch = 2;

/** Runs variants of a model's file in Python and here, and gives the largest differences to the model for each. */
async function compare(
  model: Model,
  variants: readonly Variant[],
): Promise<{ inPython: number; inNode: number; run: ONNXRun }[]> {
  const pictures = randomPictures(model, batch);
  const ours = await logitsOf(model, pictures);
  const files = variants.map(({ input, precision = "fp32", dynamicBatch = false }) => {
    const { graph } = toExportGraph(model, dynamicBatch ? 1 : batch);
    const fitting = withInput(graph, model.preprocessing, input);
    const metadata = toExportMetadata(model, fitting, { input, precision });
    return {
      onnx: toONNX(fitting, metadata, { precision, dynamicBatch }),
      input: fed(pictures, model.preprocessing, input),
    };
  });
  const runs = await runONNX(files);
  const compared = [];
  for (const [index, { onnx, input: { shape, data } }] of files.entries()) {
    const opened = await openExported({ onnx });
    const { logits } = await opened.run({ images: { dtype: "float32", shape, data } });
    await opened.dispose();
    const run = runs[index]!;
    assert.deepEqual(run.output.shape, ours.shape);
    assert.deepEqual(run.untyped, [], "values without a shape");
    assert.deepEqual(run.otherwise, [], "values of another shape than onnx infers");
    compared.push({
      inPython: differenceOfRange(ours.data, run.output.data),
      inNode: differenceOfRange(ours.data, logits!.data as Float32Array),
      run,
    });
  }
  return compared;
}

const networks: [id: string, options: OpenForTrainingOptions][] = [
  ["mobilenetv3_small_100", {}],
  ["mobilenetv3_large_075", {}],
  ["mobilenetv3_large_100", {}],
  ["efficientnet_b0", {}],
  ["tf_efficientnet_lite0", {}],
  ["mobilenetv3_large_100.ote", { imageSize: 96 }],
  ["efficientnet_b0.ote", { head: "cosine", imageSize: 96 }],
  ["mobilenetv3_small_100", { head: "cosine", imageSize: 96 }],
];
for (const [id, options] of networks) {
  const words = [id, ...Object.entries(options).map(([name, value]) => `${name} ${value}`)].join(", ");
  Deno.test(`toONNX() writes ${words}: onnxruntime's logits are ours`, async () => {
    const model = await randomModel(id, options);
    const [compared] = await compare(model, [rawBGR]);
    const { inPython, inNode } = compared!;
    assert.ok(inPython < 1e-4 && inNode < 1e-4, `${inPython} and ${inNode} of the range`);
    await model.dispose();
  });
}

Deno.test("toONNX() writes files for every input, batch and precision", async (t) => {
  const model = await randomModel("mobilenetv3_small_100");
  const variants: Record<string, Variant> = {
    "raw BGR": rawBGR,
    "raw RGB": { input: { channelOrder: "rgb", values: "raw" } },
    "normalized BGR": { input: { channelOrder: "bgr", values: "normalized" } },
    "normalized RGB": { input: { channelOrder: "rgb", values: "normalized" } },
    "any batch": { ...rawBGR, dynamicBatch: true },
    "weights in half precision": { ...rawBGR, precision: "fp16" },
  };
  const compared = await compare(model, Object.values(variants));
  for (const [index, name] of Object.keys(variants).entries()) {
    await t.step(name, () => {
      const { inPython, inNode, run } = compared[index]!;
      const limit = variants[name]!.precision === "fp16" ? 5e-3 : 1e-4;
      assert.ok(inPython < limit && inNode < limit, `${inPython} and ${inNode} of the range`);
      const length = name === "any batch" ? "batch" : batch;
      const [input] = run.inputs, [output] = run.outputs;
      assert.deepEqual(input, { name: "images", shape: [length, 3, 224, 224], type: "tensor(float)" });
      assert.deepEqual(output, { name: "logits", shape: [length, 10], type: "tensor(float)" });
    });
  }
  await t.step("half precision is not single precision", () => {
    assert.ok(compared[5]!.inPython > 1e-5, `${compared[5]!.inPython} of the range`);
  });
  await t.step("activations are operations of onnxruntime's own", () => {
    const { operations } = compared[0]!.run;
    const count = (wanted: string) => operations.filter((operation) => operation === wanted).length;
    const counts = ["HardSwish", "HardSigmoid", "GlobalAveragePool", "Clip", "Sigmoid"].map(count);
    assert.deepEqual(counts, [19, 9, 10, 0, 0]);
  });
  await model.dispose();
});
