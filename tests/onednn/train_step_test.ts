/**
 * Whole training steps and inference of every model, against TensorFlow's executor; `tests/models/oracle_test.ts`
 * compares both with PyTorch. And the same bits again: in another process, beside a busy one, and resumed.
 */
import assert from "node:assert/strict";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { recordInference } from "../../lib/models/inference.ts";
import { createNetwork, modelIds, modelRecord } from "../../lib/models/registry.ts";
import { compile } from "../../lib/tensorflow/compile.ts";
import { imageBytes } from "../models/hash_weights.ts";
import { compileFor } from "./_compare.ts";
import { classes, createTraining, digest, preprocessingOf, trainingInputs, weightsOf } from "./_training.ts";

/** In turn: batches that threads share unevenly, pictures with odd sides. */
const sizesInTurn = [
  { batchSize: 5, height: 32, width: 48 },
  { batchSize: 8, height: 45, width: 33 },
];

const norm = (values: ArrayLike<number>) => Math.sqrt(Array.from(values).reduce((sum, x) => sum + x * x, 0));

/** One of each architecture, of all families of weights; `tests/models/oracle_test.ts` trains all of them. */
const trained = [
  "mobilenetv3_small_100.ote",
  "efficientnet_b0.ra_in1k",
  "mobilenetv3_large_100.torchvision",
  "tf_mobilenetv3_large_075.in1k",
  "tf_efficientnet_lite0.in1k",
];

for (const [index, id] of trained.entries()) {
  Deno.test(`${id} trains as with TensorFlow`, async () => {
    const sizes = sizesInTurn[index % 2]!;
    const { graph, variables } = createTraining(id, sizes);
    await using tensorflow = compile(graph, { executor: "tensorflow", variables });
    await using onednn = await compileFor(2, graph, variables);
    for (let step = 0; step < 3; step++) {
      const inputs = trainingInputs(step, sizes);
      const [wanted, found] = [await tensorflow.run(inputs), await onednn.run(inputs)];
      const [a, b] = [wanted, found].map(({ loss }) => (loss!.data as Float32Array)[0]!) as [number, number];
      assert.ok(Math.abs(a - b) <= 1e-5 * a, `loss ${step} is ${b}, wanted ${a}`);
      assert.deepEqual(found["correct"], wanted["correct"]);
    }
    // What changed, against the change; where it all but vanishes (a bias before a batch norm), against all changes.
    // The step to the nearest float32 is the least a parameter can differ by.
    const [wanted, found] = [await tensorflow.read(), await onednn.read()];
    assert.deepEqual(Object.keys(found), Object.keys(wanted));
    const changes = Object.entries(wanted).map(([name, { data }]) => {
      const before = variables[name]!.data as Float32Array;
      const [a, b] = [data, found[name]!.data] as [Float32Array, Float32Array];
      return {
        name,
        size: norm(a),
        change: norm(a.map((x, i) => x - before[i]!)),
        off: norm(a.map((x, i) => x - b[i]!)),
      };
    });
    for (const group of ["parameters/", "velocities/", "statistics/"]) {
      const own = changes.filter(({ name }) => name.startsWith(group));
      const all = norm(own.map(({ change }) => change));
      for (const { name, size, change, off } of own) {
        const allowed = 2e-3 * change + 1e-6 * all + 2 ** -23 * size;
        assert.ok(off <= allowed, `${name} is ${off} apart, and changed by ${change}`);
      }
    }
  });
}

for (const [index, id] of modelIds.entries()) {
  Deno.test(`${id} gives TensorFlow's logits within 2e-5 of their range`, async () => {
    const sizes = sizesInTurn[(index + 1) % 2]!, { batchSize, height, width } = sizes;
    const network = createNetwork(modelRecord(id), { numClasses: classes });
    const graph = recordInference(network, preprocessingOf(sizes), batchSize);
    const variables = Object.fromEntries(
      Object.entries(weightsOf(id, "eval")).map(([name, value]) => [`params/${name}`, value]),
    );
    const images = {
      dtype: "uint8",
      shape: [batchSize, height, width, 3],
      data: imageBytes(0, batchSize, height, width),
    } as HostTensor;
    await using tensorflow = compile(graph, { executor: "tensorflow", variables });
    await using onednn = await compileFor(2, graph, variables);
    const [wanted, found] = [await tensorflow.run({ images }), await onednn.run({ images })]
      .map(({ logits }) => logits!.data as Float32Array) as [Float32Array, Float32Array];
    const range = Math.max(...wanted) - Math.min(...wanted);
    const off = Math.max(...wanted.map((value, i) => Math.abs(value - found[i]!))) / range;
    // TensorFlow's own move as far where weights move by half of their last bit.
    assert.ok(off <= 2e-5, `off by ${off} of the range`);
  });
}

const model = { id: "mobilenetv3_small_100", sizes: sizesInTurn[0]!, steps: 4 };

/** Four steps; before the third the state is taken out and put into another function, if asked for. */
async function train(threads: number, resume = false): Promise<string> {
  const { graph, variables } = createTraining(model.id, model.sizes);
  let step = await compileFor(threads, graph, variables);
  for (let index = 0; index < model.steps; index++) {
    if (resume && index === 2) {
      const state = await step.read();
      await step.dispose();
      step = await compileFor(threads, graph, variables);
      await step.write(state);
    }
    await step.run(trainingInputs(index, model.sizes));
  }
  const result = await digest(await step.read());
  await step.dispose();
  return result;
}

/** The same in a process of its own. */
async function trainElsewhere(threads: number): Promise<string> {
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      new URL("_train_elsewhere.ts", import.meta.url).href,
      JSON.stringify(model),
    ],
    env: { OMP_NUM_THREADS: `${threads}`, NO_COLOR: "1" },
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("training gives the same bits again, in another process, beside a busy one, and resumed", async () => {
  const digests: Record<string, string> = {
    first: await train(2),
    again: await train(2),
    "in another process": await trainElsewhere(2),
    resumed: await train(2, true),
  };
  await using busy = new Deno.Command(Deno.execPath(), {
    args: ["eval", "for (const end = Date.now() + 60000; Date.now() < end;);"],
  }).spawn();
  digests["beside a busy process"] = await train(2);
  try {
    busy.kill("SIGKILL");
  } catch {
    // It has ended already.
  }
  for (const [when, digest] of Object.entries(digests)) assert.equal(digest, digests["first"], when);
});
