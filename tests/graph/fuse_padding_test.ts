import assert from "node:assert/strict";
import { fusePadding } from "../../lib/graph/fuse_padding.ts";
import type { Graph } from "../../lib/graph/graph.ts";
import { prune } from "../../lib/graph/prune.ts";
import { conv2d, depthwiseConv2d } from "../../lib/operators/conv2d.ts";
import "../../lib/tensorflow/backend.ts";
import { record } from "../../lib/tensorflow/record.ts";
import { tf } from "../../lib/tensorflow/tf.ts";

const f32 = (...shape: number[]) => ({ dtype: "float32" as const, shape });
const specs = { x: f32(2, 8, 7, 3), filter: f32(3, 3, 3, 4) };

/** Operators of the fused graph but constants, with the padding of those that have one. */
function fused(graph: Graph): string[] {
  return prune(fusePadding(graph)).nodes.filter(({ op }) => op !== "Const").map(({ op, attributes }) => {
    const padding = attributes["padding"]?.value, zeros = attributes["explicit_paddings"]?.value;
    return [op, ...(padding === undefined ? [] : [padding]), ...(zeros === undefined ? [] : [zeros])].join(
      " ",
    );
  });
}

const around = "EXPLICIT 0,0,1,1,1,1,0,0";

for (
  const [name, convolve, filter] of [["Conv2D", conv2d, [3, 3, 3, 4]], [
    "DepthwiseConv2dNative",
    depthwiseConv2d,
    [3, 3, 3, 1],
  ]] as const
) {
  Deno.test(`fusePadding() puts zeros into ${name} and both its gradients`, () => {
    const graph = record(({ x, filter }) => {
      const loss = (x: tf.Tensor, filter: tf.Tensor) =>
        tf.sum(tf.square(convolve(x as tf.Tensor4D, filter as tf.Tensor4D, { stride: 2 }))) as tf.Scalar;
      const [dx, dfilter] = tf.grads(loss)([x, filter]);
      return { dx: dx!, dfilter: dfilter! };
    }, { ...specs, filter: f32(...filter) });
    const found = fused(graph);
    for (const op of [name, `${name}BackpropInput`, `${name}BackpropFilter`]) {
      assert.ok(found.includes(`${op} ${around}`), `${op} in ${found.join(", ")}`);
    }
    assert.ok(!found.some((op) => op.startsWith("Pad") || op === "Slice"), found.join(", "));
  });
}

const padded = (paddings: [number, number][], value = 0) =>
  record(({ x, filter }) => {
    const y = tf.pad4d(
      x as tf.Tensor4D,
      paddings as [[number, number], [number, number], [number, number], [number, number]],
      value,
    );
    return { y: tf.conv2d(y, filter as tf.Tensor4D, 1, "valid") };
  }, specs);

Deno.test("fusePadding() leaves what is more than zeros around pictures", () => {
  assert.deepEqual(fused(padded([[0, 0], [1, 1], [1, 1], [0, 0]])), [`Conv2D ${around}`]);
  assert.deepEqual(fused(padded([[0, 0], [0, 2], [0, 0], [0, 0]])), ["Conv2D EXPLICIT 0,0,0,2,0,0,0,0"]);
  assert.deepEqual(fused(padded([[0, 1], [1, 1], [1, 1], [0, 0]])), ["PadV2", "Conv2D VALID"]);
  assert.deepEqual(fused(padded([[0, 0], [1, 1], [1, 1], [0, 0]], 0.5)), ["PadV2", "Conv2D VALID"]);
});

Deno.test("fusePadding() keeps a gradient that is cut elsewhere too, or read by others", () => {
  const cut = (begin: number[], size: number[], more = false) =>
    record(({ dy, filter }) => {
      const whole = tf.conv2dTranspose(dy as tf.Tensor4D, filter as tf.Tensor4D, [2, 10, 9, 3], 1, "valid");
      return {
        y: tf.slice(whole, begin, size),
        ...(more ? { whole } : {}),
      };
    }, { dy: f32(2, 8, 7, 4), filter: f32(3, 3, 3, 4) });
  assert.deepEqual(fused(cut([0, 1, 1, 0], [2, 8, 7, 3])), [`Conv2DBackpropInput ${around}`]);
  assert.deepEqual(fused(cut([0, 1, 1, 0], [2, 8, 7, 2])), ["Conv2DBackpropInput VALID", "Slice"]);
  assert.deepEqual(fused(cut([0, 1, 1, 0], [1, 8, 7, 3])), ["Conv2DBackpropInput VALID", "Slice"]);
  assert.deepEqual(fused(cut([1, 1, 1, 0], [1, 8, 7, 3])), ["Conv2DBackpropInput VALID", "Slice"]);
  assert.deepEqual(fused(cut([0, 1, 1, 0], [2, 8, 7, 3], true)), ["Conv2DBackpropInput VALID", "Slice"]);
});
