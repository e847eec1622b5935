import assert from "node:assert/strict";
import type { ExportInput } from "../../lib/export/export_metadata.ts";
import { withInput } from "../../lib/export/model_input.ts";
import { type OpenVINOOptions, toOpenVINO } from "../../lib/export/openvino_ir.ts";
import { toExportGraph } from "../../lib/export/to_export_graph.ts";
import { toExportMetadata } from "../../lib/export/to_export_metadata.ts";
import { createModel, type Model } from "../../lib/models/model.ts";
import type { OpenForTrainingOptions } from "../../lib/models/open_model.ts";
import { modelRecord } from "../../lib/models/registry.ts";
import { quantizeAfterTraining } from "../../lib/quantization/post_training.ts";
import { differenceOfRange, fed, logitsOf, randomModel, randomPictures } from "./_networks.ts";
import { type OpenVINORun, runOpenVINO } from "./_openvino.ts";

interface Variant extends Partial<OpenVINOOptions> {
  readonly input: ExportInput;
}

const rawBGR: Variant = { input: { channelOrder: "bgr", values: "raw" } };
const batch = 2;

/** Runs variants of a model's file in OpenVINO, and gives the largest difference to the model for each. */
async function compare(
  model: Model,
  variants: readonly Variant[],
): Promise<{ difference: number; run: OpenVINORun }[]> {
  const pictures = randomPictures(model, batch);
  const ours = await logitsOf(model, pictures);
  const runs = variants.map(({ input, precision = "fp32", dynamicBatch = false }) => {
    const { graph } = toExportGraph(model, dynamicBatch ? 1 : batch);
    const fitting = withInput(graph, model.preprocessing, input);
    const metadata = toExportMetadata(model, fitting, { input, precision });
    return {
      files: toOpenVINO(fitting, metadata, { precision, dynamicBatch }),
      input: fed(pictures, model.preprocessing, input),
    };
  });
  return (await runOpenVINO(runs)).map((run) => {
    assert.deepEqual(run.output.shape, ours.shape);
    return { difference: differenceOfRange(ours.data, run.output.data), run };
  });
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
  Deno.test(`toOpenVINO() writes ${words}: OpenVINO's logits are ours`, async () => {
    const model = await randomModel(id, options);
    const [compared] = await compare(model, [rawBGR]);
    const { difference } = compared!;
    assert.ok(difference < 1e-4, `${difference} of the range`);
    await model.dispose();
  });
}

Deno.test("toOpenVINO() writes files for every input, batch and precision", async (t) => {
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
      const { difference, run } = compared[index]!;
      const isHalf = variants[name]!.precision === "fp16";
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

Deno.test("toOpenVINO() writes quantised networks so that every convolution runs in int8", async () => {
  const model = await randomModel("mobilenetv3_small_100", { imageSize: 64 });
  const { shape: [, height, width], data } = randomPictures(model, 4);
  const bytes = Uint8Array.from(data);
  const samples = Array.from({ length: 4 }, (_, label) => {
    const picture = bytes.slice(label * height! * width! * 3, (label + 1) * height! * width! * 3);
    const image = { height: height!, width: width!, channels: 3 as const, data: picture };
    return { image, label, name: `picture ${label}` };
  });
  const { quantization, weights } = await quantizeAfterTraining(
    model,
    { name: "pictures", classNames: model.classNames, samples },
    {
      weightBits: 7,
      ranges: "meanMinMax",
      adaptStatistics: true,
      batchSize: 4,
    },
  );
  const { classNames, preprocessing } = model;
  const record = modelRecord(model.id);
  const quantized = createModel({ record, classNames, preprocessing, weights, quantization });
  const [compared] = await compare(quantized, [rawBGR]);
  const { difference, run } = compared!;
  const heavy = run.layers.filter(({ type }) => type === "Convolution" || type === "FullyConnected");
  const others = heavy.filter(({ kernel }) => !kernel.endsWith("I8"));
  assert.ok(heavy.length > 40);
  assert.deepEqual(others, []);
  // A value between two levels may be rounded to either; what comes after it differs then.
  assert.ok(difference < 0.05, `${difference} of the range`);
  await model.dispose();
  await quantized.dispose();
});
