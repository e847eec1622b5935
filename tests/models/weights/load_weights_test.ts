import assert from "node:assert/strict";
import type { HostTensor } from "../../../lib/graph/host_tensor.ts";
import { fromTfjsLayout } from "../../../lib/models/weights/layouts.ts";
import {
  loadWeights,
  type LoadWeightsOptions,
  readWeightsFile,
} from "../../../lib/models/weights/load_weights.ts";
import { writeSafetensors } from "../../../lib/models/weights/safetensors.ts";
import { oracle } from "./_oracle.ts";

/** A network of two layers: names and layouts are what counts here. */
const stored: Record<string, HostTensor> = {
  "conv_stem.weight": counted([4, 3, 2, 2]),
  "blocks.0.0.conv_dw.weight": counted([4, 1, 3, 3]),
  "classifier.weight": counted([10, 4]),
  "classifier.bias": counted([10]),
};
const shapes: Record<string, number[]> = {
  "conv_stem.weight": [2, 2, 3, 4],
  "blocks.0.0.conv_dw.weight": [3, 3, 4, 1],
  "classifier.weight": [4, 10],
  "classifier.bias": [10],
};

Deno.test("loadWeights() gives the real Lite0 weights as PyTorch has them, in tfjs's layouts", async () => {
  const { tensors, naming, missing } = await loadWeights({ kind: "lite0-package" }, "efficientnet_lite0");
  const sums: Record<string, [shape: number[], sum: number, weighted: number]> = JSON.parse(
    await Deno.readTextFile(oracle("lite0_sums.json")),
  );
  assert.deepEqual(Object.keys(tensors).sort(), Object.keys(sums).sort());
  assert.deepEqual([naming, missing], ["lite0", []]);
  assert.deepEqual(tensors["conv_stem.weight"].shape, [3, 3, 3, 32]);
  for (const [name, [shape, wantedSum, wantedWeighted]] of Object.entries(sums)) {
    const tensor = fromTfjsLayout(name, tensors[name]);
    assert.deepEqual(tensor.shape, shape, name);
    let [sum, weighted] = [0, 0];
    for (let i = 0; i < tensor.data.length; i++) {
      sum += Number(tensor.data[i]);
      weighted += Number(tensor.data[i]) * (i % 7 + 1);
    }
    assert.ok(Math.abs(sum - wantedSum) <= 1e-9 * (1 + Math.abs(wantedSum)), `${name}: ${sum}, ${wantedSum}`);
    assert.ok(
      Math.abs(weighted - wantedWeighted) <= 1e-9 * (1 + Math.abs(wantedWeighted)),
      `${name}: ${weighted}, ${wantedWeighted}`,
    );
  }
});

Deno.test("loadWeights() loads a file whatever its extension, with its metadata", async () => {
  await withFile(stored, async (path) => {
    const moved = `${path}.bin`;
    await Deno.rename(path, moved);
    const loaded = await loadWeights(moved, "efficientnet_lite0", { expectedShapes: shapes });
    assert.deepEqual(mapShapes(loaded.tensors), shapes);
    assert.deepEqual(loaded.metadata, { model: "test" });
    assert.deepEqual([loaded.path, loaded.naming, loaded.droppedClassifier], [moved, "timm", undefined]);
  });
});

Deno.test("loadWeights() refuses weights of a training that had diverged", async () => {
  const changed = (name: string, shape: number[], values: number[]): Record<string, HostTensor> => ({
    ...stored,
    [name]: { dtype: "float32", shape, data: Float32Array.from(values) },
  });
  const wrong: [Record<string, HostTensor>, string][] = [
    [
      changed("classifier.bias", [10], [...Array(9).fill(1), NaN]),
      `1 of 4 tensors ("classifier.bias" first)`,
    ],
    [
      changed("classifier.bias", [10], [-Infinity, ...Array(9).fill(1)]),
      `1 of 4 tensors ("classifier.bias" first)`,
    ],
    [changed("bn1.running_var", [2], [1, -1e-9]), `1 of 5 tensors ("bn1.running_var" first)`],
  ];
  for (const [tensors, what] of wrong) {
    await withFile(tensors, async (path) => {
      await assert.rejects(loadWeights(path, "efficientnet_lite0"), {
        name: "RangeError",
        message: `Cannot load weights "${path}": ${what} hold NaN, an infinity or a negative variance\n` +
          "  help: the training that wrote them had diverged; take an earlier checkpoint of it",
      });
    });
  }
});

Deno.test("loadWeights() leaves out a classifier of other classes when asked, and says so", async () => {
  const expectedShapes = { ...shapes, "classifier.weight": [4, 7], "classifier.bias": [7] };
  await withFile(stored, async (path) => {
    const options: LoadWeightsOptions = { expectedShapes, otherClassifier: "drop" };
    const { tensors, droppedClassifier } = await loadWeights(path, "efficientnet_lite0", options);
    assert.deepEqual(Object.keys(tensors), ["blocks.0.0.conv_dw.weight", "conv_stem.weight"]);
    assert.deepEqual(droppedClassifier, { foundClasses: 10, wantedClasses: 7 });
    const same = await loadWeights(path, "efficientnet_lite0", {
      expectedShapes: shapes,
      otherClassifier: "drop",
    });
    assert.deepEqual([Object.keys(same.tensors).length, same.droppedClassifier], [4, undefined]);
    await rejects(loadWeights(path, "efficientnet_lite0", { expectedShapes }), [
      `Cannot load weights "${path}" into efficientnet_lite0: 2 tensors disagree with the 4 wanted (shapes in tfjs's layouts)`,
      `  of another shape: "classifier.weight": [4, 7] was wanted, found [4, 10]`,
      `  of another shape: "classifier.bias": [7] was wanted, found [10]`,
      "  help: the weights are for another number of classes; pass that numClasses, or let the classifier be made anew",
    ]);
  });
});

Deno.test("loadWeights() reports what may be missing", async () => {
  const expectedShapes = { ...shapes, "classifier_bn.weight": [4], "classifier_bn.bias": [4] };
  await withFile(stored, async (path) => {
    const mayBeMissing = ["classifier_bn."];
    const { missing } = await loadWeights(path, "mobilenetv3_small_100", { expectedShapes, mayBeMissing });
    assert.deepEqual(missing, ["classifier_bn.weight", "classifier_bn.bias"]);
  });
});

Deno.test("loadWeights() lists all that disagrees at once", async () => {
  const tensors = {
    ...stored,
    "conv_stem.weight": counted([4, 3, 3, 3]),
    "blocks.9.0.conv_pw.weight": counted([1]),
    "classifier.bias": { dtype: "int32", shape: [10], data: new Int32Array(10) } as HostTensor,
  };
  const names = ["bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var", "bn2.weight"];
  const expectedShapes = { ...shapes, ...Object.fromEntries(names.map((name) => [name, [4]])) };
  await withFile(tensors, async (path) => {
    await rejects(loadWeights(path, "efficientnet_lite0", { expectedShapes }), [
      `Cannot load weights "${path}" into efficientnet_lite0: 8 tensors disagree with the 9 wanted (shapes in tfjs's layouts)`,
      `  missing: "bn1.weight" of shape [4]`,
      `  missing: "bn1.bias" of shape [4]`,
      `  missing: "bn1.running_mean" of shape [4]`,
      "  (and 2 more missing)",
      `  unexpected: "blocks.9.0.conv_pw.weight"`,
      `  of another shape: "conv_stem.weight": [2, 2, 3, 4] was wanted, found [3, 3, 3, 4]`,
      `  not float32: "classifier.bias" of int32`,
      "  help: check that the weights belong to this network",
    ]);
  });
});

Deno.test("loadWeights() names the file whose tensors it does not know", async () => {
  await withFile({ "fc.weight": counted([2]) }, async (path) => {
    await assert.rejects(loadWeights(path, "efficientnet_b0"), {
      name: "SyntaxError",
      message: [
        `Cannot load weights "${path}": their 1 names are not timm's, torchvision's, OTE's or Lite0's`,
        `  found "fc.weight"`,
        `  help: rename them to timm's names, e.g. "conv_stem.weight", "blocks.0.0.conv_dw.weight"`,
      ].join("\n"),
    });
  });
});

const notWeights: [what: string, content: string, found: string][] = [
  ["an empty file", "", "an empty file"],
  ["a web page", "\n<!DOCTYPE html><html>", "a web page"],
  [
    "a Git LFS pointer",
    "version https://git-lfs.github.com/spec/v1\n",
    "a Git LFS pointer, not the file it stands for",
  ],
  ["text", "hello\nworld", `a file that starts with "hello\\nworld"`],
];
for (const [what, content, found] of notWeights) {
  Deno.test(`readWeightsFile() refuses ${what}`, async () => {
    const path = await Deno.makeTempFile();
    try {
      await Deno.writeTextFile(path, content);
      await assert.rejects(readWeightsFile(path), {
        name: "SyntaxError",
        message: `Cannot read weights "${path}": a .safetensors or .pth file was wanted, found ${found}\n` +
          "  help: get the file again",
      });
    } finally {
      await Deno.remove(path);
    }
  });
}

Deno.test("readWeightsFile() says that there is no file, or a folder", async () => {
  const folder = await Deno.makeTempDir();
  await assert.rejects(readWeightsFile(folder), {
    message: `Cannot read weights "${folder}": it is a folder\n` +
      `  help: pass the file in it, for a run's folder "${folder}/best.safetensors"`,
  });
  await Deno.remove(folder);
  await assert.rejects(readWeightsFile("none/w.pth"), {
    name: "Error",
    message:
      `Cannot read weights "none/w.pth": there is no such file\n  help: pass the path of a .safetensors or .pth file`,
  });
});

function counted(shape: number[]): HostTensor {
  const length = shape.reduce((a, b) => a * b, 1);
  return { dtype: "float32", shape, data: Float32Array.from({ length }, (_, i) => i) };
}

function mapShapes(tensors: Record<string, HostTensor>): Record<string, readonly number[]> {
  return Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape]));
}

async function withFile<T>(
  tensors: Record<string, HostTensor>,
  work: (path: string) => Promise<T>,
): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    await writeSafetensors(`${folder}/w.safetensors`, tensors, { model: "test" });
    return await work(`${folder}/w.safetensors`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function rejects(work: Promise<unknown>, lines: string[]): Promise<void> {
  await assert.rejects(work, { name: "TypeError", message: lines.join("\n") });
}
