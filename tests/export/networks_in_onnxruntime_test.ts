import assert from "node:assert/strict";
import { toONNX } from "../../lib/export/onnx.ts";
import type { Model } from "../../lib/models/model.ts";
import { openExported } from "../../lib/runtimes/exported_model.ts";
import {
  batch,
  differenceOfRange,
  filesOf,
  type FileVariant,
  fileVariants,
  networks,
  randomModel,
} from "./_networks.ts";
import { type ONNXRun, runONNX } from "./_onnxruntime.ts";

/** Runs variants of a model's file in Python and here, and gives the largest differences to the model for each. */
async function compare(
  model: Model,
  variants?: readonly FileVariant[],
): Promise<{ inPython: number; inNode: number; run: ONNXRun }[]> {
  const made = await filesOf(model, variants);
  const files = made.files.map(({ graph, metadata, settings, input }) => ({
    onnx: toONNX(graph, metadata, settings),
    input,
  }));
  const runs = await runONNX(files);
  const compared = [];
  for (const [index, { onnx, input: { shape, data } }] of files.entries()) {
    const opened = await openExported({ onnx });
    const { logits } = await opened.run({ images: { dtype: "float32", shape, data } });
    await opened.dispose();
    const run = runs[index]!;
    assert.deepEqual(run.output.shape, made.logits.shape);
    assert.deepEqual(run.untyped, [], "values without a shape");
    assert.deepEqual(run.otherwise, [], "values of another shape than onnx infers");
    compared.push({
      inPython: differenceOfRange(made.logits.data, run.output.data),
      inNode: differenceOfRange(made.logits.data, logits!.data as Float32Array),
      run,
    });
  }
  return compared;
}

for (const [id, options] of networks) {
  const words = [id, ...Object.entries(options).map(([name, value]) => `${name} ${value}`)].join(", ");
  Deno.test(`toONNX() writes ${words}: onnxruntime's logits are ours`, async () => {
    const model = await randomModel(id, options);
    const [compared] = await compare(model);
    const { inPython, inNode } = compared!;
    assert.ok(inPython < 1e-4 && inNode < 1e-4, `${inPython} and ${inNode} of the range`);
    await model.dispose();
  });
}

Deno.test("toONNX() writes files for every input, batch and precision", async (t) => {
  const model = await randomModel("mobilenetv3_small_100");
  const compared = await compare(model, Object.values(fileVariants));
  for (const [index, name] of Object.keys(fileVariants).entries()) {
    await t.step(name, () => {
      const { inPython, inNode, run } = compared[index]!;
      const limit = fileVariants[name]!.precision === "fp16" ? 5e-3 : 1e-4;
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
