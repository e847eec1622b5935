/** Auxiliary models that only teach. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fineTune, type FineTuneOptions } from "../../mod.ts";
import { readSafetensors } from "../../lib/models/weights/safetensors.ts";
import { failure, freshFolder } from "./_runs.ts";
import { shapeSplits } from "./_shapes.ts";

const small = "mobilenetv3_small_100";
const data = shapeSplits({ train: 8, validation: 4 });
const quick = {
  weights: null,
  imageSize: 32,
  batchSize: 8,
  epochs: 2,
  learningRate: 0.02,
  logs: [],
  view: false,
} as const satisfies FineTuneOptions;
const teacher = await fineTune(small, data, { ...quick, outputDir: freshFolder() });
const student = (options: FineTuneOptions) =>
  fineTune(small, data, { ...quick, outputDir: freshFolder(), seed: 5, ...options });
const weights = teacher.checkpoint;

Deno.test("a frozen auxiliary model teaches and stays as it is, with one pass a step and with two", async () => {
  const alone = await student({});
  const wanted = await readSafetensors(weights);
  for (const sam of [undefined, { rho: 0.05 }]) {
    const run = await student({ sam, auxiliaryModels: [{ model: small, weights, frozen: true }] });
    const kept = await readSafetensors(join(run.outputDir, "auxiliary_1.safetensors"));
    assert.deepEqual(Object.keys(kept.tensors).sort(), Object.keys(wanted.tensors).sort());
    for (const [name, { data }] of Object.entries(wanted.tensors)) {
      assert.deepEqual(kept.tensors[name]!.data, data, name);
    }
    assert.notDeepEqual(
      run.model.weights["conv_stem.weight"]!.data,
      alone.model.weights["conv_stem.weight"]!.data,
    );
    assert.deepEqual(run.recipe.auxiliaryModels![0]!.loss, "softmax", "its classifier is the file's");
  }
});

Deno.test("a frozen auxiliary model that learned otherwise would have changed", async () => {
  const run = await student({ auxiliaryModels: [{ model: small, weights, loss: "softmax" }] });
  const changed = await readSafetensors(join(run.outputDir, "auxiliary_1.safetensors"));
  const { tensors } = await readSafetensors(weights);
  assert.notDeepEqual(changed.tensors["conv_stem.weight"]!.data, tensors["conv_stem.weight"]!.data);
});

Deno.test("fineTune() refuses another value for frozen than yes or no", async () => {
  const error = await failure(
    student({ auxiliaryModels: [{ model: small, weights, frozen: "yes" as unknown as boolean }] }),
  );
  assert.match(error.message, /auxiliaryModels\[0\]\.frozen: found "yes", wanted true or false/);
});
