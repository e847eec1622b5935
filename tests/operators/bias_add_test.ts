import { hardSigmoid, hardSwish, relu, relu6, swish } from "../../lib/operators/activations.ts";
import { biasAdd } from "../../lib/operators/bias_add.ts";
import { conv2d, depthwiseConv2d } from "../../lib/operators/conv2d.ts";
import { tf } from "../../lib/tensorflow/mod.ts";
import { assertClose, generate, gradients, run } from "./_check.ts";

for (const shape of [[3, 5, 7, 6], [4, 6], [1, 1, 1, 1]]) {
  Deno.test(`biasAdd() adds to each channel, and its gradients are those of the sum: [${shape}]`, async () => {
    const channels = shape.at(-1)!;
    const x = generate("bias_add.x", shape), dy = generate("bias_add.dy", shape);
    const bias = generate("bias_add.bias", [channels], 3);
    const found = await run((inputs) => ({
      y: biasAdd(inputs.x!, inputs.bias!),
      ...gradients(({ x, bias }) => biasAdd(x!, bias!), inputs, ["x", "bias"], inputs.dy!),
    }), { x, bias, dy });
    const sums = new Float64Array(channels);
    dy.data.forEach((value, index) => sums[index % channels]! += value);
    assertClose(found.y!.data, x.data.map((value, index) => value + bias.data[index % channels]!), 1e-6, "y");
    assertClose(found.x!.data, dy.data, 0, "gradient of x");
    assertClose(found.bias!.data, sums, 1e-6, "gradient of bias");
  });
}

// TensorFlow makes one operator of these three when the graph runs as a whole; `run` compares it with each by itself.
for (const [kind, convolve] of Object.entries({ conv2d, depthwiseConv2d })) {
  for (const [name, activation] of Object.entries({ relu, relu6, hardSwish, hardSigmoid, swish })) {
    for (const stride of [1, 2]) {
      Deno.test(`${kind}() with stride ${stride}, biasAdd() and ${name}() recorded equal the three op by op`, async () => {
        const filter = kind === "conv2d" ? [3, 3, 5, 8] : [5, 5, 5, 1];
        await run(({ x, filter, bias }) => {
          const y = convolve(x as tf.Tensor4D, filter as tf.Tensor4D, { stride });
          return { y: activation(biasAdd(y, bias!)) };
        }, {
          x: generate("fused.x", [2, 9, 11, 5], 4),
          filter: generate("fused.filter", filter, 2),
          bias: generate("fused.bias", [kind === "conv2d" ? 8 : 5], 3),
        });
      });
    }
  }
}
