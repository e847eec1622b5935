import assert from "node:assert/strict";
import { pairedInterval } from "../../lib/metrics/paired_interval.ts";

Deno.test("pairedInterval() is Bonett and Price's", () => {
  // By hand: (b + 1 - c - 1) / (n + 2) -+ z sqrt((b + c + 2) / (n + 2) - difference^2) / sqrt(n + 2)
  const cases: [number, number, number, number, number][] = [
    [12, 5, 500, -0.00303, 0.03092],
    [0, 0, 100, -0.02717, 0.02717],
    [8, 0, 20, 0.1264, 0.60087],
  ];
  for (const [onlyFirst, onlySecond, total, low, high] of cases) {
    const [found, upper] = pairedInterval(onlyFirst, onlySecond, total);
    assert.ok(Math.abs(found - low) < 1e-5 && Math.abs(upper - high) < 1e-5, `${found} to ${upper}`);
  }
});

Deno.test("pairedInterval() holds the truth about as often as it promises", () => {
  // Pairs of which the first is right alone with 6 % and the second alone with 2 %: the truth is 0.04.
  let state = 12345, held = 0;
  const uniform = () => (state = (1103515245 * state + 12345) % 2 ** 31) / 2 ** 31;
  for (let experiment = 0; experiment < 2000; experiment++) {
    let first = 0, second = 0;
    for (let pair = 0; pair < 200; pair++) {
      const draw = uniform();
      if (draw < 0.06) first++;
      else if (draw < 0.08) second++;
    }
    const [low, high] = pairedInterval(first, second, 200);
    if (low <= 0.04 && 0.04 <= high) held++;
  }
  assert.ok(held > 1860 && held < 1980, `${held} of 2000`);
});

Deno.test("pairedInterval() refuses what are no counts", () => {
  const wrong: [number, number, number][] = [[1, 2, 2], [-1, 0, 5], [0.5, 0, 5], [0, 0, 0]];
  for (const counts of wrong) {
    assert.throws(
      () => pairedInterval(...counts),
      /Cannot compute the interval: found .* wanted counts of samples/,
    );
  }
});
