import assert from "node:assert/strict";
import { fusePadding } from "../../lib/graph/fuse_padding.ts";
import type { Graph } from "../../lib/graph/graph.ts";
import { printGraph } from "../../lib/graph/print_graph.ts";
import { prune } from "../../lib/graph/prune.ts";
import { splitPadding } from "../../lib/graph/split_padding.ts";
import { record } from "../../lib/tensorflow/record.ts";
import { tf } from "../../lib/tensorflow/tf.ts";

/** A convolution and a depthwise one, each of padded pictures. */
function padded(): Graph {
  return record(({ x, filter, depthwise }) => {
    const around = (pictures: tf.Tensor, [top, left, bottom, right]: number[]) =>
      tf.pad(pictures, [[0, 0], [top!, bottom!], [left!, right!], [0, 0]]) as tf.Tensor4D;
    const y = tf.conv2d(around(x as tf.Tensor, [1, 2, 3, 4]), filter as tf.Tensor4D, 2, "valid");
    return { z: tf.depthwiseConv2d(around(y, [1, 1, 1, 1]), depthwise as tf.Tensor4D, 1, "valid") };
  }, {
    x: { dtype: "float32", shape: [1, 6, 6, 3] },
    filter: { dtype: "float32", shape: [3, 3, 3, 2] },
    depthwise: { dtype: "float32", shape: [3, 3, 2, 1] },
  }, { name: "padded" });
}

Deno.test("splitPadding() undoes what fusePadding() does", () => {
  const graph = padded();
  const fused = prune(fusePadding(graph));
  assert.equal(fused.nodes.some(({ op }) => op.startsWith("Pad")), false);
  const split = splitPadding(fused);
  assert.equal(split.nodes.some(({ attributes }) => attributes["padding"]?.value === "EXPLICIT"), false);
  const lines = (text: string) => text.replaceAll(/%\d+/g, "%").replaceAll("PadV2", "Pad");
  const shapes = (graph: Graph) =>
    graph.nodes.filter(({ op }) => op !== "Const").map(({ op, outputs }) => [lines(op), outputs[0]!.shape]);
  assert.deepEqual(shapes(split), shapes(prune(graph)));
});

Deno.test("splitPadding() leaves graphs without explicit padding as they are", () => {
  const graph = prune(padded());
  assert.equal(printGraph(splitPadding(graph)), printGraph(graph));
});
