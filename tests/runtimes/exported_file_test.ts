import assert from "node:assert/strict";
import { join } from "node:path";
import { isExportedPath, readExported } from "../../lib/runtimes/exported_file.ts";
import { failure, freshFolder } from "../training/_runs.ts";
import { exportSmall, smallModel } from "./_exported_files.ts";

const { xml, bin, onnx } = exportSmall(await smallModel());
const files = { xml, bin, onnx };

/** A folder with what is given of `model.xml`, `model.bin` and `model.onnx`. */
async function folderOf(contents: { xml?: string; bin?: Uint8Array; onnx?: Uint8Array }): Promise<string> {
  const folder = freshFolder();
  await Deno.mkdir(folder, { recursive: true });
  for (const [ending, content] of Object.entries(contents)) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(join(folder, `model.${ending}`), bytes);
  }
  return folder;
}

Deno.test("isExportedPath() goes by the ending", () => {
  for (const path of ["a.xml", "a/b.onnx", "C:\\a.XML"]) assert.ok(isExportedPath(path), path);
  for (const path of ["a.bin", "xml", "best.safetensors", "mobilenetv3_small_100"]) {
    assert.ok(!isExportedPath(path), path);
  }
});

Deno.test("readExported() reads an .xml with its .bin, and an .onnx", async () => {
  const folder = await folderOf(files);
  const ir = await readExported(join(folder, "model.xml"));
  assert.ok("xml" in ir);
  assert.equal(ir.xml, files.xml);
  assert.deepEqual(ir.bin, files.bin);
  const onnx = await readExported(join(folder, "model.onnx"));
  assert.ok("onnx" in onnx);
  assert.deepEqual(onnx.onnx, files.onnx);
});

Deno.test("readExported() says what it cannot read", async () => {
  const folder = await folderOf({ xml: files.xml });
  await Deno.mkdir(join(folder, "folder.onnx"));
  const table: [string, string][] = [
    ["nothing.xml", "no such file\n  help: pass the path of an .xml or an .onnx file"],
    ["nothing.onnx", "no such file\n  help: pass the path of an .xml or an .onnx file"],
    ["folder.onnx", "it is a folder\n  help: pass the path of an .xml or an .onnx file"],
    [
      "model.xml",
      'its weights "model.bin": no such file\n' +
      "  help: an .xml needs the .bin it was written with beside it, under the same name",
    ],
    [
      "model.bin",
      `wanted the path of an .xml or an .onnx file\n  help: name the .xml beside it: ${
        JSON.stringify(join(folder, "model.xml"))
      }`,
    ],
    [
      "model.pb",
      "wanted the path of an .xml or an .onnx file\n  help: exportIR writes an .xml, exportONNX an .onnx",
    ],
  ];
  for (const [file, reason] of table) {
    const path = join(folder, file);
    const { message } = await failure(readExported(path));
    assert.equal(message, `Cannot open exported model ${JSON.stringify(path)}: ${reason}`);
  }
});

Deno.test("readExported() refuses weights that were cut off or changed", async () => {
  const cut = await folderOf({ xml: files.xml, bin: files.bin.subarray(0, files.bin.length - 4) });
  const path = join(cut, "model.xml");
  const error = await failure(readExported(path));
  assert.ok(error instanceof SyntaxError);
  assert.equal(
    error.message,
    `Cannot use the weights of exported model ${
      JSON.stringify(path)
    }: the .bin is cut off, or belongs to another .xml\n` +
      `  it has ${files.bin.length - 4} bytes, wanted at least ${files.bin.length}\n` +
      "  help: copy both files again, or export the model again",
  );
  const bin = files.bin.slice();
  bin[1000]! ^= 1;
  const { message } = await failure(readExported(join(await folderOf({ xml: files.xml, bin }), "model.xml")));
  assert.match(
    message,
    /^Cannot use the weights of exported model ".*model\.xml": the \.bin does not belong to the \.xml\n/,
  );
  const longer = new Uint8Array(files.bin.length + 4);
  longer.set(files.bin);
  await assert.rejects(readExported({ xml: files.xml, bin: longer }), /does not belong to the \.xml/);
});

Deno.test("readExported() checks the size of weights that have no other record", async () => {
  const xml =
    '<net><layers><layer><data shape="2" element_type="f32" offset="8" size="8" /></layer></layers></net>';
  await readExported({ xml, bin: new Uint8Array(16) });
  const { message } = await failure(readExported({ xml, bin: new Uint8Array(15) }));
  assert.match(
    message,
    /^Cannot use the weights of the OpenVINO model: .*\n {2}it has 15 bytes, wanted at least 16\n/,
  );
});
