import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { loadModel } from "../lib/load_model.ts";
import { softmax } from "../lib/metrics/softmax.ts";
import { IMAGENET_CLASS_NAMES } from "../lib/models/imagenet_class_names.ts";

const folder = new URL("./fixtures/photographs/", import.meta.url);
/** What timm says of the photographs, by tests/oracles/datasets/photographs.py. */
const expected: { file: string; classIndex: number; probability: number }[] = JSON.parse(
  await Deno.readTextFile(new URL("expected.json", folder)),
);

Deno.test("loadModel() names real photographs with the real weights as timm does", async () => {
  const model = await loadModel("tf_efficientnet_lite0");
  const logits = await model.logits(expected.map(({ file }) => fileURLToPath(new URL(file, folder))));
  assert.deepEqual(model.classNames, IMAGENET_CLASS_NAMES);
  for (const [index, { file, classIndex, probability }] of expected.entries()) {
    const probabilities = softmax(logits[index]);
    const best = probabilities.indexOf(Math.max(...probabilities));
    assert.equal(model.classNames[best], IMAGENET_CLASS_NAMES[classIndex], file);
    // Two resamplers and JPEG decoders are between the two.
    assert.ok(
      Math.abs(probabilities[best] - probability) < 0.02,
      `${file}: ${probabilities[best]}, timm ${probability}`,
    );
  }
});
