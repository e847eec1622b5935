import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { ImageSource } from "../../lib/data/dataset.ts";
import type { ExportInput, ExportMetadata } from "../../lib/export/export_metadata.ts";
import { withInput } from "../../lib/export/model_input.ts";
import { decodeModel, encodeModel, type ModelProto } from "../../lib/export/_onnx_messages.ts";
import { toONNX } from "../../lib/export/onnx.ts";
import { toOpenVINO } from "../../lib/export/openvino_ir.ts";
import { checkParity, type ParityCheck } from "../../lib/export/parity.ts";
import type { ParityError } from "../../lib/export/parity_error.ts";
import { toExportGraph } from "../../lib/export/to_export_graph.ts";
import { toExportMetadata } from "../../lib/export/to_export_metadata.ts";
import { vnniWarning } from "../../lib/quantization/vnni.ts";
import type { IRBytes, ONNXBytes } from "../../lib/runtimes/exported_file.ts";
import { randomModel } from "./_networks.ts";

const id = "mobilenetv3_small_100";
const model = await randomModel(id, { imageSize: 64 });
const network = toExportGraph(model);
const photographs = ["cat", "coffee", "rocket", "camera"].map((name) =>
  new URL(`../fixtures/photographs/${name}.jpg`, import.meta.url)
);

/** Everything checkParity() needs, but for the file. */
function made(
  input: ExportInput = { channelOrder: "bgr", values: "raw" },
  precision: "fp32" | "fp16" = "fp32",
): Omit<ParityCheck, "file"> & { metadata: ExportMetadata } {
  const graph = withInput(network.graph, model.preprocessing, input);
  return { model, network, graph, metadata: toExportMetadata(model, graph, { input, precision }) };
}

const settings = { precision: "fp32", dynamicBatch: false } as const;
const raw = made();
const ir = toOpenVINO(raw.graph, raw.metadata, settings);
const onnx = toONNX(raw.graph, raw.metadata, settings);

/** A copy of the ONNX file in which something is different. */
function changedONNX(change: (model: ModelProto) => void): ONNXBytes {
  const copy = decodeModel(onnx);
  change(copy);
  return { onnx: encodeModel(copy) };
}

/** Changes a number of an ONNX file's constant. */
function changedConstant(name: string, index: number, change: (value: number) => number): ONNXBytes {
  return changedONNX(({ graph }) => {
    const tensor = graph.initializer.find((tensor) => tensor.name === name)!;
    const values = new Float32Array(tensor.rawData.slice().buffer);
    values[index] = change(values[index]!);
    tensor.rawData = new Uint8Array(values.buffer);
  });
}

/** Changes a number of an IR's constant, and the record of the weights with it: nobody else will notice. */
function changedWeights(name: string, index: number, change: (value: number) => number): IRBytes {
  const layer = ir.xml.slice(ir.xml.indexOf(` name="${name}" type="Const"`));
  const offset = Number(/ offset="(\d+)"/.exec(layer)![1]);
  const bin = ir.bin.slice();
  const values = new DataView(bin.buffer);
  const at = offset + 4 * index;
  values.setFloat32(at, change(values.getFloat32(at, true)), true);
  const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
  return { xml: ir.xml.replace(digest(ir.bin), digest(bin)), bin };
}

/** What a check throws. */
async function refusal(check: ParityCheck): Promise<ParityError> {
  try {
    await checkParity(check);
  } catch (error) {
    assert.equal((error as Error).name, "ParityError", String(error));
    return error as ParityError;
  }
  assert.fail("the file was accepted");
}

for (const [name, file] of Object.entries({ OpenVINO: ir, onnxruntime: { onnx } })) {
  Deno.test(`checkParity() finds the model in a file that runs in ${name}`, async () => {
    const parity = await checkParity({ ...raw, file });
    assert.ok(parity.checked);
    assert.match(parity.runtime, new RegExp(`^${name} \\d+\\.\\d+`));
    assert.ok(parity.maxAbsDifference > 0 && parity.relativeDifference < 1e-5, JSON.stringify(parity));
    const { pictures, source, top1Agreement, nearTies, limits } = parity;
    assert.deepEqual({ pictures, source, top1Agreement, nearTies, limits }, {
      pictures: 8,
      source: "examples",
      top1Agreement: 1,
      nearTies: 0,
      limits: { maxRelativeDifference: 1e-4 },
    });
  });
}

Deno.test("checkParity() takes the caller's pictures, any input and any batch", async (t) => {
  for (const channelOrder of ["bgr", "rgb"] as const) {
    for (const values of ["raw", "normalized"] as const) {
      for (const dynamicBatch of [false, true]) {
        await t.step(
          `${channelOrder}, ${values}, ${dynamicBatch ? "any batch" : "one picture"}`,
          async () => {
            const check = made({ channelOrder, values });
            const options = { ...settings, dynamicBatch };
            const files = [
              { onnx: toONNX(check.graph, check.metadata, options) },
              toOpenVINO(check.graph, check.metadata, options),
            ];
            for (const file of files) {
              const parity = await checkParity({ ...check, file, pictures: photographs.slice(0, 3) });
              assert.ok(parity.checked && parity.relativeDifference < 1e-5, JSON.stringify(parity));
              assert.deepEqual([parity.pictures, parity.source], [3, "given"]);
            }
          },
        );
      }
    }
  }
});

Deno.test("checkParity() allows weights in half precision what rounding takes", async () => {
  const check = made({ channelOrder: "bgr", values: "raw" }, "fp16");
  const file = { onnx: toONNX(check.graph, check.metadata, { ...settings, precision: "fp16" }) };
  const parity = await checkParity({ ...check, file });
  assert.ok(parity.checked);
  assert.deepEqual(parity.limits, { maxRelativeDifference: 1e-2 });
  assert.ok(parity.relativeDifference > 1e-5 && parity.relativeDifference < 1e-2);
  const { message } = await refusal({ ...check, file, limits: { maxRelativeDifference: 1e-6 } });
  assert.match(
    message,
    /\n {2}no operation alone is the cause: each agrees where its value is asked for\n/,
  );
});

const breakages: Record<string, { file: IRBytes | ONNXBytes; node: string; says: RegExp }> = {
  "the mean of an ONNX file": {
    file: changedConstant("images/offset", 0, (value) => value + 0.02),
    node: "images/normalized",
    says: /it begins with the preprocessing: the normalised pictures, "images\/normalized": differs by/,
  },
  "the mean of an IR": {
    file: changedWeights("images/offset", 2, (value) => value + 0.02),
    node: "images/normalized",
    says: /it begins with the preprocessing: the normalised pictures, "images\/normalized": differs by/,
  },
  "a weight of an ONNX file": {
    file: changedConstant("blocks.2.0.conv_pw.weight", 5, (value) => value + 0.3),
    node: "blocks.2.0.conv_pw",
    says:
      /it begins at "blocks\.2\.0\.conv_pw" \(convolution \[1,96,8,8\]\), which differs by .* before it agrees/,
  },
  "a weight of an IR": {
    file: changedWeights("blocks.2.0.conv_pw.weight", 5, (value) => value + 0.3),
    node: "blocks.2.0.conv_pw",
    says:
      /it begins at "blocks\.2\.0\.conv_pw" \(convolution \[1,96,8,8\]\), which differs by .* before it agrees/,
  },
  "an operation of an ONNX file": {
    file: changedONNX(({ graph }) => {
      graph.node.find(({ name }) => name === "blocks.2.1.conv_pw/hardSwish")!.opType = "Relu";
    }),
    node: "blocks.2.1.conv_pw/hardSwish",
    says: /it begins at "blocks\.2\.1\.conv_pw\/hardSwish" \(hardSwish \[1,240,4,4\]\), which differs by/,
  },
  "an operation of an IR": {
    file: {
      ...ir,
      xml: ir.xml.replace(
        'name="blocks.2.1.conv_pw/hardSwish" type="HSwish" version="opset4"',
        'name="blocks.2.1.conv_pw/hardSwish" type="ReLU" version="opset1"',
      ),
    },
    node: "blocks.2.1.conv_pw/hardSwish",
    says: /it begins at "blocks\.2\.1\.conv_pw\/hardSwish" \(hardSwish \[1,240,4,4\]\), which differs by/,
  },
  "a weight of NaN": {
    file: changedConstant("conv_head.weight", 0, () => NaN),
    node: "conv_head",
    says:
      /it begins at "conv_head" \(convolution \[1,1024,1,1\]\), which is not finite, or of another shape;/,
  },
};
for (const [what, { file, node, says }] of Object.entries(breakages)) {
  Deno.test(`checkParity() catches and names ${what} that was changed`, async () => {
    const error = await refusal({ ...raw, file, pictures: photographs });
    assert.match(error.message, says);
    assert.equal(error.node, node);
  });
}

Deno.test("checkParity() says by how much, where and what to do", async () => {
  const { message } = await refusal({
    ...raw,
    file: breakages["a weight of an ONNX file"]!.file,
    pictures: photographs.slice(0, 1),
  });
  const number = String.raw`[\d.e-]+`;
  assert.match(
    message,
    new RegExp(
      String
        .raw`^Cannot export mobilenetv3_small_100\.lamb_in1k: the file computes something else than the model
  runtime: onnxruntime 1\.30\.0, on 1 of your pictures
  logits: differ by up to ${number}, which is ${number} % of their range, wanted at most 0\.01 %
  top-1: the same for (0|100) % of the pictures
  it begins at "blocks\.2\.0\.conv_pw" .*
  help: export the model again; if that does not help, report this message, or accept the difference with ` +
        String.raw`\{ parity: \{ maxRelativeDifference \} \}$`,
    ),
  );
  const preprocessing = await refusal({ ...raw, file: breakages["the mean of an IR"]!.file });
  assert.match(
    preprocessing.message,
    /\n {2}help: mean, scale or the order of the channels in the file are not the model's; export it again$/,
  );
});

Deno.test("checkParity() looks at the share of equal classes where that is asked for", async () => {
  const { file } = breakages["an operation of an ONNX file"]!;
  const anyDifference = { maxRelativeDifference: 1e9 };
  const lenient = await checkParity({ ...raw, file, limits: anyDifference });
  assert.ok(lenient.checked && lenient.relativeDifference > 1e-4);
  const shuffled = changedONNX(({ graph }) => {
    const tensor = graph.initializer.find(({ name }) => name === "classifier.bias")!;
    const values = new Float32Array(tensor.rawData.slice().buffer);
    values[3] = 1e3;
    tensor.rawData = new Uint8Array(values.buffer);
  });
  const limits = { ...anyDifference, minTop1Agreement: 0.99 };
  const { message } = await refusal({ ...raw, file: shuffled, limits });
  assert.match(message, /\n {2}top-1: the same for [\d.]+ % of the pictures, wanted at least 99 %\n/);
  assert.match(
    message,
    /accept the difference with \{ parity: \{ maxRelativeDifference, minTop1Agreement \} \}$/,
  );
});

Deno.test("checkParity() keeps the usual bound where only the other one is given", async () => {
  const { file } = breakages["an operation of an ONNX file"]!;
  for (const limits of [{}, { minTop1Agreement: 0 }, { maxRelativeDifference: undefined }]) {
    const { message } = await refusal({ ...raw, file, limits });
    assert.match(message, /of their range, wanted at most 0\.01 %\n/);
  }
});

Deno.test("checkParity() looks at all pictures, whatever their number", async () => {
  const { width, height } = model.preprocessing.size;
  const grey = { width, height, channels: 3, data: new Uint8Array(3 * width * height).fill(128) } as const;
  const { file } = breakages["a weight of an ONNX file"]!;
  const difference = async (pictures: ImageSource[]) => {
    const parity = await checkParity({ ...raw, file, pictures, limits: { maxRelativeDifference: 1e9 } });
    assert.ok(parity.checked && parity.pictures === pictures.length);
    return parity.maxAbsDifference;
  };
  const [ofGrey, ofPhotograph] = [await difference([grey]), await difference([photographs[0]!])];
  assert.ok(ofGrey < 0.9 * ofPhotograph, `${ofGrey} and ${ofPhotograph}`);
  const ofAll = await difference([...Array(69).fill(grey), photographs[0]!]);
  assert.ok(Math.abs(ofAll - ofPhotograph) < 1e-3 * ofPhotograph, `${ofAll} and ${ofPhotograph}`);
});

Deno.test("checkParity() says that 8 bits saturate where the processor has no VNNI", async () => {
  const { file } = breakages["a weight of an ONNX file"]!;
  const quantization = { weightBits: 8, floatLayers: [] } as const;
  const { message } = await refusal({
    ...raw,
    model: { ...model, logits: model.logits, quantization },
    file,
  });
  const lines = message.split("\n").slice(-2);
  const saturates = vnniWarning() !== undefined;
  assert.equal(
    /the likely reason: its weights have 8 bits and this processor has no VNNI/.test(lines[0]!),
    saturates,
  );
  assert.equal(
    /^ {2}help: export the model on a processor with VNNI, quantise it with \{ target: "any" \}, or accept /
      .test(
        lines[1]!,
      ),
    saturates,
  );
  const seven = { weightBits: 7, floatLayers: [] } as const;
  assert.doesNotMatch(
    (await refusal({ ...raw, model: { ...model, quantization: seven }, file })).message,
    /VNNI/,
  );
});

Deno.test("checkParity() compares files on the disk", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeFile(`${folder}/a.onnx`, onnx);
    await Deno.writeTextFile(`${folder}/a.xml`, ir.xml);
    await Deno.writeFile(`${folder}/a.bin`, ir.bin);
    for (const file of [`${folder}/a.onnx`, `${folder}/a.xml`]) {
      assert.ok((await checkParity({ ...raw, file, pictures: photographs })).checked);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("checkParity() names pictures that cannot be read", async () => {
  await assert.rejects(checkParity({ ...raw, file: { onnx }, pictures: ["no/such.jpg"] }), {
    name: "DatasetError",
    message: `Cannot compare ${model.id} with its file: 1 of 1 pictures are not readable\n` +
      "  no/such.jpg: no such file\n  help: leave them out",
  });
});

Deno.test("checkParity() stops when it is told to", async () => {
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(checkParity({ ...raw, file: { onnx }, signal }), { message: "enough" });
});
