import type { Graph } from "../../lib/graph/graph.ts";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { sizeOf } from "../../lib/graph/host_tensor.ts";
import { hardSigmoid, hardSwish, relu, relu6, sigmoid, swish } from "../../lib/operators/activations.ts";
import { batchNormTraining } from "../../lib/operators/batch_norm.ts";
import { biasAdd } from "../../lib/operators/bias_add.ts";
import { conv2d, depthwiseConv2d } from "../../lib/operators/conv2d.ts";
import { globalAveragePool } from "../../lib/operators/global_average_pool.ts";
import { record } from "../../lib/tensorflow/record.ts";
import { tf } from "../../lib/tensorflow/tf.ts";
import { tensor } from "./_compare.ts";

/** A graph nobody thought of, with what it is given. */
export interface RandomGraph {
  readonly graph: Graph;
  readonly inputs: Record<string, HostTensor>;
  readonly variables: Record<string, HostTensor>;
}

/** Mulberry32: whole numbers below a limit. */
function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ state >>> 15, 1 | state);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return ((mixed ^ mixed >>> 14) >>> 0) % below;
  };
}

const batchSizes = [1, 2, 3, 4, 5, 7, 8, 11, 32];
const channelCounts = [1, 3, 4, 6, 8, 10, 20];
const activations = [relu, relu6, swish, hardSwish, hardSigmoid, sigmoid, tf.tanh, tf.abs, tf.square];

/**
 * A training step of a network made of dice: pictures and labels in, a loss, some of the values on the way, and new
 * values of the parameters and of a statistic out.
 *
 * @param seed The same seed makes the same graph.
 */
export function randomGraph(seed: number): RandomGraph {
  const random = createRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
  const batch = pick(batchSizes);
  const [height, width, channels] = [2 + random(7), 2 + random(7), pick(channelCounts)];
  const classes = 2 + random(5);
  const operations = Array.from({ length: 3 + random(9) }, () => random(2 ** 31));

  // The parameters are found by running the network once on shapes: it is deterministic.
  const shapes: Record<string, number[]> = {};
  const network = (images: tf.Tensor, parameter: (shape: number[]) => tf.Tensor) => {
    const seen: tf.Tensor[] = [], statistics: tf.Tensor[] = [];
    let x = images as tf.Tensor4D;
    const pool: tf.Tensor[] = [x];
    for (const dice of operations) {
      const next = transform(createRandom(dice), x, pool, parameter, statistics);
      // Numbers stay small, so that rounding does.
      x = tf.div(next, tf.add(1, tf.mul(0.1, tf.abs(next)))) as tf.Tensor4D;
      pool.push(x);
      if (dice % 3 === 0) seen.push(x);
    }
    const features = tf.reshape(globalAveragePool(x), [batch, x.shape[3]]) as tf.Tensor2D;
    const weights = parameter([x.shape[3], classes]) as tf.Tensor2D;
    return { logits: biasAdd(tf.matMul(features, weights), parameter([classes])), seen, statistics };
  };
  const imagesSpec = { dtype: "float32" as const, shape: [batch, height, width, channels] };
  record(({ images }) => {
    const { logits } = network(images, (shape) => {
      shapes[`p${Object.keys(shapes).length}`] = shape;
      return tf.ones(shape);
    });
    return { logits };
  }, { images: imagesSpec });

  const names = Object.keys(shapes);
  const specs = Object.fromEntries(
    names.map((name) => [name, { dtype: "float32" as const, shape: shapes[name]! }]),
  );
  const graph = record(
    ({ images, labels, weights, velocities, average }) => {
      let seen: tf.Tensor[] = [], statistics: tf.Tensor[] = [], logits: tf.Tensor | undefined;
      const { value: loss, grads } = tf.valueAndGrads((...values: tf.Tensor[]) => {
        let index = 0;
        const result = network(values.at(-1)!, () => values[index++]!);
        ({ seen, statistics } = result);
        seen.forEach((value) => tf.keep(value));
        logits = tf.keep(result.logits);
        const target = tf.oneHot(labels as tf.Tensor1D, classes).toFloat();
        return tf.neg(tf.sum(tf.mul(target, tf.logSoftmax(result.logits)))) as tf.Scalar;
      })([...names.map((name) => weights[name]!), images]);
      const updates = names.map((name, index) => {
        const velocity = tf.add(tf.mul(velocities[name]!, 0.9), grads[index]!);
        return { velocity, value: tf.sub(weights[name]!, tf.mul(velocity, 0.01)) };
      });
      const byName = <T>(list: readonly T[]) => Object.fromEntries(names.map((name, i) => [name, list[i]!]));
      return {
        loss,
        correct: tf.sum(tf.equal(tf.argMax(logits!, -1), labels).toInt()),
        imageGradient: grads.at(-1)!,
        seen: Object.fromEntries(seen.map((value, index) => [`${index}`, value])),
        statistics: Object.fromEntries(statistics.map((value, index) => [`${index}`, value])),
        weights: byName(updates.map(({ value }) => value)),
        velocities: byName(updates.map(({ velocity }) => velocity)),
        average: tf.add(tf.mul(average, 0.9), tf.mul(tf.mean(images, 0), 0.1)),
      };
    },
    {
      images: imagesSpec,
      labels: { dtype: "int32", shape: [batch] },
      weights: specs,
      velocities: specs,
      average: { dtype: "float32", shape: [height, width, channels] },
    },
    { name: `random ${seed}` },
  );
  const scaleOf = (shape: number[]) => Math.sqrt(3 / Math.max(1, sizeOf(shape.slice(0, -1))));
  const state = (prefix: string, values: (shape: number[], index: number) => HostTensor) =>
    names.map((name, index) => [`${prefix}/${name}`, values(shapes[name]!, index)] as const);
  return {
    graph,
    inputs: {
      images: tensor(imagesSpec.shape, seed + 1),
      labels: {
        dtype: "int32",
        shape: [batch],
        data: Int32Array.from({ length: batch }, () => random(classes)),
      },
    },
    variables: {
      ...Object.fromEntries(
        state("weights", (shape, index) => tensor(shape, seed + 7 * index, scaleOf(shape))),
      ),
      ...Object.fromEntries(state("velocities", (shape, index) => tensor(shape, seed + 11 * index, 0.1))),
      average: tensor([height, width, channels], seed + 5),
    },
  };
}

/** `x / 2` where x is large, else `x`. */
const lessAbove = tf.customGrad((...args: unknown[]) => {
  const [x, save] = args as [tf.Tensor, (tensors: tf.Tensor[]) => void];
  const less = (of: tf.Tensor, x: tf.Tensor) => tf.where(tf.greater(x, 0.25), tf.mul(of, 0.5), of);
  save([x]);
  return { value: less(x, x), gradFunc: (dy: tf.Tensor, [x]: tf.Tensor[]) => less(dy, x!) };
});

/** One step of the network. */
function transform(
  random: (below: number) => number,
  x: tf.Tensor4D,
  pool: readonly tf.Tensor[],
  parameter: (shape: number[]) => tf.Tensor,
  statistics: tf.Tensor[],
): tf.Tensor {
  const [batch, height, width, channels] = x.shape;
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
  const stride = height > 2 && width > 2 ? 1 + random(2) : 1;
  const padding = pick(["same", "symmetric"] as const);
  switch (random(22)) {
    case 0:
    case 1:
      return pick(activations)(x);
    case 2:
    case 3: {
      const kernel = pick([1, 3, 3, 5]);
      const filter = parameter([kernel, kernel, channels, pick(channelCounts)]);
      return conv2d(x, filter as tf.Tensor4D, { stride, padding });
    }
    case 4:
    case 5: {
      const kernel = pick([3, 3, 5, 7]);
      return depthwiseConv2d(x, parameter([kernel, kernel, channels, 1]) as tf.Tensor4D, { stride, padding });
    }
    case 6:
    case 7:
    case 8: {
      const [scale, offset] = [parameter([channels]) as tf.Tensor1D, parameter([channels]) as tf.Tensor1D];
      const { output, mean, variance } = batchNormTraining(x, tf.add(scale, 1), offset, 0.1);
      statistics.push(mean, variance);
      return output;
    }
    case 9:
    case 10: {
      // A residual sum with something of the same shape, if there is one.
      const alike = pool.filter(({ shape }) => shape.every((length, axis) => length === x.shape[axis]));
      return tf.add(x, pick(alike));
    }
    case 11: {
      // Squeeze and excite: a gate for each picture.
      const gate = conv2d(globalAveragePool(x), parameter([1, 1, channels, channels]) as tf.Tensor4D);
      return tf.mul(x, pick([sigmoid, hardSigmoid])(gate));
    }
    case 12:
      return biasAdd(x, parameter([channels]));
    case 13: {
      const axes = pick([[0], [1], [3], [1, 2], [0, 1, 2], [0, 3], [2, 3], [0, 1, 2, 3]]);
      return tf.sub(x, tf.mean(x, axes, true));
    }
    case 14:
      return tf.transpose(x, [0, 2, 1, 3]);
    case 15: {
      const other = tf.mul(tf.tanh(x), parameter([channels]));
      const joined = tf.concat([x, other, x], 3);
      return tf.slice(joined, [0, 0, 0, random(channels)], [
        batch,
        height,
        width,
        channels + random(channels),
      ]);
    }
    case 16: {
      const rows = tf.reshape(x, [batch, height * width, channels]);
      return tf.reshape(tf.softmax(rows), [batch, width, height, channels]);
    }
    case 17:
      return lessAbove(x);
    case 18: {
      const scale = parameter([height, width, 1]);
      return tf.mul(x, tf.add(1, scale));
    }
    case 19: {
      const norm = tf.sum(tf.square(x), pick([[1, 2], [3], [1, 2, 3]]), true);
      return tf.div(x, tf.sqrt(tf.add(norm, 1)));
    }
    case 20: {
      const padded = tf.pad4d(x, [[0, 0], [random(2), 1], [0, random(3)], [0, 0]]);
      return tf.sub(padded, 0.25);
    }
    default: {
      // What a parameter makes of itself before the batch meets it.
      const kernel = parameter([channels, channels]) as tf.Tensor2D;
      const square = tf.matMul(tf.tanh(kernel), kernel, false, true);
      const rows = tf.reshape(x, [batch * height * width, channels]) as tf.Tensor2D;
      return random(2) === 0
        ? tf.reshape(tf.matMul(rows, square as tf.Tensor2D), x.shape)
        : conv2d(x, tf.reshape(square, [1, 1, channels, channels]) as tf.Tensor4D);
    }
  }
}
