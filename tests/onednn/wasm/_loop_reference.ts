import assert from "node:assert/strict";
import { buildKernels } from "../../../lib/onednn/wasm/build_kernels.ts";
import {
  argumentCount,
  type ElementType,
  type LoopArguments,
  type LoopKernel,
  scratchBytes,
  type Step,
  writeArguments,
} from "../../../lib/onednn/wasm/loop_kernel.ts";

const pages = { initialPages: 4, maximumPages: 2048 };

const elementBytes = { float32: 4, int32: 4, uint8: 1, bool: 1 };

/** A shared memory with data in it, handed out from byte 4096 on. */
export class TestMemory {
  readonly memory: WebAssembly.Memory;
  #next = 4096;

  constructor() {
    const { initialPages: initial, maximumPages: maximum } = pages;
    this.memory = new WebAssembly.Memory({ initial, maximum, shared: true });
  }

  /** Puts numbers there; the address. */
  put(type: ElementType, values: ArrayLike<number>): number {
    const pointer = this.#next;
    const missing = pointer + 4 * values.length - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / 65536));
    this.view(type, pointer, values.length).set(Array.from(values));
    this.#next += Math.ceil(values.length * elementBytes[type] / 16) * 16 + 16;
    return pointer;
  }

  /** The numbers there. */
  view(type: ElementType, pointer: number, length: number): Float32Array | Int32Array | Uint8Array {
    const { buffer } = this.memory;
    if (type === "float32") return new Float32Array(buffer, pointer, length);
    return type === "int32"
      ? new Int32Array(buffer, pointer, length)
      : new Uint8Array(buffer, pointer, length);
  }

  /** Compiles one kernel for this memory. */
  compile(kernel: Parameters<typeof buildKernels>[0][0]): (at: number) => void {
    const module = new WebAssembly.Module(buildKernels([kernel], pages));
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.memory } });
    return exports.k0 as (at: number) => void;
  }

  /** Compiles and runs a kernel. */
  run(kernel: LoopKernel, values: LoopArguments): void {
    const words = new Int32Array(this.memory.buffer, 0, 1024);
    if (argumentCount(kernel) > words.length) throw new RangeError("too many arguments for a test");
    // The scratch is behind everything else, and afterwards as it was.
    const end = this.#next, length = scratchBytes(kernel, values.extents.at(-1)!) / 4;
    const scratch = this.put("float32", new Float32Array(length).fill(NaN));
    writeArguments(kernel, words, 0, { ...values, scratch });
    this.compile(kernel)(0);
    this.view("float32", scratch, length).fill(0);
    this.#next = end;
  }
}

const truth = (value: boolean) => value ? 1 : 0;

const functions: Record<string, (...args: number[]) => number> = {
  negate: (a) => -a!,
  abs: (a) => Math.abs(a!),
  sqrt: (a) => Math.sqrt(a!),
  exp: (a) => Math.exp(a!),
  log: (a) => Math.log(a!),
  sigmoid: (a) => 1 / (1 + Math.exp(-a!)),
  floor: (a) => Math.floor(a!),
  isFinite: (a) => truth(Number.isFinite(a)),
  not: (a) => truth(a === 0),
  reciprocal: (a) => 1 / a!,
  rsqrt: (a) => 1 / Math.fround(Math.sqrt(a!)),
  tanh: (a) => Math.tanh(a!),
  sign: (a) => Math.sign(a!),
  add: (a, b) => a! + b!,
  subtract: (a, b) => a! - b!,
  multiply: (a, b) => a! * b!,
  divide: (a, b) => a! / b!,
  minimum: (a, b) => Math.min(a!, b!),
  maximum: (a, b) => Math.max(a!, b!),
  equal: (a, b) => truth(a === b),
  notEqual: (a, b) => truth(a !== b),
  less: (a, b) => truth(a! < b!),
  lessEqual: (a, b) => truth(a! <= b!),
  greater: (a, b) => truth(a! > b!),
  greaterEqual: (a, b) => truth(a! >= b!),
  and: (a, b) => truth(a !== 0 && b !== 0),
  or: (a, b) => truth(a !== 0 || b !== 0),
  select: (condition, a, b) => condition !== 0 ? a! : b!,
};

/** A step in float64, rounded to float32. */
export function computeStep(step: Step, operands: readonly number[], values: readonly number[]): number {
  if (step.op === "operand") return operands[step.operand]!;
  if (step.op === "constant") return Math.fround(step.value);
  return Math.fround(functions[step.op]!(...step.args.map((arg) => values[arg]!)));
}

/** What {@linkcode TestMemory.run} does, by plain loops: the outputs as float64, by byte address. */
function runByLoops(memory: TestMemory, kernel: LoopKernel, values: LoopArguments): Map<number, number>[] {
  const buffer = new DataView(memory.memory.buffer);
  const read = (type: ElementType, address: number) => {
    if (type === "float32") return buffer.getFloat32(address, true);
    return type === "int32" ? buffer.getInt32(address, true) : buffer.getUint8(address);
  };
  const results = kernel.outputs.map(() => new Map<number, number>());
  const address = ({ pointer, strides }: LoopArguments["operands"][0], position: readonly number[]) =>
    position.reduce((sum, index, level) => sum + index * strides[level]!, pointer);
  const visit = (position: readonly number[]) => {
    if (position.length < kernel.rank) {
      for (let index = 0; index < values.extents[position.length]!; index++) visit([...position, index]);
      return;
    }
    const operands = kernel.operands.map(({ type }, index) =>
      read(type, address(values.operands[index]!, position))
    );
    const steps: number[] = [];
    for (const step of kernel.steps) steps.push(computeStep(step, operands, steps));
    for (const [index, { step, type, mode }] of kernel.outputs.entries()) {
      const at = address(values.outputs[index]!, position);
      const value = steps[step]!;
      const old = results[index]!.get(at) ?? read(type, at);
      const combined = {
        store: value,
        add: old + value,
        maximum: Math.max(old, value),
        minimum: Math.min(old, value),
      };
      results[index]!.set(at, combined[mode]);
    }
  };
  visit([]);
  return results;
}

/** How a number is stored. */
function toElement(type: ElementType, value: number): number {
  if (type === "float32") return value;
  if (type === "bool") return truth(value !== 0);
  const [low, high] = type === "uint8" ? [0, 255] : [-(2 ** 31), 2 ** 31 - 1];
  return Number.isNaN(value) ? 0 : Math.max(low, Math.min(high, Math.trunc(value)));
}

/**
 * Runs a kernel and compares every output with plain loops; nothing else in the memory may have changed.
 *
 * @param memory Where the data are.
 * @param kernel The kernel.
 * @param values What it works on.
 * @param tolerance Of an element, relative to it or to 1, whichever is larger.
 */
export function assertLikeLoops(
  memory: TestMemory,
  kernel: LoopKernel,
  values: LoopArguments,
  tolerance = 1e-6,
): void {
  const expected = runByLoops(memory, kernel, values);
  const before = new Uint8Array(memory.memory.buffer).slice(4096);
  memory.run(kernel, values);
  const after = new Uint8Array(memory.memory.buffer).slice(4096);
  for (const [index, { type }] of kernel.outputs.entries()) {
    for (const [address, value] of expected[index]!) {
      const actual = memory.view(type, address, 1)[0]!;
      const wanted = toElement(type, value);
      const isSame = Object.is(actual, wanted) || actual === wanted ||
        Math.abs(actual - wanted) <= tolerance * Math.max(1, Math.abs(wanted));
      assert.ok(isSame, `output ${index} at byte ${address}: ${actual}, by loops ${wanted}`);
      const size = elementBytes[type];
      before.fill(0, address - 4096, address - 4096 + size);
      after.fill(0, address - 4096, address - 4096 + size);
    }
  }
  assert.ok(before.every((byte, at) => byte === after[at]), "wrote where no output is");
}

/** Where an array without gaps lies, of which some loops may be left out: its strides there are 0. */
export function rowMajor(
  pointer: number,
  type: ElementType,
  extents: readonly number[],
  isConstantIn: readonly number[] = [],
): LoopArguments["operands"][0] {
  const strides: number[] = [];
  let bytes = elementBytes[type];
  for (let level = extents.length - 1; level >= 0; level--) {
    const isConstant = isConstantIn.includes(level);
    strides.unshift(isConstant ? 0 : bytes);
    if (!isConstant) bytes *= extents[level]!;
  }
  return { pointer, strides };
}
