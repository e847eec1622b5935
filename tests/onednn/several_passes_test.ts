/**
 * Steps of more than one forward and backward pass as one graph: sharpness-aware minimisation (two passes, the second at
 * weights moved by the norm of the whole gradient), two networks that learn from each other, and a moving average of
 * the weights. Against TensorFlow's executor.
 */
import assert from "node:assert/strict";
import type { Graph } from "../../lib/graph/graph.ts";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { isTrainable } from "../../lib/models/layers.ts";
import type { Network } from "../../lib/models/network.ts";
import { createNetwork, modelRecord } from "../../lib/models/registry.ts";
import { normaliseImages } from "../../lib/operators/normalise_images.ts";
import { explain } from "../../lib/onednn/explain.ts";
import { compile } from "../../lib/tensorflow/compile.ts";
import { record, type SpecTree } from "../../lib/tensorflow/record.ts";
import { tf } from "../../lib/tensorflow/tf.ts";
import { crossEntropy } from "../../lib/training/losses.ts";
import { sgd } from "../../lib/training/sgd.ts";
import { initialState } from "../../lib/training/train_step.ts";
import { compileFor } from "./_compare.ts";
import { classes, preprocessingOf, smooth, trainingInputs, weightsOf } from "./_training.ts";

type Tensors = Record<string, tf.Tensor>;

const sizes = { batchSize: 5, height: 32, width: 48 };
const optimizer = { momentum: 0.9, weightDecay: 1e-4 };
const rho = 0.05, decay = 0.99;

const ids = ["mobilenetv3_small_100.ote", "tf_efficientnet_lite0.in1k"] as const;
const networks: readonly Network[] = ids.map((id) =>
  createNetwork(modelRecord(id), { numClasses: classes, activations: smooth })
);

const specsOf = ({ parameters }: Network, trainable: boolean): SpecTree =>
  Object.fromEntries(
    parameters.filter((spec) => isTrainable(spec) === trainable)
      .map(({ name, shape }) => [name, { dtype: "float32", shape }]),
  );

const batchSpecs = {
  images: { dtype: "uint8", shape: [sizes.batchSize, sizes.height, sizes.width, 3] },
  labels: { dtype: "int32", shape: [sizes.batchSize] },
  learningRate: { dtype: "float32", shape: [] },
} as const;

/** `sum p (log p - log q)` over the classes, mean over the batch. */
function divergence(p: tf.Tensor2D, q: tf.Tensor2D): tf.Tensor {
  const apart = tf.sub(tf.logSoftmax(p), tf.logSoftmax(q));
  return tf.mean(tf.sum(tf.mul(tf.softmax(p), apart), 1));
}

const updated = (
  names: readonly string[],
  parameters: Tensors,
  grads: readonly tf.Tensor[],
  velocities: Tensors,
  learningRate: tf.Tensor,
) => {
  const updates = names.map((name, index) =>
    [name, sgd(parameters[name]!, grads[index]!, velocities[name]!, learningRate, optimizer)] as const
  );
  return {
    parameters: Object.fromEntries(updates.map(([name, { value }]) => [name, value])),
    velocities: Object.fromEntries(updates.map(([name, { velocity }]) => [name, velocity])),
  };
};

/** Sharpness-aware minimisation (Foret et al., 2021) with a moving average of the weights. */
function recordSAM(): { graph: Graph; variables: Record<string, HostTensor> } {
  const network = networks[0]!;
  const names = network.parameters.filter(isTrainable).map(({ name }) => name);
  const graph = record((given) => {
    const parameters = given.parameters as Tensors, running = given.statistics as Tensors;
    const input = normaliseImages(given.images, preprocessingOf(sizes));
    const lossOf = (...values: tf.Tensor[]) => {
      const params = { ...running, ...Object.fromEntries(names.map((name, i) => [name, values[i]!])) };
      const { logits } = network.forward(params, input, { training: true });
      return crossEntropy(logits, given.labels as tf.Tensor1D, {});
    };
    const values = names.map((name) => parameters[name]!);
    const first = tf.valueAndGrads(lossOf)(values);
    const norm = tf.sqrt(tf.addN(first.grads.map((grad) => tf.sum(tf.square(grad)))));
    const scale = tf.div(rho, norm);
    const moved = values.map((value, index) => tf.add(value, tf.mul(first.grads[index]!, scale)));
    const second = tf.valueAndGrads(lossOf)(moved);
    const next = updated(names, parameters, second.grads, given.velocities as Tensors, given.learningRate);
    const average = Object.fromEntries(
      names.map((name) => [
        name,
        tf.add(
          tf.mul((given.average as Tensors)[name]!, decay),
          tf.mul(next.parameters[name]!, 1 - decay),
        ),
      ]),
    );
    return { ...next, average, loss: first.value, movedLoss: second.value, norm };
  }, {
    ...batchSpecs,
    parameters: specsOf(network, true),
    velocities: specsOf(network, true),
    average: specsOf(network, true),
    statistics: specsOf(network, false),
  }, { name: "sam_step" });
  const variables = initialState(network, weightsOf(ids[0], "smooth"));
  for (const name of names) variables[`average/${name}`] = variables[`parameters/${name}`]!;
  return { graph, variables };
}

/** Deep mutual learning (Zhang et al., 2018): each network also learns what the other one thinks. */
function recordMutual(): { graph: Graph; variables: Record<string, HostTensor> } {
  const named = networks.map((network, index) => ({
    network,
    of: `model${index}`,
    names: network.parameters.filter(isTrainable).map(({ name }) => name),
  }));
  const graph = record((given) => {
    const input = normaliseImages(given.images, preprocessingOf(sizes));
    const trees = named.map(({ of }) => (given as unknown as Record<string, Record<string, Tensors>>)[of]!);
    const lossOf = (...values: tf.Tensor[]) => {
      let at = 0;
      const [a, b] = named.map(({ network, names }, index) => {
        const own = Object.fromEntries(names.map((name) => [name, values[at++]!]));
        return network.forward({ ...trees[index]!["statistics"]!, ...own }, input, { training: true }).logits;
      }) as [tf.Tensor2D, tf.Tensor2D];
      const each = [a, b].map((logits) => crossEntropy(logits, given.labels as tf.Tensor1D, {}));
      return tf.addN([...each, divergence(a, b), divergence(b, a)]) as tf.Scalar;
    };
    const { value: loss, grads } = tf.valueAndGrads(lossOf)(
      named.flatMap(({ names }, index) => names.map((name) => trees[index]!["parameters"]![name]!)),
    );
    const next = named.map(({ of, names }, index) => {
      const { parameters, velocities } = trees[index]!;
      const own = index === 0 ? grads.slice(0, names.length) : grads.slice(-names.length);
      return [of, updated(names, parameters!, own, velocities!, given.learningRate)] as const;
    });
    return { ...Object.fromEntries(next), loss };
  }, {
    ...batchSpecs,
    ...Object.fromEntries(
      named.map(({ network, of }) => [of, {
        parameters: specsOf(network, true),
        velocities: specsOf(network, true),
        statistics: specsOf(network, false),
      }]),
    ),
  }, { name: "mutual_step" });
  const variables = Object.fromEntries(
    named.flatMap(({ network, of }, index) =>
      Object.entries(initialState(network, weightsOf(ids[index]!, "smooth")))
        .map(([name, value]) => [`${of}/${name}`, value])
    ),
  );
  return { graph, variables };
}

const norm = (values: ArrayLike<number>) => Math.sqrt(Array.from(values).reduce((sum, x) => sum + x * x, 0));

const steps = { "sharpness-aware minimisation": recordSAM, "mutual learning of two networks": recordMutual };
for (const [name, recordStep] of Object.entries(steps)) {
  Deno.test(`a step of ${name} is what it is with TensorFlow`, async () => {
    const { graph, variables } = recordStep();
    await using tensorflow = compile(graph, { executor: "tensorflow", variables });
    await using onednn = await compileFor(2, graph, variables);
    await using uneven = await compileFor(3, graph, variables, 200e3);
    for (let step = 0; step < 2; step++) {
      const inputs = trainingInputs(step, sizes);
      const wanted = await tensorflow.run(inputs);
      for (const compiled of [onednn, uneven]) {
        for (const [output, { data }] of Object.entries(await compiled.run(inputs))) {
          const [a, b] = [wanted[output]!.data[0], data[0]] as [number, number];
          assert.ok(Math.abs(a - b) <= 2e-5 * Math.abs(a), `${output} of step ${step} is ${b}, wanted ${a}`);
        }
      }
    }
    const wanted = await tensorflow.read();
    for (const compiled of [onednn, uneven]) {
      const found = await compiled.read();
      assert.deepEqual(Object.keys(found), Object.keys(wanted));
      // All parameters (velocities, averages) of a network together, against how much they changed.
      const groups = Map.groupBy(Object.keys(wanted), (key) => key.replace(/\/[^/]*$/, ""));
      for (const [group, keys] of groups) {
        const difference = (to: Readonly<Record<string, HostTensor>>) =>
          norm(keys.flatMap((key) => {
            const other = to[key]!.data as Float32Array;
            return Array.from(wanted[key]!.data as Float32Array, (value, index) => value - other[index]!);
          }));
        const [changed, off] = [difference(variables), difference(found)];
        if (group.endsWith("statistics")) assert.equal(off, 0, "they are only read here");
        else {
          const rounding = 2 ** -23 * norm(keys.map((key) => norm(wanted[key]!.data as Float32Array)));
          assert.ok(off <= 1e-3 * changed + rounding, `${group} is ${off} apart, and changed by ${changed}`);
        }
      }
    }
    // Everything is computed by a rule, nothing by oneDNN's reference code.
    const { items } = await explain(onednn);
    assert.deepEqual(items.filter(({ routine }) => /\bref\b/.test(routine)), []);
  });
}
