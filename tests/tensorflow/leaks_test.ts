/** Native memory: tensors are counted, and the size of the process is watched where nothing counts. */
import assert from "node:assert/strict";
import v8 from "node:v8";
import vm from "node:vm";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { initialise } from "../../lib/models/initialise.ts";
import { createNetwork, modelRecord } from "../../lib/models/registry.ts";
import { batchNormTraining } from "../../lib/operators/batch_norm.ts";
import { conv2d } from "../../lib/operators/conv2d.ts";
import { currentBackend } from "../../lib/tensorflow/backend.ts";
import { compile, type Graph, record, tf } from "../../lib/tensorflow/mod.ts";
import { handleCount } from "../../lib/tensorflow/native_tensor.ts";
import { initialState, recordTrainStep } from "../../lib/training/train_step.ts";

const filled = (shape: number[], value = 0.1): HostTensor => ({
  dtype: "float32",
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value),
});
v8.setFlagsFromString("--expose_gc");
const collectGarbage: () => void = vm.runInNewContext("gc");
/** Size of the process without JavaScript's garbage, which V8 leaves lying for a long time. */
const rssMegabytes = () => {
  collectGarbage();
  return Deno.memoryUsage().rss / 2 ** 20;
};
const counts = () => ({
  native: handleCount(),
  eager: currentBackend().binding.getNumOfTensors(),
  tfjs: tf.memory().numTensors,
});

/** State and input of a convolution with batch norm and a dense layer, whose weights alone are a megabyte. */
const state = {
  filter: filled([3, 3, 8, 16]),
  scale: filled([16], 1),
  offset: filled([16]),
  dense: filled([16, 2 ** 14]),
};
const x = filled([4, 12, 12, 8]);

function recordStep(): Graph {
  return record(
    ({ x, filter, scale, offset, dense }) => {
      let mean: tf.Tensor | undefined;
      const loss = (...[filter, scale, offset, dense]: tf.Tensor[]) => {
        const convolved = conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, { stride: 2 });
        const normalised = batchNormTraining(convolved, scale as tf.Tensor1D, offset as tf.Tensor1D, 1e-3);
        mean = normalised.mean;
        const pooled = tf.mean(tf.relu(normalised.output), [1, 2]) as tf.Tensor2D;
        return tf.mean(tf.square(tf.matMul(pooled, dense as tf.Tensor2D))) as tf.Scalar;
      };
      const values = [filter, scale, offset, dense];
      const { value, grads } = tf.valueAndGrads(loss)(values);
      const [newFilter, newScale, newOffset, newDense] = values.map((v, i) =>
        tf.sub(v, tf.mul(grads[i]!, 0.01))
      );
      // A megabyte of constants, which only a removed function gives back.
      const large = tf.tensor2d(new Float32Array(2 ** 18), [16, 2 ** 14]);
      return {
        filter: newFilter!,
        scale: newScale!,
        offset: newOffset!,
        dense: tf.add(newDense!, large),
        loss: value,
        mean: mean!,
      };
    },
    { x, ...state },
  );
}

Deno.test("compile() keeps memory flat over 500 training steps with operations of tfjs between them", async () => {
  const before = counts();
  {
    await using step = compile(recordStep(), { variables: state });
    const running = counts();
    let settled = 0;
    for (let i = 0; i < 600; i++) {
      await step.run({ x });
      tf.tidy(() => tf.grad((x: tf.Tensor) => tf.mean(tf.square(x)))(tf.randomNormal([100, 100])).dataSync());
      if (i === 99) settled = rssMegabytes();
    }
    assert.deepEqual(counts(), running);
    // Each step makes the weights anew: without disposal they would be 500 MB by now.
    const grown = rssMegabytes() - settled;
    assert.ok(grown < 50, `the process grew by ${grown.toFixed(0)} MB`);
  }
  assert.deepEqual(counts(), before);
});

Deno.test("record() and compile() keep memory flat over 50 functions compiled and disposed of", async () => {
  const before = counts();
  let settled = 0;
  for (let i = 0; i < 80; i++) {
    await using step = compile(recordStep(), { variables: state });
    await step.run({ x });
    if (i === 29) settled = rssMegabytes();
  }
  assert.deepEqual(counts(), before);
  // Their constants and weights are two megabytes in each.
  const grown = rssMegabytes() - settled;
  assert.ok(grown < 50, `the process grew by ${grown.toFixed(0)} MB`);
});

Deno.test("recordTrainStep() of a real network keeps the count of native tensors over its steps", async () => {
  const { preprocessing } = modelRecord("mobilenetv3_small_100");
  const network = createNetwork(modelRecord("mobilenetv3_small_100"), { numClasses: 5 });
  const before = counts();
  {
    const graph = recordTrainStep({
      network,
      preprocessing: { ...preprocessing, size: { height: 32, width: 32 } },
      batchSize: 2,
      loss: {},
      optimizer: { momentum: 0.9, weightDecay: 5e-4 },
    });
    assert.deepEqual(counts(), before);
    const variables = initialState(network, initialise(network.parameters, 0));
    await using step = compile(graph, { variables });
    assert.equal(handleCount() - before.native, Object.keys(variables).length);
    const inputs = {
      images: { dtype: "uint8", shape: [2, 32, 32, 3], data: new Uint8Array(2 * 32 * 32 * 3).fill(99) },
      labels: { dtype: "int32", shape: [2], data: new Int32Array([0, 4]) },
      learningRate: filled([], 0.01),
    } as const;
    for (let i = 0; i < 20; i++) {
      await step.run(inputs);
      assert.equal(handleCount() - before.native, Object.keys(variables).length);
    }
  }
  assert.deepEqual(counts(), before);
});
