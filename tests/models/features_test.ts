/** A network cut before its classifier, by oneDNN, which must run both parts. */
import assert from "node:assert/strict";
import { cutNetwork } from "../../lib/models/features.ts";
import { createInference } from "../../lib/models/inference.ts";
import { initialise } from "../../lib/models/initialise.ts";
import { createNetwork, modelRecord } from "../../lib/models/registry.ts";
import { openExecutor } from "../../lib/tensorflow/executor.ts";
import { imageBytes } from "./hash_weights.ts";

// One of each architecture, and one of those that change with the size of pictures.
const cases = [
  ["mobilenetv3_small_100", "linear"],
  ["mobilenetv3_large_075", "cosine"],
  ["mobilenetv3_large_100.ote", "linear"],
  ["efficientnet_b0", "cosine"],
  ["tf_efficientnet_lite0", "linear"],
] as const;

for (const [id, head] of cases) {
  Deno.test(`cutNetwork() of ${id} with a ${head} classifier gives the whole network's logits`, async () => {
    await openExecutor({ executor: "onednn" }); // by name: nothing else may take its place
    const record = modelRecord(id), batchSize = 3, side = 40, classes = 4;
    const network = createNetwork(record, { numClasses: classes, head });
    const preprocessing = { ...record.preprocessing, size: { height: side, width: side } };
    const weights = initialise(network.parameters, 5);
    const images = imageBytes(0, batchSize, side, side);
    const whole = await createInference(network, weights, preprocessing, batchSize);
    const cut = await cutNetwork(network, weights, preprocessing, batchSize);
    const features = await cut.features(images);
    assert.equal(features.length, batchSize * network.featureChannels);
    // Another classifier on the same features.
    const other = {
      ...weights,
      "classifier.weight": initialise(network.parameters, 6)["classifier.weight"]!,
    };
    for (const given of [weights, other]) {
      await whole.setWeights(given);
      const wanted = (await whole.logits(images, batchSize)).flatMap((row) => [...row]);
      const found = await cut.logits(features, given);
      const range = Math.max(...wanted) - Math.min(...wanted);
      assert.ok(range > 0);
      wanted.forEach((value, index) =>
        assert.ok(Math.abs(found[index]! - value) <= 1e-5 * range, `${found[index]}, not ${value}`)
      );
    }
    await whole.dispose();
    await cut.dispose();
  });
}
