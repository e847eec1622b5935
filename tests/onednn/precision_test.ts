import assert from "node:assert/strict";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { bf16Unavailable, type Machine, requirePrecision } from "../../lib/onednn/availability.ts";
import { explain } from "../../lib/onednn/explain.ts";
import { OneDNNFunction } from "../../lib/onednn/onednn_function.ts";
import { compile } from "../../lib/tensorflow/compile.ts";
import { compileForExecutor, openExecutor } from "../../lib/tensorflow/executor.ts";
import { record } from "../../lib/tensorflow/record.ts";
import { tf } from "../../lib/tensorflow/tf.ts";
import { apart, teamOf, tensor } from "./_compare.ts";

const f32 = (...shape: number[]) => ({ dtype: "float32" as const, shape });

/** Whether this processor computes in bf16. */
const hasAMX = bf16Unavailable() === undefined;

/** The nearest bfloat16, to even where two are as near: the upper half of a float32. */
function toBf16({ dtype, shape, data }: HostTensor): HostTensor {
  const bits = new Uint32Array((data as Float32Array).slice().buffer);
  const rounded = bits.map((word) => ((word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000) >>> 0);
  return { dtype, shape, data: new Float32Array(rounded.buffer) };
}

const linux = (...flags: string[]): Machine => ({
  os: "linux",
  arch: "x86_64",
  processorFlags: new Set(["avx2", ...flags]),
});

Deno.test("requirePrecision() takes bf16 where there is AMX, and says why not elsewhere", () => {
  requirePrecision("float32", linux());
  requirePrecision("bf16", linux("avx512f", "avx512_bf16", "amx_tile", "amx_bf16"));
  const help = "help: leave { precision } out";
  for (
    const [machine, reason] of [
      [linux(), "this processor has no AMX, and it would have to imitate bf16"],
      [
        linux("avx512f", "avx512_bf16"),
        "this processor has no AMX, and its AVX-512 multiplies bf16 no faster than float32",
      ],
      [{ os: "linux", arch: "x86_64" }, "what this processor can do could not be read"],
    ] as [Machine, string][]
  ) {
    assert.throws(
      () => requirePrecision("bf16", machine),
      new RangeError(`Cannot compute in bf16: ${reason}\n  ${help}`),
    );
  }
});

Deno.test("bf16 is refused where TensorFlow computes, before anything is fetched", async () => {
  const graph = record(({ x }) => ({ y: tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D) }), { x: f32(4, 4) });
  const only =
    /^RangeError: Cannot compute in bf16: only oneDNN does here, and TensorFlow computes because it was/;
  assert.throws(() => compile(graph, { executor: "tensorflow", precision: "bf16" }), only);
  await assert.rejects(openExecutor({ executor: "tensorflow", precision: "bf16" }), only);
  await assert.rejects(
    openExecutor({ device: "gpu", precision: "bf16" }),
    /only oneDNN does here, and TensorFlow computes because a GPU was asked for/,
  );
  assert.throws(
    () => compile(graph, { precision: "half" as "bf16" }),
    /precision is "half"\n {2}help: wanted "float32" or "bf16"/,
  );
});

Deno.test({
  name: "an AMX that ONEDNN_MAX_CPU_ISA switches off is missed at the first call, and said",
  ignore: !hasAMX,
  fn: async () => {
    const program = `
      import { compile, record, tf } from ${
      JSON.stringify(new URL("../../lib/tensorflow/mod.ts", import.meta.url))
    };
      const x = { dtype: "float32", shape: [4, 4] };
      const f = compile(record(({ x }) => ({ y: tf.matMul(x, x) }), { x }), { executor: "onednn", precision: "bf16" });
      await f.run({ x: { ...x, data: new Float32Array(16) } }).catch((error) => console.log(error.message));
      Deno.exit();`;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-check", program],
      env: { ONEDNN_MAX_CPU_ISA: "AVX2" },
      stderr: "null",
    }).output();
    assert.match(new TextDecoder().decode(stdout), /oneDNN is not allowed to use AMX, which bf16 needs/);
  },
});

Deno.test({
  name: "bf16 rounds the factors of products and adds up in float32, in every order and over slices",
  ignore: !hasAMX,
  fn: async () => {
    const sizes = { x: [48, 37, 64] as const, w: [64, 80] as const, dy: [48, 37, 80] as const };
    const given = {
      x: tensor(sizes.x, 1),
      w: tensor(sizes.w, 2),
      dy: tensor(sizes.dy, 3),
    };
    const products = record(({ x, w, dy }) => {
      const rows = tf.reshape(x, [-1, 64]), gradient = tf.reshape(dy, [-1, 80]);
      return {
        forward: tf.matMul(rows, w as tf.Tensor2D),
        input: tf.matMul(gradient, w as tf.Tensor2D, false, true),
        filter: tf.matMul(rows, gradient as tf.Tensor2D, true, false),
      };
    }, { x: f32(...sizes.x), w: f32(...sizes.w), dy: f32(...sizes.dy) });
    const variables = { w: given.w };
    const { w: _, ...inputs } = given;
    const rounded = { x: toBf16(given.x), dy: toBf16(given.dy) };
    await using exact = compile(products, { executor: "tensorflow", variables: { w: toBf16(given.w) } });
    const wanted = await exact.run(rounded);
    for (const [threads, sliceBytes] of [[1, 1e9], [2, 1e6], [3, 30e3]] as const) {
      await using bf16 = new OneDNNFunction(products, variables, "a test", {
        team: await teamOf(threads),
        precision: "bf16",
        sliceBytes,
      });
      const found = await bf16.run(inputs);
      for (const [name, value] of Object.entries(wanted)) {
        const off = apart(value, found[name]!);
        assert.ok(off < 2e-6, `${name}, ${threads} threads: ${off}`);
      }
      assert.deepEqual(await bf16.run(inputs), found, "the same bits each time");
    }
    await using float32 = compile(products, { executor: "tensorflow", variables });
    const off = apart((await float32.run(inputs)).forward!, wanted.forward!);
    assert.ok(off > 1e-4, `rounding to bf16 changes products: ${off}`);
  },
});

Deno.test({
  name: "bf16 multiplies with AMX, in convolutions too",
  ignore: !hasAMX,
  fn: async () => {
    const graph = record(({ x, filter, w }) => {
      const y = tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 2, "same");
      return { y: tf.matMul(tf.reshape(y, [-1, 64]), w as tf.Tensor2D) };
    }, { x: f32(4, 32, 32, 16), filter: f32(3, 3, 16, 64), w: f32(64, 128) });
    const given = {
      x: tensor([4, 32, 32, 16], 1),
      filter: tensor([3, 3, 16, 64], 2),
      w: tensor([64, 128], 3),
    };
    const { x, ...variables } = given;
    await using bf16 = new OneDNNFunction(graph, variables, "a test", {
      team: await teamOf(2),
      precision: "bf16",
    });
    await using exact = compile(graph, { executor: "tensorflow", variables });
    const off = apart((await exact.run({ x })).y!, (await bf16.run({ x })).y!);
    assert.ok(off > 1e-5 && off < 2e-2, `${off}`);
    const { items } = await explain(bf16);
    for (const kind of ["product", "convolution"]) {
      const { routine } = items.find(({ routine }) => routine.startsWith(kind))!;
      assert.match(routine, /amx/, routine);
    }
  },
});

Deno.test({
  name: "compileForExecutor() passes the precision on",
  ignore: !hasAMX,
  fn: async () => {
    await openExecutor({ executor: "onednn" });
    const graph = record(({ x }) => ({ y: tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D) }), {
      x: f32(64, 64),
    });
    await using bf16 = await compileForExecutor(graph, {}, "bf16");
    await using float32 = await compileForExecutor(graph);
    const x = tensor([64, 64], 1);
    assert.ok(apart((await float32.run({ x })).y!, (await bf16.run({ x })).y!) > 1e-4);
  },
});
