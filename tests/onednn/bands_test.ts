import assert from "node:assert/strict";
import { fusePadding } from "../../lib/graph/fuse_padding.ts";
import type { Graph } from "../../lib/graph/graph.ts";
import { findRuns } from "../../lib/onednn/bands.ts";
import { lower } from "../../lib/onednn/lower.ts";
import { plan } from "../../lib/onednn/plan.ts";
import { type Item, schedule } from "../../lib/onednn/schedule.ts";
import { batchNormTraining } from "../../lib/operators/batch_norm.ts";
import { record } from "../../lib/tensorflow/record.ts";
import { tf } from "../../lib/tensorflow/tf.ts";
import { assertSame, compileFor, tensor } from "./_compare.ts";

const f32 = (...shape: number[]) => ({ dtype: "float32" as const, shape });

/** Two 1 x 1 convolutions with a batch norm and swish, a depthwise one between them, and the gradients of all. */
function blockGraph(batch: number, height: number, width: number): Graph {
  return record(({ x, a, d, b }) => {
    const normalise = (y: tf.Tensor): tf.Tensor =>
      batchNormTraining(y as tf.Tensor4D, tf.ones([20]) as tf.Tensor1D, tf.zeros([20]) as tf.Tensor1D, 1e-3)
        .output;
    const loss = (a: tf.Tensor, d: tf.Tensor, b: tf.Tensor) => {
      let y: tf.Tensor = tf.conv2d(x as tf.Tensor4D, a as tf.Tensor4D, 1, "same");
      y = normalise(y);
      y = tf.mul(y, tf.sigmoid(y));
      y = tf.depthwiseConv2d(y as tf.Tensor4D, d as tf.Tensor4D, 1, "same");
      y = normalise(y);
      y = tf.conv2d(tf.relu(y) as tf.Tensor4D, b as tf.Tensor4D, 1, "same");
      return tf.mean(tf.square(y)) as tf.Scalar;
    };
    const { value, grads } = tf.valueAndGrads(loss as (...values: tf.Tensor[]) => tf.Scalar)([a, d, b]);
    return { loss: value, a: tf.sub(a, grads[0]!), d: tf.sub(d, grads[1]!), b: tf.sub(b, grads[2]!) };
  }, { x: f32(batch, height, width, 6), a: f32(1, 1, 6, 20), d: f32(3, 3, 20, 1), b: f32(1, 1, 20, 7) });
}

const variables = {
  a: tensor([1, 1, 6, 20], 2),
  d: tensor([3, 3, 20, 1], 3),
  b: tensor([1, 1, 20, 7], 4),
};

/** What is done for each slice of the batch, by phase. */
function batchItems(graph: Graph): (readonly Item[])[] {
  const names = new Set(Object.keys(variables));
  return schedule(lower(fusePadding(graph), names), 2, names).phases.map(({ batch }) => batch);
}

const kindOf = (item: Item) => item.kind === "call" ? item.call.routine.kind : item.kind;

Deno.test("findRuns() puts every item into one run, and cuts rows of pictures", () => {
  const kinds = new Set<string>();
  for (const items of batchItems(blockGraph(4, 12, 10))) {
    const runs = findRuns(items);
    let next = 0;
    for (const { first, last, parts } of runs) {
      assert.equal(first, next);
      assert.ok(last >= first && (parts === 1 || last > first));
      next = last + 1;
      const members = items.slice(first, last + 1).map(kindOf);
      if (members.includes("convolution")) assert.deepEqual(members, ["convolution"], "it needs rows around");
      // All have 12 rows of 10 pixels.
      if (parts > 1) {
        assert.equal(120 % parts, 0);
        for (const kind of members) kinds.add(kind);
      }
    }
    assert.equal(next, items.length);
  }
  for (const kind of ["matrix-product", "moments", "kernel"]) {
    assert.ok(kinds.has(kind), `${kind} is in a run that can be cut`);
  }
});

Deno.test("findRuns() does not cut what reads a sum of the same run", () => {
  // Each picture's own mean is subtracted from it: the mean must be whole before.
  const graph = record(
    ({ x }) => ({ y: tf.relu(tf.sub(x, tf.mean(tf.square(x), [1, 2], true))) }),
    { x: f32(4, 12, 10, 3) },
  );
  for (const items of batchItems(graph)) {
    for (const { first, last, parts } of findRuns(items)) {
      const members = items.slice(first, last + 1);
      const sums = members.flatMap((item) =>
        item.kind === "kernel"
          ? item.outputs.filter(({ mode }) => mode === "add").map(({ buffer }) => buffer)
          : []
      );
      const reads = members.flatMap((item) =>
        item.kind === "kernel" ? item.operands.map(({ buffer }) => buffer) : []
      );
      if (parts > 1) assert.ok(sums.every((buffer) => !reads.includes(buffer)));
    }
  }
});

Deno.test("a step is done in bands where a picture is larger than a slice may be, and is the same", async () => {
  for (const [batch, height, width] of [[3, 12, 10], [4, 31, 5], [2, 64, 17]] as const) {
    const graph = blockGraph(batch, height, width);
    const names = new Set(Object.keys(variables));
    const lowered = lower(fusePadding(graph), names);
    const instructions = (sliceBytes: number) => {
      const { programs } = plan(lowered, schedule(lowered, 1, names), 1, names, sliceBytes);
      return programs[0]!.length;
    };
    const whole = 4 * height * width * 20 * 12; // more than a picture's tensors take together
    assert.ok(instructions(whole / 40) > 1.5 * instructions(whole), `${height} x ${width}`);

    const inputs = { x: tensor([batch, height, width, 6], 1) };
    await assertSame(graph, inputs, 2e-6, { variables, threads: [1, 2] });
    await using one = await compileFor(2, graph, variables, 1e9);
    const { loss } = await one.run(inputs);
    for (const share of [10, 40, 1e9]) {
      await using bands = await compileFor(2, graph, variables, whole / share);
      const found = (await bands.run(inputs)).loss!.data[0] as number;
      assert.ok(Math.abs(found / (loss!.data[0] as number) - 1) < 1e-6, `${found}`);
      const wanted = await one.read(), values = await bands.read();
      for (const [name, { data }] of Object.entries(wanted)) {
        const off = Math.max(
          ...Array.from(data as Float32Array, (x, i) => Math.abs(x - Number(values[name]!.data[i]))),
        );
        assert.ok(off < 1e-5, `${name} is ${off} apart`);
      }
    }
  }
});
