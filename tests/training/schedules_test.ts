import assert from "node:assert/strict";
import {
  constantSchedule,
  cosineSchedule,
  createSchedule,
  plateauSchedule,
  warmUp,
} from "../../lib/training/schedules.ts";

interface ScheduleCase {
  learningRate: number;
  epochs: number;
  warmUpEpochs: number;
  schedule: "cosine" | "constant";
  rates: number[];
}

interface PlateauCase {
  learningRate: number;
  patience: number;
  factor: number;
  threshold: number;
  floor: number;
  losses: number[];
  rates: number[];
}

const oracle: { cosine: ScheduleCase[]; warmUp: ScheduleCase[]; plateau: PlateauCase[] } = JSON.parse(
  Deno.readTextFileSync(new URL("../oracles/training/schedules.json", import.meta.url)),
);

function assertRates(found: number[], wanted: number[], learningRate: number): void {
  found.forEach((rate, epoch) => {
    assert.ok(
      Math.abs(rate - wanted[epoch]) <= 1e-14 * learningRate,
      `epoch ${epoch}: ${rate}, wanted ${wanted[epoch]}`,
    );
  });
}

Deno.test("cosineSchedule() equals torch's CosineAnnealingLR, down to 0 after the last epoch", () => {
  for (const { learningRate, epochs, rates } of oracle.cosine) {
    const schedule = cosineSchedule(learningRate, epochs);
    assertRates(rates.map((_, epoch) => schedule(epoch)), rates, learningRate);
    assert.equal(schedule(0), learningRate);
    assert.equal(schedule(epochs), 0);
    assert.equal(schedule(epochs + 3), 0);
  }
});

Deno.test("cosineSchedule() does not depend on the epochs asked for before", () => {
  const schedule = cosineSchedule(0.013, 35);
  const forwards = Array.from({ length: 35 }, (_, epoch) => schedule(epoch));
  assert.equal(cosineSchedule(0.013, 35)(20), forwards[20]);
});

Deno.test("createSchedule() with a warm-up equals torch's SequentialLR", () => {
  for (const { rates, ...options } of oracle.warmUp) {
    const schedule = createSchedule(options);
    assertRates(rates.map((_, epoch) => schedule(epoch)), rates, options.learningRate);
  }
});

Deno.test("createSchedule() without a warm-up is the cosine, or the constant", () => {
  const rates = (schedule: (epoch: number) => number) =>
    Array.from({ length: 10 }, (_, epoch) => schedule(epoch));
  const numbers = { learningRate: 0.01, epochs: 10 };
  assert.deepEqual(rates(createSchedule(numbers)), rates(cosineSchedule(0.01, 10)));
  assert.deepEqual(
    rates(createSchedule({ ...numbers, schedule: "constant" })),
    rates(constantSchedule(0.01)),
  );
});

Deno.test("plateauSchedule() equals torch's ReduceLROnPlateau", () => {
  const ladders = oracle.plateau.map(({ learningRate, losses, rates, ...options }) => {
    const schedule = plateauSchedule(learningRate, options);
    assertRates(rates.map((_, epoch) => schedule(epoch, losses)), rates, learningRate);
    return new Set(rates).size;
  });
  assert.ok(Math.max(...ladders) === 4, "down to the floor");
});

Deno.test("plateauSchedule() is forced down once where the loss never stops falling", () => {
  const falling = Array.from({ length: 40 }, (_, epoch) => 1 / (epoch + 1));
  const schedule = plateauSchedule(1, {}, 12);
  assert.deepEqual([11, 12, 13, 40].map((epoch) => schedule(epoch, falling)), [1, 0.1, 0.1, 0.1]);
  // Not where it has fallen by itself before.
  const stuck = [1, 1, 1, 1, 1, 1, 1, ...falling.slice(1)];
  assert.deepEqual([6, 7, 12, 13, 30].map((epoch) => schedule(epoch, stuck)), [1, 0.1, 0.1, 0.1, 0.1]);
});

Deno.test("createSchedule() counts plateaus after the warm-up, and forces a reduction in the last quarter", () => {
  const schedule = createSchedule({ schedule: "plateau", learningRate: 1, epochs: 20, warmUpEpochs: 2 });
  const losses = Array.from({ length: 20 }, (_, epoch) => 1 / (epoch + 1));
  // int(0.75 * 20) - 2 = 13 epochs after the warm-up's 2.
  assert.deepEqual([0, 1, 2, 14, 15].map((epoch) => schedule(epoch, losses)), [0.1, 0.55, 1, 1, 0.1]);
  const stuck = new Array(20).fill(1);
  assert.deepEqual([7, 8, 9].map((epoch) => schedule(epoch, stuck)), [1, 1, 0.1]);
});

Deno.test("warmUp() over 5 epochs gives the reference's shares", () => {
  const schedule = warmUp(5, constantSchedule(1));
  const shares = [0, 1, 2, 3, 4, 5, 6].map((epoch) => Number(schedule(epoch).toFixed(12)));
  assert.deepEqual(shares, [0.1, 0.28, 0.46, 0.64, 0.82, 1, 1]);
});

Deno.test("createSchedule() refuses numbers out of range", () => {
  const message = (options: Parameters<typeof createSchedule>[0]) => {
    try {
      createSchedule(options);
    } catch (error) {
      assert.equal((error as Error).name, "RangeError");
      return (error as Error).message;
    }
  };
  assert.equal(
    message({ learningRate: 0, epochs: 3 }),
    "Cannot make the schedule: found learningRate 0, wanted a number above 0",
  );
  assert.equal(
    message({ learningRate: NaN, epochs: 3, schedule: "constant" }),
    "Cannot make the schedule: found learningRate NaN, wanted a number above 0",
  );
  assert.equal(
    message({ learningRate: 1, epochs: 0 }),
    "Cannot make the schedule: found epochs 0, wanted a whole number of at least 1",
  );
  assert.equal(
    message({ learningRate: 1, epochs: 3, warmUpEpochs: -1 }),
    "Cannot make the schedule: found warmUpEpochs -1, wanted a whole number of at least 0",
  );
  assert.equal(
    message({ learningRate: 1, epochs: 3, warmUpEpochs: 3 }),
    "Cannot make the schedule: found 3 warmUpEpochs of 3 epochs, wanted fewer than epochs\n" +
      "  help: give the run more epochs, or a shorter warm-up",
  );
});
