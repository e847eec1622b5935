import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { openONNX } from "../../lib/runtimes/onnxruntime.ts";
import { failure } from "../training/_runs.ts";
import { exportSmall, smallModel } from "./_exported_files.ts";

const model = await smallModel();
const files = exportSmall(model, { input: { channelOrder: "rgb", values: "normalized" } });

function images(rows: number): HostTensor {
  const data = Float32Array.from({ length: rows * 3 * 32 * 32 }, (_, index) => Math.sin(index * index));
  return { dtype: "float32", shape: [rows, 3, 32, 32], data };
}

Deno.test("openONNX() runs a file with batches of any size, several at a time", async () => {
  const opened = await openONNX(files, "the model", { threads: 2 });
  assert.equal(opened.runtime, "onnxruntime 1.30.0");
  assert.deepEqual(opened.inputs, [{ name: "images", dtype: "float32", shape: [-1, 3, 32, 32] }]);
  assert.deepEqual(opened.outputs, [{ name: "logits", dtype: "float32", shape: [-1, 3] }]);
  const [one, four, again] = await Promise.all([1, 4, 1].map((rows) => opened.run({ images: images(rows) })));
  assert.deepEqual(one!.logits!.shape, [1, 3]);
  assert.deepEqual(four!.logits!.shape, [4, 3]);
  assert.deepEqual(again, one);
  await opened.dispose();
});

Deno.test("openONNX() passes on why onnxruntime does not read a file", async () => {
  const error = await failure(openONNX({ onnx: new TextEncoder().encode("no model") }, "the model"));
  assert.ok(error instanceof SyntaxError);
  assert.match(error.message, /^Cannot open the model: onnxruntime does not read it\n {2}\S.*\n {2}help: /);
});

Deno.test("openONNX() refuses inputs that do not fit", async () => {
  const opened = await openONNX(files, "the model");
  assert.equal(
    (await failure(opened.run({ pictures: images(1) }))).message,
    "Cannot run the model: 2 inputs do not fit\n  images: found nothing, wanted float32 [any,3,32,32]\n" +
      "  pictures: the model has no such input\n  help: its inputs are images",
  );
  await opened.dispose();
});

Deno.test("openONNX() says what to do where onnxruntime does not load", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const script = join(folder, "open.ts"), file = join(folder, "model.onnx");
    await Deno.writeFile(file, files.onnx);
    const module = new URL("../../lib/runtimes/onnxruntime.ts", import.meta.url).href;
    await Deno.writeTextFile(
      script,
      `import { openONNX } from ${JSON.stringify(module)};
      await openONNX({ onnx: await Deno.readFile(${JSON.stringify(file)}) }, "the model")
        .catch(({ name, message }) => console.log(name + ": " + message));`,
    );
    const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--deny-ffi", "--no-check", "--config", config, script], // no native code loads
      env: { NO_COLOR: "1" },
    }).output();
    assert.match(
      new TextDecoder().decode(stdout),
      /^LibraryError: Cannot run ONNX models: onnxruntime does not load on this machine\n {2}\S.*\n {2}help: export the model with exportIR and run the \.xml in OpenVINO instead\n$/,
      new TextDecoder().decode(stderr),
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
