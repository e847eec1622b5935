import assert from "node:assert/strict";
import { oneCycle, type OneCycleOptions } from "../../lib/training/one_cycle.ts";
import { createMomentum, createSchedule, type ScheduleOptions } from "../../lib/training/schedules.ts";

interface Case extends Required<OneCycleOptions> {
  learningRate: number;
  steps: number;
  rates: number[];
  momenta: number[];
}
const cases: Case[] = JSON.parse(
  Deno.readTextFileSync(new URL("../oracles/training/one_cycle.json", import.meta.url)),
);

Deno.test("oneCycle() equals torch's OneCycleLR in every step, rate and momentum", () => {
  for (const { learningRate, steps, rates, momenta, ...options } of cases) {
    const cycle = oneCycle(learningRate, steps, options);
    for (let step = 0; step < steps; step++) {
      const found = cycle(step);
      const where = `step ${step} of ${steps}, ${JSON.stringify(options)}`;
      assert.ok(
        Math.abs(found.learningRate - rates[step]!) <= 1e-14 * learningRate,
        `${where}: ${found.learningRate}`,
      );
      if (options.momentum === null) assert.equal(found.momentum, undefined);
      else assert.ok(Math.abs(found.momentum! - momenta[step]!) <= 1e-14, `${where}: ${found.momentum}`);
    }
  }
});

Deno.test("oneCycle() has torch's defaults", () => {
  const { learningRate, steps, percentStart, divisor, finalDivisor, anneal, momentum } = cases[0]!;
  const [short, whole] = [{}, { percentStart, divisor, finalDivisor, anneal, momentum }].map((options) =>
    oneCycle(learningRate, steps, options)
  );
  for (let step = 0; step < steps; step++) assert.deepEqual(short!(step), whole!(step));
});

Deno.test("oneCycle() whose first step is the highest begins there", () => {
  // Torch divides by 0 where percentStart * steps is 1.
  const cycle = oneCycle(0.1, 10, { percentStart: 0.1 });
  assert.deepEqual(cycle(0), { learningRate: 0.1, momentum: 0.85 });
  assert.ok(cycle(1).learningRate < 0.1 && Math.abs(cycle(9).learningRate - 0.1 / 25e4) < 1e-15);
});

Deno.test("createSchedule() and createMomentum() with one cycle count the steps of all epochs", () => {
  const { rates, momenta, steps, learningRate } = cases[0]!;
  const stepsPerEpoch = 12;
  const options: ScheduleOptions = { schedule: "oneCycle", learningRate, epochs: 5, stepsPerEpoch };
  const schedule = createSchedule(options), momentum = createMomentum(options)!;
  for (let at = 0; at < steps; at++) {
    const epoch = Math.floor(at / stepsPerEpoch), step = at % stepsPerEpoch;
    assert.ok(Math.abs(schedule(epoch, [1, 2], step) - rates[at]!) <= 1e-14 * learningRate);
    assert.ok(Math.abs(momentum(epoch, step) - momenta[at]!) <= 1e-14);
  }
  assert.equal(schedule(1), schedule(1, [], 0));
  assert.equal(createMomentum({ ...options, oneCycle: { momentum: null } }), undefined);
  assert.equal(createMomentum({ ...options, schedule: "cosine" }), undefined);
});
