/** A type of WebAssembly values. */
export type ValueType = "i32" | "f32" | "f64" | "v128";

/** Instructions as bytes, nested as they were put together; operands stand before the instruction that takes them. */
export type Code = number | readonly Code[];

/** One function of a module. */
export interface FunctionCode {
  /** Types of the parameters, which are the first locals. */
  readonly parameters: readonly ValueType[];
  /** Types of the other locals. */
  readonly locals: readonly ValueType[];
  /** The instructions, without the final `end`. */
  readonly body: Code;
}

/** A shared memory that a module imports as `env.memory`. */
export interface MemoryLimits {
  /** Pages of 64 KiB the memory has at least when it is given. */
  readonly initialPages: number;
  /** Pages it may have at most. */
  readonly maximumPages: number;
}

const valueTypes: Record<ValueType, number> = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b };
const noResult = 0x40;
const end = 0x0b;

/** Hands out the locals of a function. */
export class Locals {
  readonly #parameters: readonly ValueType[];
  readonly #types: ValueType[] = [];

  constructor(parameters: readonly ValueType[]) {
    this.#parameters = parameters;
  }

  /** A new local; 0 when the function begins. */
  add(type: ValueType): number {
    return this.#parameters.length + this.#types.push(type) - 1;
  }

  /** The function with these locals. */
  toFunction(body: Code): FunctionCode {
    return { parameters: this.#parameters, locals: this.#types, body };
  }
}

function unsigned(value: number): number[] {
  const bytes = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80);
  return [...bytes, value];
}

function signed(value: number): number[] {
  const bytes = [];
  for (; value < -0x40 || value >= 0x40; value >>= 7) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value & 0x7f];
}

const toUnary = (...opcode: number[]) => (a: Code): Code => [a, opcode];
const toBinary = (...opcode: number[]) => (a: Code, b: Code): Code => [a, b, opcode];
const toTernary = (...opcode: number[]) => (a: Code, b: Code, c: Code): Code => [a, b, c, opcode];
const simd = (opcode: number) => [0xfd, ...unsigned(opcode)];
// The alignment is only a hint; 0 promises nothing.
const toLoad = (...opcode: number[]) => (address: Code, offset = 0): Code => [
  address,
  opcode,
  0,
  unsigned(offset),
];
const toStore = (...opcode: number[]) => (address: Code, value: Code, offset = 0): Code => [
  address,
  value,
  opcode,
  0,
  unsigned(offset),
];
const toLaneAccess = (opcode: number) => (address: Code, vector: Code, lane: number, offset = 0): Code => [
  address,
  vector,
  simd(opcode),
  0,
  unsigned(offset),
  lane,
];
const toLane = (opcode: number) => (vector: Code, lane: number): Code => [vector, simd(opcode), lane];

/** Reads a local. */
export const get = (local: number): Code => [0x20, unsigned(local)];
/** Writes a local. */
export const set = (local: number, value: Code): Code => [value, 0x21, unsigned(local)];
/** Adds to an `i32` local. */
export const increase = (local: number, by: Code): Code => set(local, i32.add(get(local), by));
/** Takes from an `i32` local. */
export const decrease = (local: number, by: Code): Code => set(local, i32.subtract(get(local), by));
/** Does `body` if `condition` is not 0. */
export const when = (condition: Code, ...body: Code[]): Code => [condition, 0x04, noResult, body, end];
/** Does `body` once, and again as long as `condition` is not 0 after it. */
export const doWhile = (condition: Code, ...body: Code[]): Code => [
  0x03,
  noResult,
  body,
  condition,
  0x0d,
  0,
  end,
];
/** Does `body` as long as `condition` is not 0 before it. */
export const whileDo = (condition: Code, ...body: Code[]): Code => when(condition, doWhile(condition, body));
/** Leaves the function. */
export const leave: Code = [0x0f];
/** `a` if `condition` is not 0, else `b`; both are computed. */
export const choose = (condition: Code, a: Code, b: Code): Code => [a, b, condition, 0x1b];
/** Sets `size` bytes from `address` on to `value`. */
export const fill = (address: Code, value: Code, size: Code): Code => [address, value, size, 0xfc, 0x0b, 0];

/** Instructions on 32-bit integers. */
export const i32 = {
  const: (value: number): Code => [0x41, signed(value | 0)],
  load: toLoad(0x28),
  loadByte: toLoad(0x2d),
  isZero: toUnary(0x45),
  lessSigned: toBinary(0x48),
  lessUnsigned: toBinary(0x49),
  greaterOrEqualUnsigned: toBinary(0x4f),
  add: toBinary(0x6a),
  subtract: toBinary(0x6b),
  multiply: toBinary(0x6c),
  divideSigned: toBinary(0x6d),
  divideUnsigned: toBinary(0x6e),
  or: toBinary(0x72),
} as const;

/** Instructions on 32-bit floats. */
export const f32 = {
  const: (value: number): Code => [0x43, ...new Uint8Array(new Float32Array([value]).buffer)],
  demote: toUnary(0xb6),
} as const;

/** Instructions on 64-bit floats. */
export const f64 = {
  add: toBinary(0xa0),
  promote: toUnary(0xbb),
} as const;

/** Instructions on vectors of 128 bits, whatever is in them. */
export const v128 = {
  load: toLoad(...simd(0x00)),
  load32Splat: toLoad(...simd(0x09)),
  load32Zero: toLoad(...simd(0x5c)),
  store: toStore(...simd(0x0b)),
  load8Lane: toLaneAccess(0x54),
  load32Lane: toLaneAccess(0x56),
  store8Lane: toLaneAccess(0x58),
  store32Lane: toLaneAccess(0x5a),
  /** Bytes of `a` (0 to 15) and `b` (16 to 31) in the order given. */
  shuffle: (a: Code, b: Code, bytes: readonly number[]): Code => [a, b, simd(0x0d), bytes],
  not: toUnary(...simd(0x4d)),
  and: toBinary(...simd(0x4e)),
  or: toBinary(...simd(0x50)),
  /** Bits of `a` where `mask` has a 1, else of `b`. */
  select: toTernary(...simd(0x52)),
} as const;

/** Instructions on vectors of integers. */
export const integers = {
  splat: toUnary(...simd(0x11)),
  shiftLeft: toBinary(...simd(0xab)),
  shiftRightSigned: toBinary(...simd(0xac)),
  add: toBinary(...simd(0xae)),
  subtract: toBinary(...simd(0xb1)),
  /** The first 8 bytes, unsigned, as 8 numbers of 16 bits. */
  bytesToShorts: toUnary(...simd(0x89)),
  /** The first 4 numbers of 16 bits, unsigned, as 4 of 32. */
  shortsToWords: toUnary(...simd(0xa9)),
  /** Saturates. */
  wordsToShorts: toBinary(...simd(0x85)),
  /** Saturates to 0..255. */
  shortsToBytes: toBinary(...simd(0x66)),
  /** Saturates to -128..127. */
  shortsToSignedBytes: toBinary(...simd(0x65)),
  /** Towards 0; saturates; NaN gives 0. */
  fromFloats: toUnary(...simd(0xf8)),
} as const;

/** Instructions on vectors of four 32-bit floats. */
export const f32x4 = {
  splat: toUnary(...simd(0x13)),
  extractLane: toLane(0x1f),
  equal: toBinary(...simd(0x41)),
  notEqual: toBinary(...simd(0x42)),
  less: toBinary(...simd(0x43)),
  greater: toBinary(...simd(0x44)),
  lessEqual: toBinary(...simd(0x45)),
  greaterEqual: toBinary(...simd(0x46)),
  floor: toUnary(...simd(0x68)),
  absolute: toUnary(...simd(0xe0)),
  negate: toUnary(...simd(0xe1)),
  squareRoot: toUnary(...simd(0xe3)),
  add: toBinary(...simd(0xe4)),
  subtract: toBinary(...simd(0xe5)),
  multiply: toBinary(...simd(0xe6)),
  divide: toBinary(...simd(0xe7)),
  minimum: toBinary(...simd(0xe8)),
  maximum: toBinary(...simd(0xe9)),
  /** `b < a ? b : a`: one machine instruction where `minimum` is six. */
  pseudoMinimum: toBinary(...simd(0xea)),
  /** `a < b ? b : a`. */
  pseudoMaximum: toBinary(...simd(0xeb)),
  fromIntegers: toUnary(...simd(0xfa)),
  /** Two 64-bit floats as the first two; the others are 0. */
  demote: toUnary(...simd(0x5e)),
  /** `a * b + c`, rounded once where the machine can. */
  multiplyAdd: toTernary(...simd(0x105)),
} as const;

/** Instructions on vectors of two 64-bit floats. */
export const f64x2 = {
  extractLane: toLane(0x21),
  add: toBinary(...simd(0xf0)),
  /** From the first two 32-bit floats. */
  promote: toUnary(...simd(0x5f)),
} as const;

function flatten(code: Code, bytes: number[]): number[] {
  if (typeof code === "number") bytes.push(code);
  else for (const part of code) flatten(part, bytes);
  return bytes;
}

const vector = (items: readonly (readonly number[])[]) => [...unsigned(items.length), ...items.flat()];
const name = (text: string) => vector([...new TextEncoder().encode(text)].map((byte) => [byte]));

function withSize(bytes: readonly number[]): number[] {
  return unsigned(bytes.length).concat(bytes);
}

function functionBody({ locals, body }: FunctionCode): number[] {
  const bytes = vector(locals.map((type) => [1, valueTypes[type]]));
  return withSize(flatten([body, end], bytes));
}

/**
 * A WebAssembly module in the binary format: it imports one shared memory as `env.memory` and exports every function.
 *
 * @param memory Limits of the memory; the memory given must be within them.
 * @param functions By the names they are exported under; none returns a value.
 * @returns The bytes of the module.
 * @see https://webassembly.github.io/spec/core/binary/modules.html
 */
export function assembleModule(
  memory: MemoryLimits,
  functions: Readonly<Record<string, FunctionCode>>,
): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(functions);
  const section = (id: number, items: readonly (readonly number[])[]) =>
    [id].concat(withSize(unsigned(items.length).concat(items.flat())));
  const sharedWithMaximum = 0x03;
  const sections = [
    section(
      1,
      entries.map(([, { parameters }]) => [0x60, ...vector(parameters.map((type) => [valueTypes[type]])), 0]),
    ),
    section(2, [[
      ...name("env"),
      ...name("memory"),
      0x02,
      sharedWithMaximum,
      ...unsigned(memory.initialPages),
      ...unsigned(memory.maximumPages),
    ]]),
    section(3, entries.map((_, index) => unsigned(index))),
    section(7, entries.map(([key], index) => [...name(key), 0x00, ...unsigned(index)])),
    section(10, entries.map(([, code]) => functionBody(code))),
  ];
  return Uint8Array.from([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0].concat(...sections));
}
