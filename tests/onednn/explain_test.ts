import assert from "node:assert/strict";
import { createNetwork, modelRecord } from "../../lib/models/registry.ts";
import { initialise } from "../../lib/models/initialise.ts";
import { explain } from "../../lib/onednn/explain.ts";
import { startBackend } from "../../lib/tensorflow/backend.ts";
import { compile } from "../../lib/tensorflow/compile.ts";
import { record } from "../../lib/tensorflow/record.ts";
import { tf } from "../../lib/tensorflow/tf.ts";
import { initialState, recordTrainStep } from "../../lib/training/train_step.ts";

await startBackend();

const networks = [
  "mobilenetv3_small_100",
  "mobilenetv3_large_075",
  "mobilenetv3_large_100",
  "efficientnet_b0",
  "tf_efficientnet_lite0",
];

for (const id of networks) {
  Deno.test(`explain() finds no reference code of oneDNN in a training step of ${id}`, async () => {
    const found = modelRecord(id), network = createNetwork(found, { numClasses: 10 });
    const graph = recordTrainStep({
      network,
      preprocessing: found.preprocessing,
      batchSize: 2,
      loss: {},
      optimizer: { momentum: 0.9, weightDecay: 1e-4 },
    });
    await using step = compile(graph, {
      executor: "onednn",
      variables: initialState(network, initialise(network.parameters, 0)),
    });
    const { items, memoryBytes, threads } = await explain(step);
    const convolutions = items.map(({ routine }) => routine).filter((routine) => /convolution/.test(routine));
    assert.ok(convolutions.length > 30);
    assert.deepEqual(convolutions.filter((routine) => /\bref\b|ref:|gemm/.test(routine)), []);
    assert.ok(items.every(({ phase }, index) => index === 0 || phase >= items[index - 1]!.phase));
    assert.ok(memoryBytes > 1e7 && threads >= 1);
  });
}

Deno.test("explain() prints a table, or who runs the graph and why", async () => {
  const x = { dtype: "float32" as const, shape: [4, 3], data: new Float32Array(12) };
  const graph = record(({ x }) => ({ y: tf.relu(tf.mul(x, 2)) }), { x }, { name: "doubled" });
  await using onednn = compile(graph, { executor: "onednn" });
  const lines = `${await explain(onednn)}`.split("\n");
  assert.match(lines[0]!, /^doubled is run by onednn with \d+ threads?, because it was asked for$/);
  assert.match(lines[1]!, /^memory [\d.]+ kB|B, computing [\d.]+ ms, waiting [\d.]+ ms$/);
  assert.match(lines[2]!, /^phase {2}operators {2}routine +shape +ms +GF\/s +GB\/s$/);
  assert.match(lines[3]!, /^0 +Mul Relu +loop, 1 in, 2 steps: store +4x3 +[\d.]+ +[\d.]+ +[\d.]+$/);
  assert.equal(lines.length, 4);
  await using tensorflow = compile(graph, { executor: "tensorflow" });
  assert.equal(`${await explain(tensorflow)}`, "doubled is run by tensorflow, because it was asked for");
});
