import assert from "node:assert/strict";
import { isTrainable } from "../../lib/models/layers.ts";
import { foldNetwork } from "../../lib/models/quantized/folded_network.ts";
import { createQuantizedNetwork } from "../../lib/models/quantized/quantized_network.ts";
import { createNetwork, modelIds, modelRecord } from "../../lib/models/registry.ts";
import { layerScales } from "../../lib/training/layer_decay.ts";

const oracle: { decay: number; networks: Record<string, { scale: number; names: string[] }[]> } = JSON.parse(
  Deno.readTextFileSync(new URL("../oracles/training/layer_decay.json", import.meta.url)),
);

for (const [id, layers] of Object.entries(oracle.networks)) {
  Deno.test(`layerScales() equals timm's for each parameter of ${id}`, () => {
    const network = createNetwork(modelRecord(id), { numClasses: 7 });
    const trainable = network.parameters.filter(isTrainable);
    const scales = layerScales(network.parameters, oracle.decay);
    const wanted = new Map(layers.flatMap(({ scale, names }) => names.map((name) => [name, scale])));
    assert.deepEqual(trainable.map(({ name }) => name).sort(), [...wanted.keys()].sort());
    for (const { name } of trainable) {
      assert.ok(Math.abs(scales[name]! - wanted.get(name)!) <= 1e-15, `${name}: ${scales[name]}`);
    }
  });
}

Deno.test("layerScales() reaches from the stem to the classifier in every network, with either classifier", () => {
  for (const id of modelIds) {
    const record = modelRecord(id);
    for (const head of ["linear", "cosine"] as const) {
      const scales = layerScales(createNetwork(record, { numClasses: 3, head }).parameters, 0.5);
      assert.equal(scales["classifier.weight"], 1);
      assert.equal(scales["classifier_bn.weight"] ?? 1, 1);
      const layers = record.architecture.includes("small") ? 14 : 18;
      assert.equal(scales["conv_stem.weight"], 0.5 ** (layers - 1));
      assert.equal(scales["bn1.running_var"], scales["conv_stem.weight"]);
    }
  }
});

Deno.test("layerScales() without decay are 1", () => {
  const { parameters } = createNetwork(modelRecord("mobilenetv3_small_100"), { numClasses: 3 });
  assert.deepEqual(new Set(Object.values(layerScales(parameters, 1))), new Set([1]));
});

Deno.test("layerScales() are the same where batch norms are folded and weights are rounded", () => {
  for (const id of ["tf_efficientnet_lite0", "mobilenetv3_small_100"]) {
    const network = createNetwork(modelRecord(id), { numClasses: 3 });
    const folded = foldNetwork(network, { height: 32, width: 32 });
    const quantized = createQuantizedNetwork(network, folded, { weightBits: 7, floatLayers: [] });
    const wanted = layerScales(network.parameters, 0.5), found = layerScales(quantized.parameters, 0.5);
    for (const { name } of folded.parameters) assert.equal(found[name], wanted[name], `${id}: ${name}`);
    for (const { name, weight } of folded.layers) {
      assert.equal(found[`${weight}.range`], wanted[weight]);
      assert.equal(found[`${name}.input.min`] ?? wanted[weight], wanted[weight]);
    }
  }
});
