/**
 * A training step of a quantised network, against TensorFlow's. A rounding that falls the other way, by whichever
 * executor's last bit, moves a value by a whole step and all that follows a little; so what is allowed is measured too:
 * how far TensorFlow is from itself where each weight moves by its last bit.
 */
import assert from "node:assert/strict";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { compile } from "../../lib/tensorflow/compile.ts";
import { initialState, recordTrainStep } from "../../lib/training/train_step.ts";
import { quantizedModel } from "../export/_quantized.ts";
import { compileFor, numbers } from "./_compare.ts";
import { trainingInputs } from "./_training.ts";

const photographs = ["cat", "coffee", "rocket", "camera"].map((name) =>
  new URL(`../fixtures/photographs/${name}.jpg`, import.meta.url)
);
const sizes = { batchSize: 5, height: 64, width: 64 };

Deno.test("a network in int8 trains as with TensorFlow", async () => {
  const id = "mobilenetv3_small_100";
  const { network, weights, preprocessing } = await quantizedModel(id, photographs, { imageSize: 64 });
  const graph = recordTrainStep({
    network,
    preprocessing,
    batchSize: sizes.batchSize,
    loss: { labelSmoothing: 0.1 },
    optimizer: { momentum: 0.9, weightDecay: 1e-4 },
  });
  const variables = initialState(network, weights);
  const inputs = trainingInputs(0, sizes);
  /** The loss and all gradients of a step. */
  const step = async (compiled: AsyncDisposable & ReturnType<typeof compile>) => {
    await using running = compiled;
    const { loss } = await running.run(inputs);
    const after = Object.entries(await running.read());
    const gradients = after.filter(([name]) => name.startsWith("velocities/"));
    return { loss: loss!.data[0] as number, gradients: Object.fromEntries(gradients) };
  };
  const wanted = await step(compile(graph, { executor: "tensorflow", variables }));
  const found = await step(await compileFor(2, graph, variables));
  const moved = await step(compile(graph, { executor: "tensorflow", variables: nextTo(variables) }));
  const [off, own] = [found, moved].map(({ gradients }) => apart(wanted.gradients, gradients));
  assert.ok(own! < 0.1, `TensorFlow's gradients are ${own} from its own`);
  assert.ok(off! <= own!, `the gradients are ${off} apart, TensorFlow's own ${own}`);
  assert.ok(
    Math.abs(found.loss / wanted.loss - 1) < 1e-3,
    `the loss is ${found.loss}, wanted ${wanted.loss}`,
  );
});

/** Each weight moved by its last bit, up or down. */
function nextTo(variables: Readonly<Record<string, HostTensor>>): Record<string, HostTensor> {
  return Object.fromEntries(
    Object.entries(variables).map(([name, { data, ...value }], index) => {
      const signs = numbers(data.length, index + 1);
      const moved = Float32Array.from(
        data as Float32Array,
        (x, i) => x * (1 + Math.sign(signs[i]!) * 2 ** -23),
      );
      return [name, { ...value, data: moved }];
    }),
  );
}

/** Length of the difference of all gradients, against their length. */
function apart(
  wanted: Readonly<Record<string, HostTensor>>,
  found: Readonly<Record<string, HostTensor>>,
): number {
  let difference = 0, size = 0;
  for (const [name, { data }] of Object.entries(wanted)) {
    (data as Float32Array).forEach((value, index) => {
      difference += (value - (found[name]!.data[index] as number)) ** 2;
      size += value ** 2;
    });
  }
  return Math.sqrt(difference / size);
}
