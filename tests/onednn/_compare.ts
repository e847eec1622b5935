import assert from "node:assert/strict";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { sizeOf } from "../../lib/graph/host_tensor.ts";
import type { Graph } from "../../lib/graph/graph.ts";
import { startBackend } from "../../lib/tensorflow/backend.ts";
import { compile } from "../../lib/tensorflow/compile.ts";
import { record, type SpecTree, type TensorsOf, type TensorTree } from "../../lib/tensorflow/record.ts";

await startBackend();

/** Numbers that look random and are the same in every run, -1..1. */
export function numbers(count: number, seed = 1): Float32Array<ArrayBuffer> {
  let state = seed * 2654435761 >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** A float32 tensor of such numbers. */
export function tensor(shape: readonly number[], seed = 1, scale = 1): HostTensor {
  return { dtype: "float32", shape, data: numbers(sizeOf(shape), seed).map((value) => value * scale) };
}

/** What both executors return, and how far they are apart at most, relative to the greatest value. */
export async function difference(
  graph: Graph,
  inputs: Readonly<Record<string, HostTensor>>,
  variables: Readonly<Record<string, HostTensor>> = {},
): Promise<Record<string, number>> {
  await using tensorflow = compile(graph, { executor: "tensorflow", variables });
  await using onednn = compile(graph, { executor: "onednn", variables });
  const wanted = { ...await tensorflow.run(inputs), ...await tensorflow.read() };
  const found = { ...await onednn.run(inputs), ...await onednn.read() };
  assert.deepEqual(Object.keys(found), Object.keys(wanted));
  const differences: Record<string, number> = {};
  for (const [name, { dtype, shape, data }] of Object.entries(wanted)) {
    const other = found[name]!;
    assert.deepEqual([other.dtype, other.shape], [dtype, shape], name);
    assert.equal(other.data.constructor, data.constructor);
    let apart = 0, largest = 0;
    for (let index = 0; index < data.length; index++) {
      const [a, b] = [Number(data[index]), Number(other.data[index])];
      if (Number.isFinite(a)) largest = Math.max(largest, Math.abs(a));
      if (!Object.is(a, b) && a !== b) {
        apart = Math.max(apart, Number.isFinite(a - b) ? Math.abs(a - b) : Infinity);
      }
    }
    differences[name] = apart === 0 ? 0 : apart / (largest || 1);
  }
  return differences;
}

/** Records a function and compares both executors on it. */
export async function assertSame<S extends SpecTree & Readonly<Record<string, HostTensor>>>(
  fn: (inputs: TensorsOf<S>) => TensorTree,
  inputs: S,
  tolerance = 1e-6,
): Promise<void> {
  const graph = record(fn, inputs, { name: "compared" });
  for (const [name, apart] of Object.entries(await difference(graph, inputs))) {
    assert.ok(apart <= tolerance, `${name} is ${apart} apart, wanted at most ${tolerance}`);
  }
}
