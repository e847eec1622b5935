import assert from "node:assert/strict";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { openExported } from "../../lib/runtimes/exported_model.ts";
import { openIR } from "../../lib/runtimes/openvino.ts";
import { runOpenVINO } from "../export/_openvino.ts";
import { failure } from "../training/_runs.ts";
import { exportSmall, smallModel } from "./_exported_files.ts";

const model = await smallModel();
const files = exportSmall(model, { input: { channelOrder: "rgb", values: "normalized" } });

/** Some pictures. */
function images(rows: number): HostTensor & { data: Float32Array } {
  const data = Float32Array.from({ length: rows * 3 * 32 * 32 }, (_, index) => Math.sin(index * index));
  return { dtype: "float32", shape: [rows, 3, 32, 32], data };
}

Deno.test("openIR() gives what Python's OpenVINO gives, bit for bit, and says the same of the model", async () => {
  const opened = await openIR(files, "the model");
  try {
    const input = images(3);
    const [{ output, inputs, outputs }] = await runOpenVINO([{ files, input }]) as [
      Awaited<ReturnType<typeof runOpenVINO>>[number],
    ];
    const { logits } = await opened.run({ images: input });
    assert.deepEqual(logits, { dtype: "float32", shape: output.shape, data: output.data });
    assert.ok(Math.max(...output.data) - Math.min(...output.data) > 0.01);
    assert.match(opened.runtime, /^OpenVINO 2026\.\d+\.\d+$/);
    assert.deepEqual(opened.inputs, [{ name: "images", dtype: "float32", shape: [-1, 3, 32, 32] }]);
    assert.deepEqual(opened.outputs, [{ name: "logits", dtype: "float32", shape: [-1, 3] }]);
    assert.deepEqual(
      [inputs, outputs].map(([port]) => [port!.names, port!.shape]),
      [[["images"], "[?,3,32,32]"], [["logits"], "[?,3]"]],
    );
  } finally {
    await opened.dispose();
  }
});

Deno.test("openIR() takes turns: runs that overlap, in several requests, give what each gives alone", async () => {
  for (const performance of ["latency", "throughput"] as const) {
    const opened = await openIR(files, "the model", { performance, threads: 2 });
    const alone: HostTensor[] = [];
    for (const rows of [1, 2, 5]) alone.push((await opened.run({ images: images(rows) })).logits!);
    const together = await Promise.all(
      Array.from({ length: 12 }, (_, index) => opened.run({ images: images([1, 2, 5][index % 3]!) })),
    );
    for (const [index, { logits }] of together.entries()) {
      assert.deepEqual(logits!.shape, alone[index % 3]!.shape);
      const largest = Math.max(...alone[index % 3]!.data as Float32Array);
      for (const [at, value] of (logits!.data as Float32Array).entries()) {
        assert.ok(Math.abs(value - Number(alone[index % 3]!.data[at])) < 1e-5 * largest);
      }
    }
    await opened.dispose();
  }
});

Deno.test("openIR() leaves the event loop alive while it computes", async () => {
  const opened = await openIR(files, "the model", { threads: 1 });
  const input = images(256);
  await opened.run({ images: input });
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  for (let run = 0; run < 5; run++) await opened.run({ images: input });
  clearInterval(timer);
  assert.ok(ticks > 5, `the timer ran ${ticks} times`);
  await opened.dispose();
});

Deno.test("openIR() does not gather memory, over runs or over models", async () => {
  const grown = async (times: number, work: () => Promise<unknown>) => {
    for (let i = 0; i < times / 4; i++) await work();
    const before = Deno.memoryUsage().rss;
    for (let i = 0; i < times; i++) await work();
    return Deno.memoryUsage().rss - before;
  };
  const opened = await openIR(files, "the model");
  const input = { images: images(4) };
  const runs = await grown(1000, () => opened.run(input));
  await opened.dispose();
  assert.ok(runs < 30e6, `1000 runs: ${runs} bytes`); // their inputs are 50 MB
  const models = await grown(16, async () => (await openIR(files, "the model")).dispose());
  assert.ok(models < 60e6, `16 models: ${models} bytes`); // their weights alone are 100 MB
});

Deno.test("openIR() refuses inputs that do not fit, all at once", async () => {
  const opened = await openIR(files, "the model");
  const { data } = images(1);
  const { message } = await failure(opened.run({
    images: { dtype: "float32", shape: [1, 3, 32, 31], data },
    labels: { dtype: "int32", shape: [1], data: new Int32Array(1) },
  }));
  assert.equal(
    message,
    "Cannot run the model: 2 inputs do not fit\n" +
      "  images: found float32 [1,3,32,31], wanted float32 [any,3,32,32]\n" +
      "  labels: the model has no such input\n  help: its inputs are images",
  );
  const one = async (inputs: Record<string, HostTensor>) =>
    (await failure(opened.run(inputs))).message.split("\n")[1];
  assert.equal(await one({}), "  images: found nothing, wanted float32 [any,3,32,32]");
  assert.equal(
    await one({ images: { dtype: "float32", shape: [2, 3, 32, 32], data } }),
    "  images: found 3072 values, wanted 6144 for [2,3,32,32]",
  );
  assert.equal(
    await one({ images: { dtype: "uint8", shape: [1, 3, 32, 32], data: new Uint8Array(3072) } }),
    "  images: found uint8 [1,3,32,32], wanted float32 [any,3,32,32]",
  );
  assert.match(
    (await one({ images: { dtype: "float32", shape: [0, 3, 32, 32], data } }))!,
    /found float32 \[0,/,
  );
  await opened.dispose();
});

Deno.test("openIR() passes on why OpenVINO does not read a model", async () => {
  const bad = files.xml.replace('type="ReLU"', 'type="Rectify"');
  assert.notEqual(bad, files.xml);
  const error = await failure(openExported({ xml: bad, bin: files.bin }));
  assert.ok(error instanceof SyntaxError);
  assert.match(
    error.message,
    /^Cannot open the OpenVINO model: OpenVINO does not read it\n {2}.*Rectify.*\n {2}help: export the model again, or open it with the OpenVINO it was made for$/,
  );
  assert.doesNotMatch(error.message, /src\//);
  const { message } = await failure(openExported({ xml: "<net", bin: files.bin }));
  assert.match(message, /damaged/);
});

Deno.test("an open model is disposed of after its runs, and only once", async () => {
  for (const file of [files, { onnx: files.onnx }]) {
    const opened = await openExported(file);
    const underWay = opened.run({ images: images(4) });
    const [{ logits }] = await Promise.all([underWay, opened.dispose(), opened.dispose()]);
    assert.equal(logits!.data.length, 12);
    await opened.dispose();
    assert.match(
      (await failure(opened.run({ images: images(1) }))).message,
      /^Cannot run the (OpenVINO|ONNX) model: it was disposed of$/,
    );
  }
});

Deno.test("profile() names the kernels that ran, with their numbers", async () => {
  const opened = await openIR(files, "the model", { profiling: true });
  assert.throws(() => opened.profile(), /it has not run yet/);
  await opened.run({ images: images(2) });
  const ran = opened.profile().filter(({ status }) => status === "executed");
  const convolutions = ran.filter(({ type }) => type === "Convolution");
  assert.ok(convolutions.length > 20, `${convolutions.length} convolutions`);
  for (const { kernel, name } of convolutions) assert.match(kernel, /_f32$/i, name);
  assert.ok(ran.some(({ milliseconds }) => milliseconds > 0));
  await opened.dispose();
  assert.throws(() => opened.profile(), /it was disposed of/);
});
