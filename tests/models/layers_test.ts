import { type ForwardContext, squeezeExcite } from "../../lib/models/layers.ts";
import { hardSigmoid, relu, sigmoid, swish } from "../../lib/operators/activations.ts";
import type { tf } from "../../lib/tensorflow/mod.ts";
import { assertStored, generate, gradients, readCases, run, type Stored } from "../operators/_check.ts";

interface Case {
  name: string;
  activation: string;
  gate: string;
  scale: number;
  shapes: Record<string, number[]>;
  y: Stored;
  gradients: Record<string, Stored>;
}

for (const { name, activation, gate, scale, shapes, ...wanted } of readCases<Case>("squeeze_excite")) {
  Deno.test(`squeezeExcite() with ${activation} and ${gate} equals PyTorch's, every gradient too`, async () => {
    const layer = squeezeExcite("se", {
      channels: shapes.x!.at(-1)!,
      squeezed: shapes["reduce.bias"]![0]!,
      activation: activation === "relu" ? relu : swish,
      gate: gate === "sigmoid" ? sigmoid : hardSigmoid,
    });
    const inputs = Object.fromEntries(
      Object.entries(shapes).map(([tensor, shape]) => [
        tensor,
        generate(`${name}.${tensor}`, shape, tensor === "dy" ? 1 : scale),
      ]),
    );
    const names = Object.keys(shapes).filter((tensor) => tensor !== "dy");
    const forward = ({ x, ...rest }: Record<string, tf.Tensor>) => {
      const params = Object.fromEntries(
        Object.entries(rest).map(([tensor, value]) => [`se.conv_${tensor}`, value]),
      );
      return layer.forward(
        x as tf.Tensor4D,
        { params, training: true, statistics: {} } satisfies ForwardContext,
      );
    };
    const found = await run(
      (inputs) => ({ y: forward(inputs), ...gradients(forward, inputs, names, inputs.dy!) }),
      inputs,
    );
    assertStored(found.y, wanted.y, 2e-6, "output");
    for (const tensor of names) {
      assertStored(found[tensor], wanted.gradients[tensor]!, 5e-6, `gradient of ${tensor}`);
    }
  });
}
