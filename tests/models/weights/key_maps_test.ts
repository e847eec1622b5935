import assert from "node:assert/strict";
import type { HostTensor } from "../../../lib/graph/host_tensor.ts";
import { keyPairs } from "../../../lib/models/weights/_key_tables.ts";
import {
  type Architecture,
  detectNaming,
  type Naming,
  toTimmNames,
} from "../../../lib/models/weights/key_maps.ts";
import { oracle } from "./_oracle.ts";

const named = Deno.readTextFileSync(oracle("key_names.tsv")).trimEnd().split("\n").map((line) => {
  const [architecture, naming, source, timm] = line.split("\t");
  return { architecture: architecture as Architecture, naming: naming as Naming, source, timm };
});
const groups = Map.groupBy(named, ({ architecture, naming }) => `${naming} names of ${architecture}`);

for (const [group, rows] of groups) {
  Deno.test(`toTimmNames() renames every layer from ${group}`, () => {
    const { architecture, naming } = rows[0];
    assert.equal(detectNaming(rows.map(({ source }) => source)), naming);
    const tensors = Object.fromEntries(rows.map(({ source }, i) => [source, vector([i])]));
    const found = toTimmNames(tensors, architecture);
    assert.deepEqual(found.unmatched, []);
    assert.deepEqual(found.tensors, Object.fromEntries(rows.map(({ timm }, i) => [timm, vector([i])])));
  });
}

Deno.test("keyPairs() names each of timm's tensors once", () => {
  // lengths of timm's state dicts without num_batches_tracked
  const counts = {
    mobilenetv3_small_100: 210,
    mobilenetv3_large_100: 266,
    mobilenetv3_large_075: 266,
    efficientnet_b0: 311,
    efficientnet_lite0: 247,
  };
  const ours = /^(classifier_bn|classifier_act|final_act)\.|^classifier\.scale$/;
  for (const architecture of Object.keys(counts) as Architecture[]) {
    const names = keyPairs(architecture, "timm").map(({ source, timm }) => {
      assert.equal(source, timm);
      return timm;
    });
    assert.equal(new Set(names).size, names.length, architecture);
    assert.equal(names.filter((name) => !ours.test(name)).length, counts[architecture], architecture);
  }
});

Deno.test("toTimmNames() renames biases and statistics with their layer, and leaves counters out", () => {
  const { tensors, unmatched } = toTimmNames({
    "features.1.conv.1.running_var": vector([1]),
    "features.1.conv.1.num_batches_tracked": { dtype: "int64", shape: [], data: new BigInt64Array(1) },
    "features.1.conv.3.fc.2.bias": vector([2]),
    "features.99.conv.0.weight": vector([3]),
  }, "mobilenetv3_small_100");
  assert.deepEqual(tensors, {
    "blocks.0.0.bn1.running_var": vector([1]),
    "blocks.0.0.se.conv_expand.bias": vector([2]),
  });
  assert.deepEqual(unmatched, ["features.99.conv.0.weight"]);
});

Deno.test("toTimmNames() shapes linear layers as timm's 1x1 convolutions, and convolutions as its classifier", () => {
  const matrix = { ...vector([1, 2, 3, 4, 5, 6]), shape: [3, 2] };
  const pointwise = { ...matrix, shape: [3, 2, 1, 1] };
  const { tensors } = toTimmNames({
    "features.4.conv.5.fc.0.weight": matrix,
    "classifier.0.weight": matrix,
    "classifier.3.weight": pointwise,
    "conv.0.weight": pointwise,
  }, "mobilenetv3_large_100");
  assert.deepEqual(tensors, {
    "blocks.2.0.se.conv_reduce.weight": pointwise,
    "conv_head.weight": pointwise,
    "classifier.weight": matrix,
    "blocks.6.0.conv.weight": pointwise,
  });
});

Deno.test("toTimmNames() names OTE's classifier batch norm and activations", () => {
  const source = ["conv.2.weight", "classifier.1.weight", "classifier.1.running_mean", "classifier.2.weight"];
  const { tensors } = toTimmNames(
    Object.fromEntries(source.map((name) => [name, vector([1])])),
    "mobilenetv3_small_100",
    "ote",
  );
  assert.deepEqual(Object.keys(tensors), [
    "final_act.weight",
    "classifier_bn.weight",
    "classifier_bn.running_mean",
    "classifier_act.weight",
  ]);
});

Deno.test("toTimmNames() transposes the weights of cosine heads, and only those", () => {
  const stored = { ...vector([1, 2, 3, 4, 5, 6]), shape: [3, 2] }; // [in, classes]
  const wanted = { ...vector([1, 3, 5, 2, 4, 6]), shape: [2, 3] };
  const cosine = toTimmNames({ "classifier.4.weight": stored }, "mobilenetv3_large_100", "ote");
  assert.deepEqual(cosine.tensors, { "classifier.weight": wanted });
  const angle = toTimmNames({ "output.asl.weight": stored }, "efficientnet_b0", "ote");
  assert.deepEqual(angle.tensors, { "classifier.weight": wanted });
  const linear = { "classifier.4.weight": stored, "classifier.4.bias": vector([0, 0, 0]) };
  const plain = toTimmNames(linear, "mobilenetv3_large_100", "ote");
  assert.deepEqual(plain.tensors["classifier.weight"], stored);
});

Deno.test("toTimmNames() refuses two tensors of one name", () => {
  const twice = { "classifier.3.bias": vector([1]), "classifier.4.bias": vector([1]) };
  assert.throws(() => toTimmNames(twice, "mobilenetv3_small_100", "ote"), {
    name: "SyntaxError",
    message:
      `Cannot rename weights of mobilenetv3_small_100: "classifier.4.bias" is a second "classifier.bias"\n` +
      `  help: remove one of them`,
  });
});

Deno.test("detectNaming() shows names it does not know", () => {
  const names = ["layer1.0.conv1.weight", "layer1.0.bn1.weight", "fc.weight", "fc.bias"];
  assert.throws(() => detectNaming(names), {
    name: "SyntaxError",
    message: [
      "Cannot load weights: their 4 names are not timm's, torchvision's, OTE's or Lite0's",
      `  found "layer1.0.conv1.weight"`,
      `  found "layer1.0.bn1.weight"`,
      `  found "fc.weight"`,
      "  (and 1 more)",
      `  help: rename them to timm's names, e.g. "conv_stem.weight", "blocks.0.0.conv_dw.weight"`,
    ].join("\n"),
  });
});

function vector(numbers: number[]): HostTensor {
  return { dtype: "float32", shape: [numbers.length], data: Float32Array.from(numbers) };
}
