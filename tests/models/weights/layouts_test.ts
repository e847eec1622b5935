import assert from "node:assert/strict";
import { type HostTensor, sizeOf } from "../../../lib/graph/host_tensor.ts";
import { fromTfjsLayout, toTfjsLayout } from "../../../lib/models/weights/layouts.ts";

const cases: [name: string, pytorch: number[], tfjs: number[]][] = [
  ["conv_stem.weight", [4, 3, 3, 5], [3, 5, 3, 4]],
  ["blocks.0.0.conv_dw.weight", [6, 1, 3, 5], [3, 5, 6, 1]],
  ["blocks.0.0.conv_pw.weight", [2, 6, 1, 1], [1, 1, 6, 2]],
  ["conv_head.weight", [1, 1, 1, 1], [1, 1, 1, 1]],
  ["classifier.weight", [4, 7], [7, 4]],
  ["classifier.bias", [4], [4]],
  ["classifier.weight", [0, 7], [7, 0]],
  ["scalar", [], []],
];

for (const [name, pytorch, tfjs] of cases) {
  Deno.test(`toTfjsLayout() turns ${name} of [${pytorch}] into [${tfjs}], fromTfjsLayout() back`, () => {
    const source = counted(pytorch);
    const turned = toTfjsLayout(name, source);
    assert.deepEqual(turned.shape, tfjs);
    const isDepthwise = name.includes("conv_dw");
    forEachIndex(pytorch, (index) => {
      const [o, i, y, x] = index;
      const place = index.length === 4
        ? [y, x, ...(isDepthwise ? [o, i] : [i, o])]
        : index.length === 2
        ? [i, o]
        : index;
      assert.equal(turned.data[offset(tfjs, place)], source.data[offset(pytorch, index)]);
    });
    assert.deepEqual(fromTfjsLayout(name, turned), source);
  });
}

Deno.test("toTfjsLayout() keeps dtypes", () => {
  const longs: HostTensor = { dtype: "int64", shape: [2, 2], data: BigInt64Array.from([1n, 2n, 3n, 4n]) };
  assert.deepEqual(toTfjsLayout("x", longs), { ...longs, data: BigInt64Array.from([1n, 3n, 2n, 4n]) });
});

Deno.test("toTfjsLayout() and fromTfjsLayout() refuse depthwise weights that are none", () => {
  const name = "blocks.0.0.conv_dw.weight";
  const help = "\n  help: the weights belong to another network, or are in the other layout already";
  assert.throws(() => toTfjsLayout(name, counted([8, 2, 3, 3])), {
    name: "TypeError",
    message:
      `Cannot change the layout of "${name}": a depthwise weight of shape [channels, 1, height, width] ` +
      `was wanted, found [8, 2, 3, 3]${help}`,
  });
  assert.throws(() => fromTfjsLayout(name, counted([3, 3, 8, 2])), {
    name: "TypeError",
    message:
      `Cannot change the layout of "${name}": a depthwise weight of shape [height, width, channels, 1] ` +
      `was wanted, found [3, 3, 8, 2]${help}`,
  });
});

function counted(shape: number[]): HostTensor {
  return { dtype: "float32", shape, data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => i) };
}

function offset(shape: number[], index: number[]): number {
  return index.reduce((sum, at, axis) => sum * shape[axis] + at, 0);
}

function forEachIndex(shape: number[], visit: (index: number[]) => void, head: number[] = []): void {
  if (head.length === shape.length) return visit(head);
  for (let at = 0; at < shape[head.length]; at++) forEachIndex(shape, visit, [...head, at]);
}
