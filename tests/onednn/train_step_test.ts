/**
 * Whole training steps and inference of every model, against TensorFlow's executor; `tests/models/oracle_test.ts`
 * compares both with PyTorch. And the same bits again: in another process, beside a busy one, and resumed.
 */
import assert from "node:assert/strict";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { recordInference } from "../../lib/models/inference.ts";
import { initialise } from "../../lib/models/initialise.ts";
import { createNetwork, modelIds, modelRecord } from "../../lib/models/registry.ts";
import { compile } from "../../lib/tensorflow/compile.ts";
import { imageBytes } from "../models/hash_weights.ts";
import { compileFor } from "./_compare.ts";
import { classes, createTraining, digest, preprocessingOf, trainingInputs } from "./_training.ts";

/** In turn: batches that threads share unevenly, pictures with odd sides. */
const sizesInTurn = [
  { batchSize: 5, height: 32, width: 48 },
  { batchSize: 8, height: 45, width: 33 },
];

const norm = (values: ArrayLike<number>) => Math.sqrt(Array.from(values).reduce((sum, x) => sum + x * x, 0));

for (const [index, id] of modelIds.entries()) {
  Deno.test(`${id} trains as with TensorFlow`, async () => {
    const sizes = sizesInTurn[index % 2]!;
    const { graph, variables } = createTraining(id, sizes);
    await using tensorflow = compile(graph, { executor: "tensorflow", variables });
    await using onednn = await compileFor(2, graph, variables);
    // One step: rounding flips activations at their kinks, and what follows from the next pictures then differs in
    // float32 with any two programs. The oracle's smooth networks, which have no kinks, take three.
    const inputs = trainingInputs(0, sizes);
    const [before, after] = [await tensorflow.run(inputs), await onednn.run(inputs)];
    const [a, b] = [before, after].map(({ loss }) => (loss!.data as Float32Array)[0]!) as [number, number];
    assert.ok(Math.abs(a - b) <= 1e-5 * a, `the loss is ${b}, wanted ${a}`);
    assert.deepEqual(after["correct"], before["correct"]);
    // What changed, against the change; where it all but vanishes (a bias before a batch norm), against all changes.
    const [wanted, found] = [await tensorflow.read(), await onednn.read()];
    assert.deepEqual(Object.keys(found), Object.keys(wanted));
    const changes = Object.entries(wanted).map(([name, { data }]) => {
      const old = variables[name]!.data as Float32Array, [x, y] = [data, found[name]!.data] as Float32Array[];
      return {
        name,
        change: norm(x!.map((value, i) => value - old[i]!)),
        off: norm(x!.map((v, i) => v - y![i]!)),
      };
    });
    for (const group of ["parameters/", "velocities/", "statistics/"]) {
      const own = changes.filter(({ name }) => name.startsWith(group));
      const whole = norm(own.map(({ change }) => change));
      for (const { name, change, off } of own) {
        const allowed = 5e-2 * change + 1e-5 * whole;
        assert.ok(
          off <= allowed,
          `${name} is off by ${(off / change).toExponential(1)} of its change (${change} of ${whole})`,
        );
      }
    }
  });
}

for (const [index, id] of modelIds.entries()) {
  Deno.test(`${id} gives TensorFlow's logits within 1e-5 of their range`, async () => {
    const sizes = sizesInTurn[(index + 1) % 2]!, { batchSize, height, width } = sizes;
    const network = createNetwork(modelRecord(id), { numClasses: classes });
    const graph = recordInference(network, preprocessingOf(sizes), batchSize);
    const variables = Object.fromEntries(
      Object.entries(initialise(network.parameters, 1)).map(([name, value]) => [`params/${name}`, value]),
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
    assert.ok(off <= 1e-5, `off by ${off} of the range`);
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
