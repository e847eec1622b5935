import assert from "node:assert/strict";
import { createRng } from "../../lib/augment/rng.ts";
import { normal } from "../../lib/augment/distributions.ts";
import { judgeCurve, judgeTrials } from "../../lib/lr_finder/judge.ts";
import { rangeTestRates, smoothLosses } from "../../lib/lr_finder/range_test.ts";
import type { Trial } from "../../lib/lr_finder/trial.ts";
import { curve, oracle, pointsOf } from "./_range_test_oracle.ts";

/** A range test whose loss is a curve over 0..1, with scatter. */
function made(shape: (place: number) => number, count: number, scatter: number, smoothing: number, seed = 1) {
  const rng = createRng(seed, "order");
  const losses = Array.from({ length: count }, (_, i) => shape(i / (count - 1)) + scatter * normal(rng));
  const smoothed = smoothLosses(losses, smoothing);
  return rangeTestRates(0.001, 1, count).map((learningRate, i) => ({
    learningRate,
    loss: losses[i],
    smoothedLoss: smoothed[i],
  }));
}

const cliff = (place: number) => 2.3 - 1 / (1 + Math.exp(-20 * (place - 0.5)));

Deno.test("judgeCurve() calls recorded curves what they are", () => {
  const verdicts = Object.fromEntries(
    oracle.curves.map((one) => [one.name, judgeCurve(pointsOf(one), one.smoothing).verdict]),
  );
  assert.deepEqual(verdicts, {
    "wide": "clear",
    "wide, the reference's smoothing": "clear",
    "wide, not smoothed": "noisy",
    "wide, momentum, diverges": "noisy",
    "far too low": "flat",
    "far too high": "flat",
    "batches of 2": "flat",
    "random labels": "noisy",
    "the recommended bounds, warmed up": "clear",
    "the recommended bounds, few batches": "flat",
    "17 batches": "noisy",
  });
});

Deno.test("judgeCurve() suggests the steepest point of a clear curve, and nothing else", () => {
  for (const one of oracle.curves) {
    const { verdict, suggestion } = judgeCurve(pointsOf(one), one.smoothing);
    assert.equal(suggestion, verdict === "clear" ? one.suggestion : undefined, one.name);
  }
});

Deno.test("judgeCurve() says why", () => {
  const reason = (name: string) => judgeCurve(pointsOf(curve(name)), curve(name).smoothing).reason;
  assert.equal(
    reason("the recommended bounds, warmed up"),
    "The loss falls from 2.05 to 1.67, most steeply at 0.0247; if the scatter of the batches is drawn again, " +
      "from 0.0231 to 0.0255 in 8 of 10 cases.",
  );
  assert.equal(
    reason("far too low"),
    "The loss does not fall: it is 2.33 at the start and 2.31 at the lowest, which is chance where single batches " +
      'scatter by 0.0368. The rates are too low, or the batches too few: raise maxLearningRate, or use mode "tpe".',
  );
  assert.equal(
    reason("far too high"),
    "The loss does not fall: it is 3.15 at the start, 3.45 at the lowest and 6.5 at the highest. " +
      "The rates are too high: lower minLearningRate.",
  );
  assert.equal(
    reason("wide, momentum, diverges"),
    "The loss falls most steeply at 3.8, but only after it had risen again, from 0.986 to 3.22: that is a rebound. " +
      "Lower maxLearningRate, or smooth more.",
  );
  assert.equal(
    reason("random labels"),
    "The loss falls from 2.33 to 2.29, but where it falls most steeply is chance: if the scatter of the batches is " +
      "drawn again, it is from 0.00385 to 0.0285 in 8 of 10 cases. " +
      'Make batches larger, smooth more, or use mode "tpe".',
  );
  assert.equal(
    reason("17 batches"),
    "Only 2 of 17 points are left to choose from, too few to tell a slope from chance: wanted at least 10. " +
      'Make batches smaller, or use mode "tpe".',
  );
});

Deno.test("judgeCurve() calls a constant, a rise and a fall of less than 1 % flat, with no scatter at all", () => {
  for (const smoothing of [0, 0.01, 0.5]) {
    for (const shape of [() => 2.3, (at: number) => 2.3 + at, (at: number) => 2.3 - 0.02 * at]) {
      assert.equal(judgeCurve(made(shape, 60, 0, smoothing), smoothing).verdict, "flat");
    }
    assert.match(judgeCurve(made((at) => 2.3 + at, 60, 0, smoothing), smoothing).reason, /too high/);
    assert.match(judgeCurve(made(() => 2.3, 60, 0, smoothing), smoothing).reason, /too low/);
    assert.equal(judgeCurve(made(cliff, 60, 0, smoothing), smoothing).verdict, "clear");
  }
});

Deno.test("judgeCurve() calls scatter without a fall clear in at most 1 of 25 cases", () => {
  for (const smoothing of [0, 0.01, 0.3]) {
    const verdicts = Array.from(
      { length: 50 },
      (_, seed) => judgeCurve(made(() => 2.3, 60, 0.1, smoothing, seed), smoothing).verdict,
    );
    const count = (verdict: string) => verdicts.filter((one) => one === verdict).length;
    assert.ok(count("clear") <= 2 && count("flat") >= 45, `smoothing ${smoothing}: ${verdicts}`);
  }
});

Deno.test("judgeCurve() finds a cliff in little scatter, and not in much", () => {
  const clear = (scatter: number) =>
    Array.from({ length: 20 }, (_, seed) => judgeCurve(made(cliff, 60, scatter, 0.3, seed), 0.3))
      .filter(({ verdict }) => verdict === "clear");
  const found = clear(0.03);
  assert.equal(found.length, 20);
  for (const { suggestion } of found) assert.ok(suggestion! > 0.01 && suggestion! < 0.1, `${suggestion}`);
  assert.ok(clear(1).length <= 4);
});

Deno.test("judgeCurve() calls a steady fall noisy, as no point of it is steeper than the others", () => {
  const verdicts = Array.from(
    { length: 20 },
    (_, seed) => judgeCurve(made((at) => 2.3 - at, 150, 0.1, 0.3, seed), 0.3).verdict,
  );
  assert.ok(verdicts.filter((verdict) => verdict === "noisy").length >= 18, `${verdicts}`);
});

Deno.test("judgeCurve() refuses what suggestSteepest() refuses", () => {
  assert.throws(() => judgeCurve(made(cliff, 16, 0, 0), 0), /found 16 points, wanted at least 17/);
});

const facts = { images: 500, chance: 0.1 };

/** Complete trials of 2 epochs, at 0.01, 0.02, ... */
function complete(...tops: number[]): Trial[] {
  return tops.map((top1, number) => ({
    number,
    learningRate: (number + 1) / 100,
    values: [top1 / 2, top1],
    state: "complete",
  }));
}

Deno.test("judgeTrials() has no suggestion where no trial is complete", () => {
  assert.deepEqual(judgeTrials([], facts), {
    verdict: "failed",
    reason: "No rate was tried.",
    suggestion: undefined,
  });
  const failed = complete(0.5, 0.6, 0.7).map((trial): Trial => ({ ...trial, state: "failed" }));
  assert.deepEqual(judgeTrials(failed, facts), {
    verdict: "failed",
    reason: "None of 3 trials was completed. Lower maxLearningRate.",
    suggestion: undefined,
  });
});

Deno.test("judgeTrials() has no suggestion where all trials are at chance level", () => {
  const { verdict, reason, suggestion } = judgeTrials(complete(0.1, 0.12, 0.08, 0.1), facts);
  assert.equal(verdict, "flat");
  assert.equal(suggestion, undefined);
  assert.equal(
    reason,
    "No rate does better than guessing: the best top-1 is 12.0 % of 500 validation pictures, and always the most " +
      "frequent class would have 10.0 %. Try other rates, more epochs, or more pictures.",
  );
  // The best of many counts for less: 13 % of 500 is above chance once, not as the best of 15.
  assert.equal(judgeTrials(complete(0.13), facts).suggestion, 0.01);
  assert.equal(judgeTrials(complete(0.13, ...new Array(14).fill(0.1)), facts).suggestion, undefined);
  // A set of one class mostly: 70 % is chance.
  assert.equal(judgeTrials(complete(0.7, 0.6), { images: 500, chance: 0.7 }).suggestion, undefined);
});

Deno.test("judgeTrials() calls trials that differ by less than chance flat, and keeps the best", () => {
  assert.deepEqual(judgeTrials(complete(0.82, 0.84, 0.81, 0.84), facts), {
    verdict: "flat",
    reason:
      "0.02 has the best top-1, 84.0 % of 500 validation pictures, but of 3 other rates none is worse by " +
      "more than chance: any of them would do.",
    suggestion: 0.02,
  });
  assert.equal(judgeTrials(complete(0.8, 0.8, 0.8), facts).verdict, "flat");
  assert.equal(judgeTrials(complete(0.8, 0.8, 0.8), facts).suggestion, 0.01, "the first of equals");
});

Deno.test("judgeTrials() says so where only one rate was tried", () => {
  const [first] = complete(0.8);
  const repeated: Trial = { number: 1, learningRate: 0.01, values: [], state: "duplicate" };
  assert.deepEqual(judgeTrials([first, repeated], facts), {
    verdict: "flat",
    reason: "0.01 has the best top-1, 80.0 % of 500 validation pictures, but no other rate was tried.",
    suggestion: 0.01,
  });
});

Deno.test("judgeTrials() calls a winner clear, and tells which rates do as well", () => {
  assert.deepEqual(judgeTrials(complete(0.5, 0.8, 0.83, 0.85, 0.84, 0.6), facts), {
    verdict: "clear",
    reason:
      "0.04 has the best top-1, 85.0 % of 500 validation pictures; of 5 other rates 2 are worse by more than " +
      "chance, the rest (0.02 to 0.05) is not.",
    suggestion: 0.04,
  });
  assert.equal(
    judgeTrials(complete(0.5, 0.85), facts).reason,
    "0.02 has the best top-1, 85.0 % of 500 validation pictures; of 1 other rate 1 is worse by more than chance.",
  );
  assert.match(
    judgeTrials(complete(0.5, 0.85, 0.84), facts).reason,
    /; of 2 other rates 1 is worse by more than chance, 0.03 is not.$/,
  );
});

Deno.test("judgeTrials() asks for a larger difference of fewer pictures, and of more trials", () => {
  const verdict = (images: number, ...tops: number[]) =>
    judgeTrials(complete(...tops), { images, chance: 0.1 }).verdict;
  assert.equal(verdict(500, 0.85, 0.8), "clear");
  assert.equal(verdict(100, 0.85, 0.8), "flat");
  assert.equal(verdict(500, 0.85, 0.8, ...new Array(13).fill(0.85)), "flat");
});

Deno.test("judgeTrials() compares a pruned trial after the same epoch, and takes a failed one as worse", () => {
  const [best, same] = complete(0.85, 0.84);
  const pruned = (top1: number): Trial => ({
    number: 2,
    learningRate: 0.03,
    values: [top1],
    state: "pruned",
  });
  assert.equal(judgeTrials([best, same, pruned(0.41)], facts).verdict, "flat", "0.425 after the first epoch");
  assert.equal(judgeTrials([best, same, pruned(0.2)], facts).verdict, "clear");
  const failed: Trial = { number: 2, learningRate: 0.03, values: [], state: "failed" };
  assert.equal(judgeTrials([best, same, failed], facts).verdict, "clear");
});

Deno.test("judgeTrials() refuses facts that do not fit", () => {
  for (const [images, chance] of [[0, 0.1], [1.5, 0.1], [100, 10], [100, NaN]]) {
    assert.throws(() => judgeTrials(complete(0.5), { images, chance }), {
      name: "RangeError",
      message: `Cannot judge trials: found ${images} validation pictures and a chance of ${chance}, ` +
        "wanted a whole number of at least 1 and a share from 0 to 1",
    });
  }
});
