import * as activations from "../../lib/operators/activations.ts";
import { tf } from "../../lib/tensorflow/mod.ts";
import { assertClose, assertStored, gradients, readCases, run, type Stored, values } from "./_check.ts";

interface Case {
  name: string;
  x: Stored;
  y: Stored;
  gradient: Stored;
}

const functions: Record<string, activations.Activation> = {
  relu: activations.relu,
  relu6: activations.relu6,
  hard_swish: activations.hardSwish,
  hard_sigmoid: activations.hardSigmoid,
  swish: activations.swish,
  sigmoid: activations.sigmoid,
};

for (const { name, x, y, gradient } of readCases<Case>("activations")) {
  const fn = functions[name]!;
  Deno.test(`${name} has PyTorch's values and slopes, at the kinks too`, async () => {
    // Far out (|x| = 100) apart: errors are judged against the largest magnitude.
    for (const far of [false, true]) {
      const pick = (stored: Stored) =>
        values(stored.data.filter((_, i) => (Math.abs(x.data[i]!) > 20) === far));
      const found = await run((inputs) => ({
        y: fn(inputs.x!),
        dx: gradients(({ x }) => fn(x!), inputs, ["x"], tf.onesLike(inputs.x!)).x!,
      }), { x: pick(x) });
      const wanted = (stored: Stored) => ({ shape: pick(stored).shape, data: [...pick(stored).data] });
      assertStored(found.y, wanted(y), 5e-7, `${name}(x)`);
      assertClose(found.dx!.data, pick(gradient).data, 5e-7, `slope of ${name}(x)`, 1);
    }
  });
}
