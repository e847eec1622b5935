/** Runs a function op by op and recorded, and compares both with stored values. */
import assert from "node:assert/strict";
import { compile, record, tf } from "../../lib/tensorflow/mod.ts";
import { uniform } from "../models/hash_weights.ts";

/** A tensor as the oracle files hold it. */
export interface Stored {
  shape: number[];
  data: number[];
}

/** A float32 tensor on the JavaScript side. */
export interface Values {
  dtype: "float32";
  shape: number[];
  data: Float32Array<ArrayBuffer>;
}

/** Reads the cases of one file of tests/oracles/operators. */
export function readCases<T>(file: string): T[] {
  return JSON.parse(Deno.readTextFileSync(new URL(`../oracles/operators/${file}.json`, import.meta.url)))
    .cases;
}

/** `uniform(name)` times `scale` plus `offset`, in float32 like the oracle's. */
export function generate(name: string, shape: number[], scale = 1, offset = 0): Values {
  const unit = uniform(name, shape.reduce((product, n) => product * n, 1));
  return {
    dtype: "float32",
    shape,
    data: Float32Array.from(unit, (value) => Math.fround(Math.fround(value * scale) + offset)),
  };
}

/** A float32 tensor of given numbers. */
export function values(data: ArrayLike<number>, shape = [data.length]): Values {
  return { dtype: "float32", shape, data: Float32Array.from(data) };
}

/** The function's outputs, op by op and recorded; fails if they differ by more than rounding. */
export async function run(
  fn: (inputs: Record<string, tf.Tensor>) => Record<string, tf.Tensor>,
  inputs: Record<string, Values>,
): Promise<Record<string, { shape: number[]; data: Float32Array }>> {
  const given = Object.fromEntries(
    Object.entries(inputs).map(([name, { data, shape }]) => [name, tf.tensor(data, shape, "float32")]),
  );
  const outputs = fn(given);
  const eager: Record<string, { shape: number[]; data: Float32Array }> = {};
  for (const [name, tensor] of Object.entries(outputs)) {
    eager[name] = { shape: tensor.shape, data: Float32Array.from(await tensor.data()) };
  }
  tf.dispose([given, outputs]);
  const graph = record(fn, inputs);
  await using compiled = compile(graph);
  const recorded = await compiled.run(inputs);
  assert.deepEqual(Object.keys(recorded).sort(), Object.keys(eager).sort());
  for (const [name, { shape, data }] of Object.entries(eager)) {
    assert.deepEqual(recorded[name]!.shape, shape, `shape of ${name}, recorded`);
    assertClose(recorded[name]!.data as Float32Array, data, 1e-6, `${name}: recorded and op by op`);
  }
  return eager;
}

/**
 * Gradients of `sum(fn(inputs) * upstream)` with respect to each named input.
 *
 * @param wanted Names of the inputs.
 */
export function gradients(
  fn: (inputs: Record<string, tf.Tensor>) => tf.Tensor,
  inputs: Record<string, tf.Tensor>,
  wanted: string[],
  upstream: tf.Tensor,
): Record<string, tf.Tensor> {
  const run = tf.grads((...args: tf.Tensor[]) =>
    tf.sum(
      tf.mul(fn({ ...inputs, ...Object.fromEntries(wanted.map((name, i) => [name, args[i]!])) }), upstream),
    )
  );
  const result = run(wanted.map((name) => inputs[name]!));
  return Object.fromEntries(wanted.map((name, i) => [name, result[i]!]));
}

/** Fails if an element is off by more than `tolerance` of the largest magnitude, or of `atLeast` if that is larger. */
export function assertClose(
  found: ArrayLike<number>,
  wanted: ArrayLike<number>,
  tolerance: number,
  what: string,
  atLeast = 0,
): void {
  assert.equal(found.length, wanted.length, `length of ${what}`);
  let largest = atLeast;
  for (let i = 0; i < wanted.length; i++) largest = Math.max(largest, Math.abs(wanted[i]!));
  for (let i = 0; i < wanted.length; i++) {
    const difference = Math.abs(found[i]! - wanted[i]!);
    // Not `>`: NaN must fail.
    if (!(difference <= tolerance * largest)) {
      assert.fail(`${what}[${i}] is ${found[i]}, wanted ${wanted[i]} (largest magnitude ${largest})`);
    }
  }
}

/** Compares an output with what the oracle stored. */
export function assertStored(
  found: { shape: number[]; data: Float32Array } | undefined,
  stored: Stored,
  tolerance: number,
  what: string,
): void {
  assert.ok(found !== undefined, `${what} is missing`);
  assert.deepEqual(found.shape, stored.shape, `shape of ${what}`);
  assertClose(found.data, stored.data, tolerance, what);
}
