import { globalAveragePool } from "../../lib/operators/global_average_pool.ts";
import { tf } from "../../lib/tensorflow/mod.ts";
import { assertStored, generate, gradients, readCases, run, type Stored } from "./_check.ts";

interface Case {
  name: string;
  shapes: Record<string, number[]>;
  y: Stored;
  gradients: Record<string, Stored>;
}

const cases = Object.fromEntries(readCases<Case>("pool_and_linear").map((each) => [each.name, each]));

/** The generated inputs and upstream gradient of a case. */
function inputsOf({ name, shapes }: Case) {
  return Object.fromEntries(
    Object.entries(shapes).map(([tensor, shape]) => [tensor, generate(`${name}.${tensor}`, shape)]),
  );
}

Deno.test("globalAveragePool() equals PyTorch's mean over height and width, gradient included", async () => {
  const { shapes, y, gradients: wanted, ...rest } = cases.pool!;
  const pool = ({ x }: Record<string, tf.Tensor>) =>
    tf.reshape(globalAveragePool(x as tf.Tensor4D), shapes.dy!);
  const found = await run(
    (inputs) => ({ y: pool(inputs), ...gradients(pool, inputs, ["x"], inputs.dy!) }),
    inputsOf({ ...rest, shapes, y, gradients: wanted }),
  );
  assertStored(found.y, y, 1e-6, "means");
  assertStored(found.x, wanted.x!, 1e-6, "gradient");
});

Deno.test("tf.matMul() and tf.add() as a dense layer equal PyTorch's, gradients included", async () => {
  const linear = cases.linear!;
  const dense = ({ x, weight, bias }: Record<string, tf.Tensor>) => tf.add(tf.matMul(x!, weight!), bias!);
  const found = await run(
    (inputs) => ({ y: dense(inputs), ...gradients(dense, inputs, ["x", "weight", "bias"], inputs.dy!) }),
    inputsOf(linear),
  );
  assertStored(found.y, linear.y, 1e-6, "output");
  for (const name of ["x", "weight", "bias"]) {
    assertStored(found[name], linear.gradients[name]!, 1e-6, `gradient of ${name}`);
  }
});
