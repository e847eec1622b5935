import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { metadataOfIR } from "../lib/export/read_ir_metadata.ts";
import { exportIR, type ExportIROptions } from "../lib/export_ir.ts";
import { jupyterDisplay } from "../lib/notebook/display.ts";
import { randomModel } from "./export/_networks.ts";

const model = await randomModel("mobilenetv3_small_100", {
  classNames: ["cat", "guinea pig"],
  imageSize: 64,
});

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function namesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
}

Deno.test("exportIR() writes two files and says how they compare with the model", () =>
  inFolder(async (outer) => {
    const folder = join(outer, "new");
    const result = await exportIR(model, folder);
    assert.deepEqual(namesIn(folder), ["model.bin", "model.xml"]);
    const { parity, sizeBytes, ...rest } = result;
    assert.deepEqual(rest, {
      xml: join(folder, "model.xml"),
      bin: join(folder, "model.bin"),
      model: "mobilenetv3_small_100.lamb_in1k",
      precision: "fp32",
      input: { channelOrder: "bgr", values: "raw" },
    });
    assert.equal(sizeBytes, Deno.statSync(result.xml).size + Deno.statSync(result.bin).size);
    assert.ok(parity.checked && parity.top1Agreement === 1 && parity.relativeDifference < 1e-4);
    assert.deepEqual([parity.pictures, parity.source], [8, "examples"]);
    assert.deepEqual(metadataOfIR(await Deno.readTextFile(result.xml)), {
      format: 1,
      model: "mobilenetv3_small_100.lamb_in1k",
      classNames: ["cat", "guinea pig"],
      preprocessing: model.preprocessing,
      input: { channelOrder: "bgr", values: "raw" },
      precision: "fp32",
      complexity: model.complexity,
    });
  }));

Deno.test("exportIR() returns plain data that shows itself", () =>
  inFolder(async (folder) => {
    const pictures = fileURLToPath(new URL("./fixtures/photographs/", import.meta.url));
    const result = await exportIR(model, folder, { name: "a b", pictures, channelOrder: "rgb" });
    assert.deepEqual(JSON.parse(JSON.stringify(result)), { ...result });
    const [first, second] = Deno.inspect(result).split("\n");
    assert.equal(
      first,
      `${join(folder, "a b.xml")} and a b.bin: 6.2 MB, fp32, takes RGB planes, raw values 0..255`,
    );
    assert.match(
      second!,
      /^compared with the trained model on 4 pictures in OpenVINO [\d.]+: logits differ by at most \S+, \S+ % of their range, top-1 the same for 100.0 %$/,
    );
    const shown =
      await (result as unknown as Record<symbol, () => Promise<Record<string, string>>>)[jupyterDisplay]!();
    assert.match(shown["text/html"]!, /Top-1 the same[^]*100\.0 %[^]*Largest difference[^]*6\.2 MB/);
  }));

Deno.test("exportIR() writes the same bytes again, and replaces older files", () =>
  inFolder(async (folder) => {
    const options = { precision: "fp16", dynamicBatch: true, preprocessing: "normalized" } as const;
    const bytes = async (name: string) => {
      const { xml, bin } = await exportIR(model, folder, { ...options, name, parity: false });
      return [await Deno.readFile(xml), await Deno.readFile(bin)];
    };
    await Deno.writeTextFile(join(folder, "two.xml"), "older");
    await Deno.writeTextFile(join(folder, "two.bin"), "older");
    assert.deepEqual(await bytes("one"), await bytes("two"));
    assert.deepEqual(namesIn(folder), ["one.bin", "one.xml", "two.bin", "two.xml"]);
  }));

Deno.test("exportIR() writes nothing where the file does not agree with the model", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "model.xml"), "older");
    await assert.rejects(exportIR(model, folder, { parity: { maxRelativeDifference: 0 } }), {
      name: "ParityError",
      message: /^Cannot export mobilenetv3_small_100.lamb_in1k: /,
    });
    assert.deepEqual(namesIn(folder), ["model.xml"]);
    assert.equal(await Deno.readTextFile(join(folder, "model.xml")), "older");
  }));

Deno.test("exportIR() writes the files without OpenVINO too, and says that they were not compared", () =>
  inFolder(async (folder) => {
    const nowhere = join(folder, "nowhere");
    const module = (name: string) => JSON.stringify(new URL(`../lib/${name}`, import.meta.url).href);
    // A process that has OpenVINO open keeps it.
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        "--config",
        fileURLToPath(new URL("../deno.json", import.meta.url)),
        `import { exportIR } from ${module("export_ir.ts")};
        import { loadModel } from ${module("load_model.ts")};
        const model = await loadModel("mobilenetv3_small_100", { weights: null, numClasses: 2, imageSize: 32 });
        console.log(await exportIR(model, "ir"));`,
      ],
      cwd: folder,
      env: { WHITTLE_OPENVINO: nowhere, NO_COLOR: "1" },
    }).output();
    const [, second, ...help] = new TextDecoder().decode(stdout).trim().split("\n");
    assert.equal(
      second,
      `not compared with the trained model: Cannot use WHITTLE_OPENVINO=${nowhere}: there is no such file`,
      new TextDecoder().decode(stderr),
    );
    assert.match(help.join("\n"), /^ {2}help: set it to the path of libopenvino_c/);
    assert.deepEqual(namesIn(join(folder, "ir")), ["model.bin", "model.xml"]);
  }));

Deno.test("exportIR() does not compare where that is not wanted", () =>
  inFolder(async (folder) => {
    const { parity } = await exportIR(model, folder, { parity: false });
    const help = "leave { parity: false } out";
    assert.deepEqual(parity, { checked: false, reason: "it was not asked for", help });
  }));

Deno.test("exportIR() says why it cannot write, and leaves nothing half", () =>
  inFolder(async (outer) => {
    await Deno.writeTextFile(join(outer, "file"), "x");
    const folder = join(outer, "file", "ir");
    await assert.rejects(exportIR(model, folder, { parity: false }), {
      message: `Cannot write "${join(folder, "model.bin")}": a file stands where its folder should be\n` +
        "  help: choose another path",
    });
    const taken = join(outer, "taken");
    await Deno.mkdir(join(taken, "model.xml", "full"), { recursive: true });
    await assert.rejects(exportIR(model, taken, { parity: false }), {
      message: `Cannot write "${join(taken, "model.xml")}": a folder of that name is there\n` +
        "  help: choose another path",
    });
    assert.deepEqual(namesIn(taken), ["model.xml"]);
  }));

Deno.test("exportIR() refuses options and folders that it cannot use", async () => {
  const run = (options: object, folder: unknown = "ir") =>
    exportIR(model, folder as string, options as ExportIROptions);
  await assert.rejects(run({ precison: "fp16", batch: 2 }), {
    name: "TypeError",
    message: "Cannot run exportIR(): 2 options are not known\n" +
      '  "precison": did you mean "precision"?\n  "batch"\n' +
      "  help: the options of exportIR() are anySize, channelOrder, device, dynamicBatch, executor, name, onProgress, " +
      "parity, pictures, precision, preprocessing, signal",
  });
  await assert.rejects(run({ parity: { maxDrop: 1 } }), {
    name: "TypeError",
    message: /^Cannot run exportIR\(\): 1 field of the parity is not known\n/,
  });
  const wrong = {
    precision: "int8",
    preprocessing: "inside",
    channelOrder: "BGR",
    dynamicBatch: 4,
    pictures: [],
    parity: { minTop1Agreement: 2 },
    name: "a/b",
  };
  await assert.rejects(run(wrong), {
    name: "TypeError",
    message: "Cannot run exportIR(): 7 options have values that cannot be used\n" +
      '  precision: found "int8", wanted "fp32" or "fp16"\n' +
      '  name: found "a/b", wanted a name without folder and ending\n' +
      '  preprocessing: found "inside", wanted "embedded" or "normalized"\n' +
      '  channelOrder: found "BGR", wanted "bgr" or "rgb"\n' +
      "  dynamicBatch: found 4, wanted true or false\n" +
      "  pictures: found an array of 0, wanted a list of at least one picture, or the path of a folder\n" +
      "  parity.minTop1Agreement: found 2, wanted a number from 0 to 1\n" +
      "  help: leave an option out to get its default",
  });
  await assert.rejects(run({ anySize: true, preprocessing: "normalized" }), {
    name: "TypeError",
    message: "Cannot run exportIR(): a file resizes raw pictures only, and " +
      '{ anySize: true, preprocessing: "normalized" } was given\n  help: leave one of them out',
  });
  await assert.rejects(run({ name: "model.xml" }), /name: found "model.xml", wanted a name without folder/);
  for (const folder of ["pets.xml", "", 5]) {
    await assert.rejects(run({}, folder), {
      name: "TypeError",
      message:
        `Cannot run exportIR(): found ${
          JSON.stringify(folder)
        } for the folder, wanted the path of a folder\n` +
        '  help: write for example exportIR(model, "pets_ir"); { name: "pets" } makes the files pets.xml and pets.bin',
    });
  }
});

Deno.test("exportIR() stops when it is told to", () =>
  inFolder(async (folder) => {
    await assert.rejects(exportIR(model, folder, { signal: AbortSignal.abort("enough") }), (reason) =>
      reason === "enough");
    assert.deepEqual(namesIn(folder), []);
  }));
