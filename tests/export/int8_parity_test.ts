import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { withInput } from "../../lib/export/model_input.ts";
import { decodeModel, encodeModel } from "../../lib/export/_onnx_messages.ts";
import { toONNX } from "../../lib/export/onnx.ts";
import { toOpenVINO } from "../../lib/export/openvino_ir.ts";
import { checkParity } from "../../lib/export/parity.ts";
import { toExportGraph } from "../../lib/export/to_export_graph.ts";
import { toExportMetadata } from "../../lib/export/to_export_metadata.ts";
import { openIR } from "../../lib/runtimes/openvino.ts";
import { quantizedModel } from "./_quantized.ts";

const photographs = ["cat", "coffee", "rocket", "camera"].map((name) =>
  new URL(`../fixtures/photographs/${name}.jpg`, import.meta.url)
);
const input = { channelOrder: "bgr", values: "raw" } as const;
const settings = { precision: "fp32", dynamicBatch: false } as const;
const model = await quantizedModel("mobilenetv3_small_100", photographs, { imageSize: 64 });
const network = toExportGraph(model);
const graph = withInput(network.graph, model.preprocessing, input);
const metadata = toExportMetadata(model, graph, { input, precision: "fp32" });
const check = { model, network, graph, metadata };
const onnx = toONNX(graph, metadata, settings);
const ir = toOpenVINO(graph, metadata, settings);

Deno.test("checkParity() finds the simulated network in int8 files", async () => {
  assert.equal(metadata.precision, "int8");
  for (const file of [{ onnx }, ir]) {
    const parity = await checkParity({ ...check, file });
    assert.ok(parity.checked);
    assert.deepEqual([parity.pictures, parity.limits], [100, {
      maxRelativeDifference: 0.1,
      minTop1Agreement: 0.99,
    }]);
    assert.ok(parity.relativeDifference < 0.05, JSON.stringify(parity));
  }
});

const larger = ["mobilenetv3_large_075", "mobilenetv3_large_100", "efficientnet_b0", "tf_efficientnet_lite0"];
for (const id of larger) {
  Deno.test(`checkParity() finds the simulated ${id} in int8 files, which OpenVINO runs in int8 kernels`, async () => {
    const model = await quantizedModel(id, photographs, { imageSize: 64 });
    const network = toExportGraph(model);
    const graph = withInput(network.graph, model.preprocessing, input);
    const metadata = toExportMetadata(model, graph, { input, precision: "fp32" });
    const ir = toOpenVINO(graph, metadata, settings);
    for (const file of [{ onnx: toONNX(graph, metadata, settings) }, ir]) {
      const parity = await checkParity({ model, network, graph, metadata, file });
      assert.ok(parity.checked && parity.top1Agreement + parity.nearTies > 0.985, JSON.stringify(parity));
    }
    const opened = await openIR(ir, id, { profiling: true });
    const { height, width } = model.preprocessing.size;
    const data = new Float32Array(3 * height * width).fill(90);
    await opened.run({ images: { dtype: "float32", shape: [1, 3, height, width], data } });
    const layers = opened.profile().filter(({ type, status }) =>
      status === "executed" && /Convolution$|^FullyConnected/.test(type)
    );
    await opened.dispose();
    const convolutions = graph.nodes.filter(({ op }) => op === "convolution" || op === "linear");
    assert.equal(layers.length, convolutions.length);
    assert.deepEqual(layers.filter(({ kernel }) => !/_i8$/i.test(kernel)), []);
    await model.dispose();
  });
}

/** The scales of a layer in a file's bytes, found by their values. */
function scalesOf(layer: string): Float32Array {
  const node = graph.nodes.find(({ op, output }) => op === "dequantize" && output.name === `${layer}.weight`);
  assert.ok(node?.op === "dequantize");
  return node.scales;
}

Deno.test("checkParity() names the layer of an int8 file whose scales were changed", async (t) => {
  const layer = "conv_head";
  const wrong = scalesOf(layer).map((scale) => 3 * scale);
  await t.step("ONNX", async () => {
    const copy = decodeModel(onnx);
    const tensor = copy.graph.initializer.find(({ name }) => name === `${layer}.weight/scales`)!;
    tensor.rawData = new Uint8Array(wrong.slice().buffer);
    const file = { onnx: encodeModel(copy) };
    await assert.rejects(checkParity({ ...check, file, pictures: photographs }), {
      name: "ParityError",
      node: layer,
      message: /it begins at "conv_head" .*, which differs by [\d.]+ % of its root mean square; what/,
    });
  });
  await t.step("IR", async () => {
    const constant = ir.xml.slice(ir.xml.indexOf(` name="${layer}.weight/scales" type="Const"`));
    const offset = Number(/ offset="(\d+)"/.exec(constant)![1]);
    const bin = ir.bin.slice();
    bin.set(new Uint8Array(wrong.slice().buffer), offset);
    const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
    const file = { xml: ir.xml.replace(digest(ir.bin), digest(bin)), bin };
    await assert.rejects(checkParity({ ...check, file }), {
      name: "ParityError",
      node: layer,
      message: /\n {2}help: compare the file on pictures of your own with \{ pictures: \.\.\. \}, or accept /,
    });
  });
});
