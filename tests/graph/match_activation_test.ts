import assert from "node:assert/strict";
import { createGraphView } from "../../lib/graph/graph_view.ts";
import { matchActivation } from "../../lib/graph/match_activation.ts";
import { hardSigmoid, hardSwish, relu, relu6, sigmoid, swish } from "../../lib/operators/activations.ts";
import { record, tf } from "../../lib/tensorflow/mod.ts";

const f32 = { dtype: "float32" as const, shape: [2] };

/** What the result of a function of x and z is taken for, and what it is said to be applied to. */
function match(fn: (x: tf.Tensor, z: tf.Tensor) => tf.Tensor): string | undefined {
  const graph = record(({ x, z }) => ({ y: fn(x as tf.Tensor, z as tf.Tensor) }), { x: f32, z: f32 });
  const view = createGraphView(graph);
  const found = matchActivation(graph.outputs[0]!.value, view);
  if (found === undefined) return undefined;
  return `${found.op} of ${view.name(found.input) ?? view.producer(found.input)!.op}`;
}

Deno.test("matchActivation() recognises activations that are several operations", () => {
  assert.equal(match((x) => swish(x)), "swish of x");
  assert.equal(match((x) => tf.mul(tf.sigmoid(x), x)), "swish of x");
  assert.equal(match((x) => hardSwish(x)), "hardSwish of x");
  assert.equal(match((x) => tf.mul(tf.relu6(tf.add(x, 3)), tf.mul(x, 1 / 6))), "hardSwish of x");
  assert.equal(match((x) => hardSigmoid(x)), "hardSigmoid of x");
  assert.equal(match((x) => tf.mul(1 / 6, tf.relu6(tf.add(x, 3)))), "hardSigmoid of x");
  assert.equal(match((x, z) => hardSwish(tf.add(x, z))), "hardSwish of Add");
});

Deno.test("matchActivation() leaves what is a little different", () => {
  const others: Record<string, (x: tf.Tensor, z: tf.Tensor) => tf.Tensor> = {
    "relu6(x + 2) / 6": (x) => tf.mul(tf.relu6(tf.add(x, 2)), 1 / 6),
    "relu6(x + 3) / 5": (x) => tf.mul(tf.relu6(tf.add(x, 3)), 1 / 5),
    "relu6(x + z) / 6": (x, z) => tf.mul(tf.relu6(tf.add(x, z)), 1 / 6),
    "relu(x + 3) / 6": (x) => tf.mul(tf.relu(tf.add(x, 3)), 1 / 6),
    "relu6(3 x) / 6": (x) => tf.mul(tf.relu6(tf.mul(x, 3)), 1 / 6),
    "x / 6 relu6(x + 2)": (x) => tf.mul(tf.mul(x, 1 / 6), tf.relu6(tf.add(x, 2))),
    "z / 6 relu6(x + 3)": (x, z) => tf.mul(tf.mul(z, 1 / 6), tf.relu6(tf.add(x, 3))),
    "x / 3 relu6(x + 3)": (x) => tf.mul(tf.mul(x, 1 / 3), tf.relu6(tf.add(x, 3))),
    "x relu6(x + 3)": (x) => tf.mul(x, tf.relu6(tf.add(x, 3))),
    "relu6(x + 3)": (x) => tf.relu6(tf.add(x, 3)),
    "z sigmoid(x)": (x, z) => tf.mul(z, tf.sigmoid(x)),
    "x + sigmoid(x)": (x) => tf.add(x, tf.sigmoid(x)),
    "x sigmoid(2 x)": (x) => tf.mul(x, tf.sigmoid(tf.mul(x, 2))),
    "relu6(x + [3, 3]) / 6": (x) => tf.mul(tf.relu6(tf.add(x, [3, 3])), 1 / 6),
  };
  for (const [name, fn] of Object.entries(others)) assert.equal(match(fn), undefined, name);
  for (const single of [relu, relu6, sigmoid]) assert.equal(match((x) => single(x)), undefined);
});

Deno.test("createGraphView() finds producers, specs, names, readers and constants", () => {
  const graph = record(({ x, w }) => {
    const product = tf.mul(x as tf.Tensor, tf.tensor1d([4, 5]));
    return { y: tf.add(tf.add(product, product), w as tf.Tensor) };
  }, { x: f32, w: f32 });
  const w = { dtype: "float32", shape: [2], data: Float32Array.of(7, 8) } as const;
  const view = createGraphView(graph, { w });
  const [input, known] = graph.inputs.map(({ id }) => id) as [number, number];
  const product = graph.nodes.find(({ op }) => op === "Mul")!;
  const constant = product.inputs[1]!, result = product.outputs[0]!.id;
  assert.equal(view.producer(result), product);
  assert.equal(view.producer(input), undefined);
  assert.deepEqual(view.spec(constant).shape, [2]);
  assert.deepEqual([view.name(input), view.name(known), view.name(result)], ["x", "w", undefined]);
  assert.deepEqual([input, known, result, graph.outputs[0]!.value].map(view.users), [1, 1, 2, 0]);
  assert.deepEqual([...view.constant(constant)!.data], [4, 5]);
  assert.deepEqual(view.constant(known), w);
  assert.deepEqual([view.constant(input), view.constant(result)], [undefined, undefined]);
});
