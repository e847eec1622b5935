import assert from "node:assert/strict";
import { fakeQuantize, fakeQuantizeChannels } from "../../lib/operators/fake_quantize.ts";
import { tf } from "../../lib/tensorflow/mod.ts";
import { assertStored, gradients, readCases, run, type Stored, values } from "./_check.ts";

interface Case {
  name: string;
  bits: number;
  narrow: boolean;
  x: Stored;
  dy: Stored;
  y: Stored;
  min: number[];
  max: number[];
  gradients: Record<"x" | "min" | "max", Stored>;
}

for (
  const { name, bits, narrow, x, dy, y, min, max, gradients: wanted } of readCases<Case>("fake_quantize")
) {
  const perChannel = min.length > 1;
  const symbol = perChannel ? "fakeQuantizeChannels()" : "fakeQuantize()";
  Deno.test(`${symbol} has PyTorch's values, and gradients of x and both ends: ${name}`, async () => {
    const shape = perChannel ? [min.length] : [];
    const forward = ({ x, min, max }: Record<string, tf.Tensor>) =>
      (perChannel ? fakeQuantizeChannels : fakeQuantize)(x!, min!, max!, { bits, narrow });
    const found = await run((inputs) => {
      const slopes = gradients(forward, inputs, ["x", "min", "max"], inputs.dy!);
      return { y: forward(inputs), dx: slopes.x!, dmin: slopes.min!, dmax: slopes.max! };
    }, {
      x: values(x.data, x.shape),
      dy: values(dy.data, dy.shape),
      min: values(min, shape),
      max: values(max, shape),
    });
    assertStored(found.y, y, 1e-6, "y");
    assertStored(found.dx, wanted.x, 1e-6, "gradient of x");
    assertStored(found.dmin, { ...wanted.min, shape }, 1e-6, "gradient of min");
    assertStored(found.dmax, { ...wanted.max, shape }, 1e-6, "gradient of max");
  });
}

Deno.test("fakeQuantize() takes 8 bits, and all of their values, unless told otherwise", () => {
  tf.tidy(() => {
    const x = tf.linspace(-300, 300, 6001);
    const distinct = (y: tf.Tensor) => new Set(y.dataSync()).size;
    assert.equal(distinct(fakeQuantize(x, tf.scalar(-128), tf.scalar(127))), 256);
    assert.equal(distinct(fakeQuantize(x, tf.scalar(-127), tf.scalar(127), { narrow: true })), 255);
    assert.equal(distinct(fakeQuantize(x, tf.scalar(-63), tf.scalar(63), { bits: 7, narrow: true })), 127);
  });
});
