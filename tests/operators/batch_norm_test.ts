import { batchNormFactors, batchNormTraining } from "../../lib/operators/batch_norm.ts";
import { tf } from "../../lib/tensorflow/mod.ts";
import { assertStored, generate, gradients, readCases, run, type Stored } from "./_check.ts";

interface Case {
  name: string;
  epsilon: number;
  momentum: number;
  training: boolean;
  shapes: Record<string, number[]>;
  scales: Record<string, [number, number]>;
  y: Stored;
  mean: Stored;
  variance: Stored;
  gradients: Record<"x" | "scale" | "offset", Stored>;
}

/** `[batch, channels]`, as after a dense layer, is `[batch, 1, 1, channels]` here. */
const four = (shape: number[]) => shape.length === 2 ? [shape[0]!, 1, 1, shape[1]!] : shape;

for (
  const { name, epsilon, momentum, training, shapes, scales, ...wanted } of readCases<Case>("batch_norm")
) {
  Deno.test(`batchNorm${training ? "Training" : "Factors"}() equals PyTorch: ${name}`, async () => {
    const inputs = Object.fromEntries(
      Object.entries(shapes).map(([tensor, shape]) => [tensor, {
        ...generate(`${name}.${tensor}`, shape, ...(scales[tensor] ?? [])),
        shape: four(shape).slice(shape.length === 1 ? -1 : 0),
      }]),
    );
    const forward = ({ x, scale, offset, mean, variance }: Record<string, tf.Tensor>) => {
      const [x4, s, o] = [x as tf.Tensor4D, scale as tf.Tensor1D, offset as tf.Tensor1D];
      if (training) return batchNormTraining(x4, s, o, epsilon);
      const factors = batchNormFactors(s, o, mean as tf.Tensor1D, variance as tf.Tensor1D, epsilon);
      return { output: tf.add(tf.mul(x4, factors.scale), factors.offset) as tf.Tensor4D };
    };
    const found = await run((inputs) => {
      const result = forward(inputs);
      if (!("mean" in result)) return { y: result.output };
      const running = (old: tf.Tensor, batch: tf.Tensor) =>
        tf.add(tf.mul(old, 1 - momentum), tf.mul(batch, momentum));
      const statistics = {
        mean: running(inputs.mean!, result.mean),
        variance: running(inputs.variance!, result.variance),
      };
      tf.dispose([result.mean, result.variance]);
      return {
        y: result.output,
        ...statistics,
        ...gradients((inputs) => forward(inputs).output, inputs, ["x", "scale", "offset"], inputs.dy!),
      };
    }, inputs);
    const stored = ({ shape, data }: Stored) => ({ shape: shape.length === 1 ? shape : four(shape), data });
    assertStored(found.y, stored(wanted.y), 1e-6, `${name} output`);
    if (!training) return;
    assertStored(found.mean, wanted.mean, 1e-6, `${name} running mean`);
    assertStored(found.variance, wanted.variance, 1e-6, `${name} running variance`);
    for (const input of ["x", "scale", "offset"] as const) {
      // With two values a channel the gradient of x all but cancels.
      const tolerance = shapes.x!.length === 4 && shapes.x![0] === 2 ? 2e-4 : 5e-6;
      assertStored(found[input], stored(wanted.gradients[input]), tolerance, `${name} gradient of ${input}`);
    }
  });
}
