import assert from "node:assert/strict";
import { join } from "node:path";
import {
  assertRuns,
  assertStored,
  byId,
  codeCells,
  form,
  type Notebook,
  printed,
  readNotebook,
  repository,
  shown,
} from "./_notebook.ts";

const path = join(repository, "notebooks", "04_quantize_and_export.ipynb");
const text = "display_data: text/html, text/plain";
const figure = "display_data: application/vnd.plotly.v1+json, image/png, text/plain";
const hint = "execute_result: text/html, text/plain";
const nothing = "execute_result: text/plain";

/** What each cell of code puts out. */
const forms: Record<string, string[]> = {
  imports: [],
  train: [text, figure],
  export: [text, nothing],
  quantize: [text, text, figure, text, hint],
  layers: ["stream: stdout"],
  ir: [text, nothing],
  onnx: [text, nothing],
  evaluate: ["stream: stdout"],
  predict: [text, nothing],
  tampered: ["stream: stdout"],
  parity: ["stream: stdout"],
};

function assertStory(notebook: Notebook): void {
  const found = codeCells(notebook).map(({ id, outputs }) => [id, outputs?.map(form)]);
  assert.deepEqual(Object.fromEntries(found), forms);

  const exported = (id: string) => shown(byId(notebook, id), 0, "text/plain");
  const compared = (runtime: string) =>
    new RegExp(`\\ncompared with the trained model on 300 pictures in ${runtime} [\\d.]+: logits differ by`);
  assert.match(exported("export"), /^outputs\/float\/model\.xml and model\.bin: 13\.\d MB, fp32, takes BGR/);
  assert.match(exported("export"), compared("OpenVINO"));
  assert.match(exported("ir"), /^outputs\/int8_ir\/model\.xml and model\.bin: \d\.\d MB, int8, /);
  assert.match(exported("ir"), compared("OpenVINO"));
  assert.match(exported("onnx"), /^outputs\/int8\.onnx: \d\.\d MB, int8, /);
  assert.match(exported("onnx"), compared("onnxruntime"));

  const [, drop] = /: drop (-?[\d.]+) points .*, at most 2\.00 points was promised\n/.exec(
    shown(byId(notebook, "quantize"), 1, "text/plain"),
  ) ?? [];
  assert.ok(Number(drop) <= 2, `the drop is ${drop}`);
  const layers = printed(byId(notebook, "layers"));
  const [, inInt8, all] = /\nOpenVINO runs (\d+) of (\d+) layers in int8\n/.exec(layers) ?? [];
  assert.equal(all, "50");
  assert.ok(Number(inInt8) >= 40, `${inInt8} layers in int8`);
  assert.doesNotMatch(layers, /part of another operation/); // each layer is found among the runtime's operations

  const accuracies = [...printed(byId(notebook, "evaluate")).matchAll(/^(.{10}) {2}top-1 ([\d.]+) %/gm)];
  assert.deepEqual(accuracies.map(([, name]) => name!.trim()), [
    "trained",
    "float .xml",
    "int8 .xml",
    "int8 .onnx",
  ]);
  const [trained, float, ...int8] = accuracies.map(([, , top1]) => Number(top1));
  assert.ok(trained! > 35, `top-1 is ${trained} %, chance is 25 %`);
  assert.ok(Math.abs(float! - trained!) < 1.5, `${float} and ${trained} %`); // one picture lies between two classes
  for (const top1 of int8) assert.ok(Math.abs(top1 - trained!) < 10, `${top1} and ${trained} %`);

  assert.equal(shown(byId(notebook, "predict"), 0, "text/html").match(/<img /g)?.length, 6);
  assert.match(
    printed(byId(notebook, "tampered")),
    /^Cannot use the weights of exported model "outputs\/tampered\/model\.xml": .*\n {2}its SHA-256 is /,
  );
  assert.match(
    printed(byId(notebook, "parity")),
    /^ParityError: Cannot export tf_efficientnet_lite0\.pypi_in1k: [^]*\nthere is no file\n$/,
  );
}

Deno.test("the notebook about quantising and exporting is stored with its outputs, small and without names of the machine", async () => {
  const notebook = await readNotebook(path);
  assertStory(notebook);
  await assertStored(path, notebook);
});

Deno.test("the notebook about quantising and exporting runs in the Deno kernel", async () => {
  await assertRuns(path, async ({ executed, folder }) => {
    assertStory(executed);
    for (const file of ["float/model.bin", "int8/best.safetensors", "int8_ir/model.xml", "int8.onnx"]) {
      assert.ok((await Deno.stat(join(folder, "outputs", file))).size > 1000, file);
    }
  });
});
