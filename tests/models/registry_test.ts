import assert from "node:assert/strict";
import { createNetwork, modelIds, modelRecord } from "../../lib/models/registry.ts";
import { readOracle } from "./_oracle.ts";

/** What timm says about a published set of weights. */
interface Config {
  mean: number[];
  std: number[];
  interpolation: string;
  size: number[];
  repository: string;
  license: string;
  classes: number;
}

for (const [id, config] of Object.entries(readOracle<Record<string, Config>>("pretrained_configs.json"))) {
  Deno.test(`modelRecord() has timm's preprocessing and repository for ${id}`, () => {
    const { preprocessing, weights, license, pretrainedClasses } = modelRecord(id);
    assert.deepEqual(preprocessing.mean, config.mean);
    assert.deepEqual(preprocessing.std, config.std);
    assert.equal(preprocessing.interpolation, config.interpolation);
    assert.deepEqual([preprocessing.size.height, preprocessing.size.width], config.size);
    assert.partialDeepStrictEqual(weights, { kind: "hub", repository: config.repository });
    assert.equal(license, config.license);
    assert.equal(pretrainedClasses, config.classes);
  });
}

Deno.test("modelRecord() takes an id without its tag for the id's default weights", () => {
  assert.equal(modelRecord("mobilenetv3_large_100").id, "mobilenetv3_large_100.ra_in1k");
  assert.equal(modelRecord("tf_efficientnet_b0").id, "tf_efficientnet_b0.in1k");
  assert.equal(new Set(modelIds).size, modelIds.length);
});

Deno.test("modelRecord() names the nearest id of an unknown one", () => {
  assert.throws(() => modelRecord("mobilenetv3_large"), (error: Error) => {
    assert.ok(error instanceof RangeError);
    assert.match(error.message, /^Cannot find model "mobilenetv3_large": did you mean "mobilenetv3_large_/);
    assert.match(error.message, /\n {2}help: the models are mobilenetv3_small_100, mobilenetv3_large_100, /);
    return true;
  });
});

Deno.test("createNetwork() refuses a number of classes that is no positive integer", () => {
  for (const numClasses of [0, 2.5, -1, NaN]) {
    assert.throws(
      () => createNetwork(modelRecord("efficientnet_b0"), { numClasses }),
      new RangeError(
        `Cannot create efficientnet_b0.ra_in1k: numClasses must be a positive integer, and it is ${numClasses}`,
      ),
    );
  }
});
