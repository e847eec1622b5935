import assert from "node:assert/strict";
import { initialise } from "../../lib/models/initialise.ts";
import { createModel, type Model } from "../../lib/models/model.ts";
import { createNetwork, modelRecord } from "../../lib/models/registry.ts";
import { betterWeights } from "../../lib/quantization/better_weights.ts";
import { quantizeAfterTraining } from "../../lib/quantization/post_training.ts";
import { shapeSplits } from "../training/_shapes.ts";

const record = modelRecord("mobilenetv3_small_100");
const pictures = shapeSplits({ train: 6, validation: 1 }).train;
const model = createModel({
  record,
  classNames: pictures.classNames,
  weights: initialise(createNetwork(record, { numClasses: 3 }).parameters, 1),
  preprocessing: { ...record.preprocessing, size: { height: 32, width: 32 } },
});
const post = await quantizeAfterTraining(model, pictures, {
  weightBits: 8,
  ranges: "mse",
  adaptStatistics: false,
  batchSize: 6,
});
const bias = { dtype: "float32", shape: [3], data: Float32Array.of(1, 2, 3) } as const;
const trained = { "classifier.bias": bias };
const labels = [0, 1, 2, 0];

/** Scores of a file that is right about the first pictures. */
function scoresOf(right: number) {
  const logits = labels.map((label, at) =>
    Float32Array.from([0, 1, 2], (index) => index === (at < right ? label : (label + 1) % 3) ? 1 : 0)
  );
  return { logits, labels, runtime: "none" };
}

for (const [before, after, isTuned] of [[2, 3, true], [2, 2, true], [3, 2, false]] as const) {
  Deno.test(`betterWeights() of ${before} right before and ${after} after fine-tuning keeps ${isTuned ? "the latter" : "the former"}`, async () => {
    const scored: Model[] = [];
    const result = await betterWeights(model, post, trained, scoresOf(4), (candidate) => {
      scored.push(candidate);
      return Promise.resolve(scoresOf(scored.length === 1 ? before : after));
    });
    assert.equal(result.kept.weights["classifier.bias"] === bias, isTuned);
    assert.equal(result.kept === post, !isTuned);
    assert.deepEqual(result.allInt8, scoresOf(isTuned ? after : before));
    assert.equal(result.postTrainingTop1, before / 4);
    assert.deepEqual(scored.map(({ weights }) => weights["classifier.bias"] === bias), [false, true]);
    assert.deepEqual(scored.map(({ quantization }) => quantization), [post.quantization, post.quantization]);
  });
}

Deno.test("betterWeights() without fine-tuning measures nothing", async () => {
  const score = () => Promise.reject(new Error("measured"));
  assert.deepEqual(await betterWeights(model, post, undefined, scoresOf(4), score), { kept: post });
});
