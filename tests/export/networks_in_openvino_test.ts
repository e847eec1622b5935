import assert from "node:assert/strict";
import { toOpenVINO } from "../../lib/export/openvino_ir.ts";
import type { Model } from "../../lib/models/model.ts";
import {
  differenceOfRange,
  filesOf,
  type FileVariant,
  fileVariants,
  networks,
  randomModel,
} from "./_networks.ts";
import { type OpenVINORun, runOpenVINO } from "./_openvino.ts";
import { quantizedModel } from "./_quantized.ts";

/** Runs variants of a model's file in OpenVINO, and gives the largest difference to the model for each. */
async function compare(
  model: Model,
  variants?: readonly FileVariant[],
): Promise<{ difference: number; run: OpenVINORun }[]> {
  const { logits, files } = await filesOf(model, variants);
  const runs = await runOpenVINO(files.map(({ graph, metadata, settings, input }) => ({
    files: toOpenVINO(graph, metadata, settings),
    input,
  })));
  return runs.map((run) => {
    assert.deepEqual(run.output.shape, logits.shape);
    return { difference: differenceOfRange(logits.data, run.output.data), run };
  });
}

for (const [id, options] of networks) {
  const words = [id, ...Object.entries(options).map(([name, value]) => `${name} ${value}`)].join(", ");
  Deno.test(`toOpenVINO() writes ${words}: OpenVINO's logits are ours`, async () => {
    const model = await randomModel(id, options);
    const [compared] = await compare(model);
    const { difference } = compared!;
    assert.ok(difference < 1e-4, `${difference} of the range`);
    await model.dispose();
  });
}

Deno.test("toOpenVINO() writes files for every input, batch and precision", async (t) => {
  const model = await randomModel("mobilenetv3_small_100");
  const compared = await compare(model, Object.values(fileVariants));
  for (const [index, name] of Object.keys(fileVariants).entries()) {
    await t.step(name, () => {
      const { difference, run } = compared[index]!;
      const isHalf = fileVariants[name]!.precision === "fp16";
      assert.ok(difference < (isHalf ? 5e-3 : 1e-4), `${difference} of the range`);
      assert.deepEqual(run.inputs, [{
        names: ["images"],
        shape: name === "any batch" ? "[?,3,224,224]" : "[2,3,224,224]",
        type: "f32",
        layout: "[N,C,H,W]",
      }]);
      assert.deepEqual(run.outputs[0]!.names, ["logits"]);
    });
  }
  await t.step("half precision is not single precision", () => {
    assert.ok(compared[5]!.difference > 1e-5, `${compared[5]!.difference} of the range`);
  });
  await model.dispose();
});

const photographs = ["cat", "coffee", "rocket", "camera"].map((name) =>
  new URL(`../fixtures/photographs/${name}.jpg`, import.meta.url)
);

Deno.test("toOpenVINO() writes quantised networks so that every convolution runs in int8", async () => {
  const model = await quantizedModel("mobilenetv3_small_100", photographs, { imageSize: 64 });
  const [compared] = await compare(model);
  const { difference, run } = compared!;
  const heavy = run.layers.filter(({ type }) => type === "Convolution" || type === "FullyConnected");
  const others = heavy.filter(({ kernel }) => !/_i8$/i.test(kernel));
  assert.ok(heavy.length > 40);
  assert.deepEqual(others, []);
  // A value between two levels may be rounded to either; what comes after it differs then.
  assert.ok(difference < 0.05, `${difference} of the range`);
  await model.dispose();
});
