import { conv2d, depthwiseConv2d } from "../../lib/operators/conv2d.ts";
import type { Padding } from "../../lib/operators/padding.ts";
import type { tf } from "../../lib/tensorflow/mod.ts";
import { assertStored, generate, gradients, readCases, run, type Stored } from "./_check.ts";

interface Case {
  name: string;
  kernel: number;
  stride: number;
  padding: Padding;
  shapes: Record<"x" | "filter" | "dy", number[]>;
  y: Stored;
  gradients: Record<"x" | "filter", Stored>;
}

type Convolution = typeof conv2d;

async function check(convolution: Convolution, { name, stride, padding, shapes, ...wanted }: Case) {
  const inputs = Object.fromEntries(
    Object.entries(shapes).map(([tensor, shape]) => [tensor, generate(`${name}.${tensor}`, shape)]),
  );
  const forward = ({ x, filter }: Record<string, tf.Tensor>) =>
    convolution(x as tf.Tensor4D, filter as tf.Tensor4D, { stride, padding });
  const found = await run((inputs) => {
    const { x, filter } = gradients(forward, inputs, ["x", "filter"], inputs.dy!);
    return { y: forward(inputs), x: x!, filter: filter! };
  }, inputs);
  assertStored(found.y, wanted.y, 2e-6, `${name} output`);
  assertStored(found.x, wanted.gradients.x, 2e-6, `${name} input gradient`);
  assertStored(found.filter, wanted.gradients.filter, 2e-6, `${name} filter gradient`);
}

for (const [file, convolution] of [["conv2d", conv2d], ["depthwise_conv2d", depthwiseConv2d]] as const) {
  for (const kernel of file === "conv2d" ? [1, 3, 5] : [3, 5]) {
    for (const stride of [1, 2]) {
      Deno.test(`${convolution.name}() equals PyTorch at kernel ${kernel}, stride ${stride}`, async () => {
        for (const each of readCases<Case>(file)) {
          if (each.kernel === kernel && each.stride === stride) await check(convolution, each);
        }
      });
    }
  }
}
