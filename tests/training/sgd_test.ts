import { sgd } from "../../lib/training/sgd.ts";
import { assertClose, generate, readCases, run, type Stored, values } from "../operators/_check.ts";

interface Case {
  name: string;
  nesterov: boolean;
  momentum: number;
  weightDecay: number;
  learningRates: number[];
  shape: number[];
  steps: { parameter: Stored; momentum: Stored | null }[];
}

for (const { name, nesterov, shape, learningRates, steps, ...options } of readCases<Case>("sgd")) {
  if (nesterov) continue; // the oracle has it for whoever adds it
  Deno.test(`sgd() steps as torch.optim.SGD does: ${name}`, async () => {
    let value = generate(`${name}.parameter`, shape);
    let velocity = values(new Float32Array(12), shape);
    for (const [step, rate] of learningRates.entries()) {
      const found = await run(
        ({ value, velocity, gradient, rate }) => ({ ...sgd(value!, gradient!, velocity!, rate!, options) }),
        { value, velocity, gradient: generate(`${name}.gradient${step}`, shape), rate: values([rate], []) },
      );
      assertClose(found.value!.data, steps[step]!.parameter.data, 1e-6, `parameter after step ${step}`);
      const momentum = steps[step]!.momentum;
      if (momentum !== null) {
        assertClose(found.velocity!.data, momentum.data, 1e-6, `momentum after step ${step}`);
      }
      value = values(found.value!.data, shape);
      velocity = values(found.velocity!.data, shape);
    }
  });
}
