import assert from "node:assert/strict";
import type { Model } from "../../lib/models/model.ts";
import { type AccuracyControl, controlAccuracy } from "../../lib/quantization/accuracy_control.ts";
import { accuracyDrop } from "../../lib/quantization/accuracy_drop.ts";
import { AccuracyDropError, type ControlStep } from "../../lib/quantization/accuracy_drop_error.ts";

/** Scores that name these classes of three. */
function scores(classes: readonly number[]): Float32Array[] {
  return classes.map((named) => Float32Array.from([0, 1, 2], (index) => index === named ? 1 : 0));
}

const labels = [0, 1, 2, 0, 1, 2, 0, 1, 2, 0];
const float = { logits: scores([0, 1, 2, 0, 1, 2, 0, 1, 2, 1]), labels }; // 9 of 10

/** A control whose int8 file is wrong about the first `6 - 2 * layers in float` pictures. */
function control(maxDrop: number, maxFloatLayers: number, more: Partial<AccuracyControl> = {}) {
  const tried: string[][] = [], disposed: string[][] = [];
  const model = (floatLayers: readonly string[]) =>
    ({
      floatLayers,
      dispose: () => Promise.resolve(void disposed.push([...floatLayers])),
    }) as unknown as Model;
  return {
    tried,
    disposed,
    result: () =>
      controlAccuracy({
        float,
        ranking: ["worst", "second", "third", "fourth"],
        maxDrop,
        maxFloatLayers,
        ...more,
        quantized: (floatLayers) => Promise.resolve(model(floatLayers)),
        score: (model) => {
          const { floatLayers } = model as unknown as { floatLayers: string[] };
          tried.push([...floatLayers]);
          const wrong = Math.max(0, 6 - 2 * floatLayers.length);
          const classes = float.logits.map((row) => row.indexOf(1));
          return Promise.resolve({
            logits: scores(classes.map((named, at) => at < wrong ? (named + 1) % 3 : named)),
          });
        },
      }),
  };
}

Deno.test("accuracyDrop() counts pictures, and both ways of disagreeing", () => {
  const drop = accuracyDrop(float, { logits: scores([1, 1, 2, 0, 1, 2, 0, 1, 2, 0]) });
  const { interval, ...numbers } = drop;
  assert.deepEqual(numbers, { float: 0.9, int8: 0.9, drop: 0, agreement: 0.8, pictures: 10 });
  assert.ok(interval[0] < 0 && Math.abs(interval[0] + interval[1]) < 1e-12);
});

Deno.test("controlAccuracy() leaves everything in int8 where the promise holds", async () => {
  const { result, tried } = control(0.6, 4);
  const { floatLayers, drop, steps } = await result();
  assert.deepEqual([floatLayers, tried, steps.length], [[], [[]], 1]);
  assert.ok(Math.abs(drop.drop - 0.6) < 1e-12);
});

Deno.test("controlAccuracy() puts layers back one after another, worst first, until it holds", async () => {
  const { result, tried, disposed } = control(0.2, 4);
  const { floatLayers, drop } = await result();
  assert.deepEqual(floatLayers, ["worst", "second"]);
  assert.deepEqual(tried, [[], ["worst"], ["worst", "second"]]);
  assert.deepEqual(disposed, [[], ["worst"]], "models that were tried in vain are freed");
  assert.ok(Math.abs(drop.drop - 0.2) < 1e-12 && Math.abs(drop.int8 - 0.7) < 1e-12);
});

Deno.test("controlAccuracy() tells every try where the promise cannot be kept", async () => {
  const { result } = control(0.1, 2);
  const error = await result().then(() => assert.fail("did not fail"), (error) => error);
  assert.ok(error instanceof AccuracyDropError);
  assert.equal(error.steps.length, 3);
  assert.equal(
    error.message,
    "Cannot quantise within { maxDrop: 0.1 }: with up to 2 layers in float the least drop is 20.0 % of 90.0 %, " +
      "on 10 pictures\n" +
      "  all layers in int8: top-1 30.0 %, drop 60.0 %\n" +
      "  1 in float, with worst: top-1 50.0 %, drop 40.0 %\n" +
      "  2 in float, with second: top-1 70.0 %, drop 20.0 %\n" +
      "  help: allow a larger maxDrop or more maxFloatLayers, fine-tune, or give more calibration pictures",
  );
});

Deno.test("controlAccuracy() does not measure what is known, and says that training is not to be done again", async () => {
  const allInt8 = { logits: scores([1, 2, 0, 1, 2, 0, 0, 1, 2, 1]) }; // wrong about the first six
  const { result, tried } = control(0.3, 1, { allInt8, fineTunedIn: "outputs/pets-int8" });
  const error = await result().then(() => assert.fail("did not fail"), (error) => error);
  assert.deepEqual(tried, [["worst"]]);
  assert.deepEqual(error.steps.map((step: ControlStep) => +step.drop.drop.toFixed(6)), [0.6, 0.4]);
  assert.equal(
    error.message.split("\n").at(-1),
    '  help: allow a larger maxDrop or more maxFloatLayers, without training again by { resumeFrom: "outputs/pets-int8" }; ' +
      "or give more calibration pictures",
  );
});
