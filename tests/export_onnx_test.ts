import assert from "node:assert/strict";
import { metadataOfONNX } from "../lib/export/read_onnx_metadata.ts";
import { exportONNX, type ExportONNXOptions } from "../lib/export_onnx.ts";
import { openExported } from "../lib/runtimes/exported_model.ts";
import { randomModel } from "./export/_networks.ts";

const model = await randomModel("mobilenetv3_small_100", { imageSize: 32 });

/** Runs a test in a folder of its own. */
async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const entries = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("exportONNX() writes a file that says how it compares, and shows itself", () =>
  inFolder(async (folder) => {
    const file = `${folder}/new/pets.onnx`;
    const result = await exportONNX(model, file);
    assert.deepEqual(entries(`${folder}/new`), ["pets.onnx"]);
    const bytes = await Deno.readFile(file);
    const { parity, ...rest } = result;
    assert.deepEqual({ ...rest }, {
      onnx: file,
      model: model.id,
      precision: "fp32",
      input: { channelOrder: "bgr", values: "raw" },
      sizeBytes: bytes.length,
    });
    assert.ok(parity.checked && parity.relativeDifference < 1e-5);
    assert.match(
      Deno.inspect(result),
      /pets\.onnx: .* MB, fp32, takes BGR planes, raw values 0\.\.255\ncompared with the trained model on 8 made-up pictures in onnxruntime 1\.30\.0: logits differ by at most/,
    );
    assert.deepEqual(metadataOfONNX(bytes)?.classNames, model.classNames);
    assert.deepEqual(metadataOfONNX(bytes)?.complexity, model.complexity);
  }));

Deno.test("exportONNX() writes the same bytes again", () =>
  inFolder(async (folder) => {
    await exportONNX(model, `${folder}/a.onnx`, { parity: false });
    await exportONNX(model, `${folder}/b.onnx`, { parity: false });
    assert.deepEqual(await Deno.readFile(`${folder}/a.onnx`), await Deno.readFile(`${folder}/b.onnx`));
  }));

Deno.test("exportONNX() does what its options say", () =>
  inFolder(async (folder) => {
    const file = `${folder}/a.onnx`;
    const options = {
      precision: "fp16",
      preprocessing: "normalized",
      channelOrder: "rgb",
      dynamicBatch: true,
      pictures: new URL("./fixtures/photographs", import.meta.url).pathname,
    } as const;
    const { parity, precision, input, sizeBytes } = await exportONNX(model, file, options);
    assert.ok(parity.checked);
    assert.deepEqual([parity.pictures, parity.source, precision], [4, "given", "fp16"]);
    assert.deepEqual(input, { channelOrder: "rgb", values: "normalized" });
    const full = await exportONNX(model, `${folder}/full.onnx`, { parity: false });
    assert.ok(sizeBytes < 0.55 * full.sizeBytes);
    assert.deepEqual(full.parity, {
      checked: false,
      reason: "it was not asked for",
      help: "leave { parity: false } out",
    });
    const opened = await openExported(file);
    assert.deepEqual(opened.inputs, [{ name: "images", dtype: "float32", shape: [-1, 3, 32, 32] }]);
    await opened.dispose();
  }));

Deno.test("exportONNX() leaves the older file where the new one would disagree", () =>
  inFolder(async (folder) => {
    const file = `${folder}/a.onnx`;
    await Deno.writeTextFile(file, "older");
    const options = { precision: "fp16", parity: { maxRelativeDifference: 1e-7 } } as const;
    await assert.rejects(exportONNX(model, file, options), { name: "ParityError" });
    assert.equal(await Deno.readTextFile(file), "older");
    assert.deepEqual(entries(folder), ["a.onnx"]);
  }));

Deno.test("exportONNX() leaves nothing where it cannot write", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/taken`, "a file");
    await assert.rejects(exportONNX(model, `${folder}/taken/a.onnx`, { parity: false }), {
      message: `Cannot write "${folder}/taken/a.onnx": a file stands where its folder should be\n` +
        "  help: choose another path",
    });
    await Deno.mkdir(`${folder}/a.onnx`);
    await assert.rejects(exportONNX(model, `${folder}/a.onnx`, { parity: false }), {
      message: /^Cannot write ".*a\.onnx": a folder of that name is there\n/,
    });
    assert.deepEqual(entries(folder), ["a.onnx", "taken"]);
  }));

Deno.test("exportONNX() stops when it is told to, and writes nothing", () =>
  inFolder(async (folder) => {
    const signal = AbortSignal.abort(new Error("enough"));
    await assert.rejects(exportONNX(model, `${folder}/a.onnx`, { signal }), { message: "enough" });
    assert.deepEqual(entries(folder), []);
  }));

Deno.test("exportONNX() refuses what it does not know, and other endings", async () => {
  const refuses = (file: string, options: object, message: string | RegExp) =>
    assert.rejects(exportONNX(model, file, options as ExportONNXOptions), { message });
  await refuses(
    "a.xml",
    {},
    'Cannot run exportONNX(): found "a.xml" for the file, wanted a path that ends in .onnx\n' +
      '  help: write for example exportONNX(model, "pets.onnx")',
  );
  await refuses("a.onnx", { presision: "fp16" }, /\n {2}"presision": did you mean "precision"\?\n/);
  await refuses("a.onnx", { parity: { maxRelativeDiff: 1 } }, /did you mean "maxRelativeDifference"\?/);
  await refuses(
    "a.onnx",
    { precision: "int8", channelOrder: "gbr", pictures: [] },
    /3 options have values that cannot be used\n {2}precision: found "int8", wanted "fp32" or "fp16"\n/,
  );
});
