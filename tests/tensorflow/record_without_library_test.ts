/** Recording needs no libtensorflow: neither is it opened nor looked for. */
import assert from "node:assert/strict";
import { lib, runProcess } from "./_process.ts";

/** Prints two graphs, and what is mapped into the process. */
const recordings = `
  import { createNetwork, modelRecord } from "${lib}models/registry.ts";
  import { recordInference } from "${lib}models/inference.ts";
  import { recordTrainStep } from "${lib}training/train_step.ts";
  import { printGraph } from "${lib}graph/print_graph.ts";

  const { preprocessing, ...record } = modelRecord("mobilenetv3_small_100");
  const network = createNetwork(record, { numClasses: 5 });
  const loss = {}, optimizer = { momentum: 0.9, weightDecay: 5e-4 };
  console.log(printGraph(recordTrainStep({ network, preprocessing, batchSize: 4, loss, optimizer })));
  console.log(printGraph(recordInference(network, preprocessing, 4)));
  if (Deno.build.os === "linux") {
    console.log(Deno.readTextFileSync("/proc/self/maps").includes("tensorflow") ? "opened" : "not opened");
  }
`;

/** Without a library, a network, Python or pip. */
const bare = { WHITTLE_TENSORFLOW: "/nowhere/libtensorflow_cc.so.2", PATH: "/nowhere" };

Deno.test("record() of training and inference writes the same without libtensorflow, and does not open it", async () => {
  const without = (await runProcess(recordings, bare)).split("\n");
  const before = `await (await import("${lib}tensorflow/backend.ts")).startBackend();\n`;
  const withLibrary = (await runProcess(before + recordings)).split("\n");
  if (Deno.build.os === "linux") {
    assert.equal(without.pop(), "not opened");
    assert.equal(withLibrary.pop(), "opened");
  }
  assert.ok(without.length > 2500);
  assert.deepEqual(without, withLibrary);
});

Deno.test("record() without libtensorflow says what it cannot do", async () => {
  const output = await runProcess(
    `
    import { rawOperator } from "${lib}tensorflow/backend.ts";
    import { record } from "${lib}tensorflow/record.ts";
    import { tf } from "${lib}tensorflow/tf.ts";
    const x = { dtype: "float32", shape: [2, 2] }, s = { dtype: "int32", shape: [1] };
    for (
      const y of [
        ({ x }) => rawOperator("MatrixInverse", [x], {})[0],
        ({ x, s }) => rawOperator("Reshape", [x, s], {})[0],
        ({ x }) => tf.unique(tf.reshape(x, [4])).values,
        ({ x }) => tf.matMul(x, tf.ones([3, 2])),
        ({ x }) => x.dataSync(),
      ]
    ) {
      try {
        record((inputs) => ({ y: y(inputs) }), { x, s });
      } catch (error) {
        console.log(error.name + ": " + error.message);
      }
    }
  `,
    bare,
  );
  assert.equal(
    output,
    `TypeError: Cannot record MatrixInverse(float32[2,2]): there is no shape rule for this operator
  help: open TensorFlow, which infers the shapes of all its operators: import from whittle/tensorflow
TypeError: Cannot record Reshape(float32[2,2], int32[1]): the shape of its output depends on values, and shape is computed, but only constants are known while recording
  help: use an operator with a fixed output shape, or run it outside the recording
TypeError: Cannot record UniqueV2(float32[4], int32[1]): the shape of its output depends on values, found float32[-1], and every length must be known
  help: use an operator with a fixed output shape, or run it outside the recording
TypeError: Cannot record BatchMatMulV2(float32[2,2], float32[3,2]): the inner lengths must be equal, found 2 and 3
TypeError: Cannot read the values of a tensor while recording: they are not computed yet
  help: return the tensor from the recorded function and read it from what the compiled function returns`,
  );
});
