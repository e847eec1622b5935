import assert from "node:assert/strict";
import { initialise } from "../../lib/models/initialise.ts";
import { createNetwork, modelRecord } from "../../lib/models/registry.ts";
import { readOracle } from "./_oracle.ts";

type Spread = Record<string, { constant: number } | { std: number; largest: number }>;

for (const id of ["mobilenetv3_small_100", "efficientnet_b0"]) {
  Deno.test(`initialise() spreads the weights of ${id} as timm does, the classifier as torchvision`, () => {
    const oracle = readOracle<Record<string, Spread>>("initial_spread.json")[id]!;
    const { parameters } = createNetwork(modelRecord(id), { numClasses: 100 });
    const values = initialise(parameters, 0);
    assert.deepEqual(Object.keys(values).sort(), Object.keys(oracle).sort());
    for (const [name, spread] of Object.entries(oracle)) {
      const data = values[name]!.data as Float32Array;
      if ("constant" in spread) {
        assert.ok(data.every((value) => value === spread.constant), `${name} is not all ${spread.constant}`);
        continue;
      }
      const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
      const std = Math.sqrt(data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length);
      // Two samples of n normal numbers: their deviations differ by about 1 / sqrt(n); five times that.
      const tolerance = 5 / Math.sqrt(data.length);
      const wanted = name === "classifier.weight" ? 0.01 : spread.std; // the one rule that is not timm's
      assert.ok(Math.abs(std / wanted - 1) < tolerance, `${name}: std ${std}, wanted ${wanted}`);
      assert.ok(Math.abs(mean) < 5 * std / Math.sqrt(data.length), `${name}: mean ${mean}`);
    }
  });
}

Deno.test("initialise() gives the same values for the same seed, others for another", () => {
  const { parameters } = createNetwork(modelRecord("mobilenetv3_small_100"), { numClasses: 3 });
  const name = "conv_stem.weight";
  assert.deepEqual(initialise(parameters, 7)[name], initialise(parameters, 7)[name]);
  assert.notDeepEqual(initialise(parameters, 7)[name], initialise(parameters, 8)[name]);
});

Deno.test("initialise() leaves parameters out without changing the others", () => {
  const { parameters } = createNetwork(modelRecord("mobilenetv3_small_100"), { numClasses: 3 });
  const whole = initialise(parameters, 5);
  const classifier = initialise(parameters, 5, { except: ({ name }) => !name.startsWith("classifier.") });
  assert.deepEqual(classifier, {
    "classifier.weight": whole["classifier.weight"],
    "classifier.bias": whole["classifier.bias"],
  });
});
