import assert from "node:assert/strict";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { sizeOf } from "../../lib/graph/host_tensor.ts";
import type { Graph } from "../../lib/graph/graph.ts";
import { startBackend } from "../../lib/tensorflow/backend.ts";
import { findOneDNN } from "../../lib/onednn/library.ts";
import { OneDNNFunction } from "../../lib/onednn/onednn_function.ts";
import { Team } from "../../lib/onednn/team.ts";
import type { CompiledFunction } from "../../lib/graph/compiled_function.ts";
import { compile } from "../../lib/tensorflow/compile.ts";

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

const teams = new Map<number, Promise<Team>>();

/** A team of that many threads, the same one each time. */
export async function teamOf(threads: number): Promise<Team> {
  const known = teams.get(threads);
  if (known !== undefined) return await known;
  const starting = findOneDNN().then((library) => Team.start(threads, library));
  teams.set(threads, starting);
  return await starting;
}

/** A graph compiled for a team of that many threads. */
export async function compileFor(
  threads: number,
  graph: Graph,
  variables: Readonly<Record<string, HostTensor>> = {},
  sliceBytes?: number,
): Promise<OneDNNFunction> {
  const slices = sliceBytes === undefined ? {} : { sliceBytes };
  return new OneDNNFunction(graph, variables, "a test", { team: await teamOf(threads), ...slices });
}

/** What a graph returns, and what becomes of its variables. */
async function resultOf(
  compiled: CompiledFunction,
  inputs: Readonly<Record<string, HostTensor>>,
): Promise<Record<string, HostTensor>> {
  const outputs = await compiled.run(inputs);
  const variables = Object.entries(await compiled.read()).map(([name, value]) => [`variable ${name}`, value]);
  return { ...outputs, ...Object.fromEntries(variables) };
}

/**
 * How far two tensors are apart at most, relative to the greatest finite magnitude of the first, or to `atLeast` if that
 * is larger; infinitely where only one is infinite or NaN.
 */
export function apart(wanted: HostTensor, found: HostTensor, atLeast = 0): number {
  assert.deepEqual([found.dtype, found.shape], [wanted.dtype, wanted.shape]);
  assert.equal(found.data.constructor, wanted.data.constructor);
  assert.equal(found.data.length, wanted.data.length);
  let most = 0, largest = atLeast;
  for (let index = 0; index < wanted.data.length; index++) {
    const a = Number(wanted.data[index]), b = Number(found.data[index]);
    if (Number.isFinite(a)) largest = Math.max(largest, Math.abs(a));
    if (Object.is(a, b) || a === b) continue;
    const difference = Math.abs(a - b);
    most = Math.max(most, Number.isFinite(difference) ? difference : Infinity);
  }
  return most === 0 ? 0 : most / (largest || 1);
}

/**
 * How far what oneDNN returns is from what TensorFlow does, by output and by variable.
 *
 * @param threads The sizes of the teams to try.
 */
export async function difference(
  graph: Graph,
  inputs: Readonly<Record<string, HostTensor>>,
  variables: Readonly<Record<string, HostTensor>> = {},
  threads: readonly number[] = [2],
): Promise<Record<string, number>> {
  await using tensorflow = compile(graph, { executor: "tensorflow", variables });
  const wanted = await resultOf(tensorflow, inputs);
  const differences: Record<string, number> = {};
  for (const count of threads) {
    await using onednn = await compileFor(count, graph, variables);
    const found = await resultOf(onednn, inputs);
    assert.deepEqual(Object.keys(found), Object.keys(wanted));
    for (const [name, value] of Object.entries(wanted)) {
      differences[`${name} (${count} threads)`] = apart(value, found[name]!);
    }
  }
  return differences;
}

/** Fails if the executors differ by more than that, relative to the greatest magnitude of each tensor. */
export async function assertSame(
  graph: Graph,
  inputs: Readonly<Record<string, HostTensor>>,
  tolerance = 1e-6,
  { variables = {}, threads = [2] }: {
    variables?: Readonly<Record<string, HostTensor>>;
    threads?: readonly number[];
  } = {},
): Promise<void> {
  for (const [name, off] of Object.entries(await difference(graph, inputs, variables, threads))) {
    assert.ok(off <= tolerance, `${name} is ${off} apart, wanted at most ${tolerance}`);
  }
}
