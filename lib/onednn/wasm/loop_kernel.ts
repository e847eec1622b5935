import type { Code, FunctionCode, MemoryLimits } from "./assembler.ts";
import {
  assembleModule,
  choose,
  decrease,
  doWhile,
  f32,
  f32x4,
  f64,
  f64x2,
  get,
  i32,
  increase,
  integers,
  leave,
  Locals,
  set,
  v128,
  when,
  whileDo,
} from "./assembler.ts";
import type { DepthwiseFilterGradient } from "./depthwise_filter_gradient.ts";
import { depthwiseFilterGradientFunction } from "./depthwise_filter_gradient.ts";

/** Type of the elements in memory; a bool is one byte, 0 or 1. */
export type ElementType = "float32" | "int32" | "uint8" | "bool";

/** The most loops one kernel may have inside each other. */
export const maximumRank = 6;

/** How an operand moves in the innermost loop: by one element, not at all, or by a stride given at run time. */
export type InnerStride = "contiguous" | "constant" | "strided";

/** Operations on one value. `rsqrt` is `1 / sqrt`; `sign` of NaN is NaN; `not` and `isFinite` give 1 or 0. */
export type Unary =
  | "negate"
  | "abs"
  | "sqrt"
  | "exp"
  | "log"
  | "sigmoid"
  | "floor"
  | "isFinite"
  | "not"
  | "reciprocal"
  | "rsqrt"
  | "tanh"
  | "sign";

/**
 * Operations on two values. Comparisons, `and` and `or` give 1 or 0. NaN in `minimum` or `maximum` gives NaN; which of
 * 0 and -0 they give is open.
 */
export type Binary =
  | "add"
  | "subtract"
  | "multiply"
  | "divide"
  | "minimum"
  | "maximum"
  | "equal"
  | "notEqual"
  | "less"
  | "lessEqual"
  | "greater"
  | "greaterEqual"
  | "and"
  | "or";

/** One value computed at each position; `args` are indices of earlier steps. All values are float32. */
export type Step =
  /** The element of that operand at the position. */
  | { readonly op: "operand"; readonly operand: number }
  | { readonly op: "constant"; readonly value: number }
  | { readonly op: Unary; readonly args: readonly [number] }
  | { readonly op: Binary; readonly args: readonly [number, number] }
  /** Condition, value where it is not 0, value where it is 0. */
  | { readonly op: "select"; readonly args: readonly [number, number, number] };

/** Something a kernel reads. */
export interface LoopOperand {
  /** Type of its elements; all are converted to float32. */
  readonly type: ElementType;
  /** How it moves in the innermost loop. */
  readonly inner: InnerStride;
}

/** Something a kernel writes. */
export interface LoopOutput {
  /** Index of the step whose value goes there. */
  readonly step: number;
  /** Type of its elements: floats are cut to int32 and uint8 and saturate there; a bool is whether it is not 0. */
  readonly type: ElementType;
  /** How it moves in the innermost loop. */
  readonly inner: InnerStride;
  /** Whether the value replaces what is in memory or is added to it, or the larger or smaller of both is kept. */
  readonly mode: "store" | "add" | "maximum" | "minimum";
  /**
   * Promise that it does not move in the loop around the innermost one, the rows: then the rows are summed in registers,
   * with the precision of float64 across blocks of them. Needs `contiguous` and another mode than `store` to matter.
   */
  readonly reducedRows?: boolean;
}

/**
 * A nest of loops, outermost first: at every position the operands are loaded, the steps computed in float32, and the
 * outputs stored, or added to what is in memory, which is how reductions work: with a stride of 0 in reduced loops.
 * An output may be the memory of an operand if both are at the same place at every position; outputs do not overlap.
 */
export interface LoopKernel {
  /** Number of loops, 1 to 6. */
  readonly rank: number;
  /** What it reads. */
  readonly operands: readonly LoopOperand[];
  /** What it computes. */
  readonly steps: readonly Step[];
  /** What it writes. */
  readonly outputs: readonly LoopOutput[];
}

/** Where an operand or an output lies. */
export interface LoopLocation {
  /** Byte address of its first element. */
  readonly pointer: number;
  /** Bytes to the next element in each loop, outermost first. */
  readonly strides: readonly number[];
}

/** What one call of a {@linkcode LoopKernel} works on. */
export interface LoopArguments {
  /** Length of each loop, outermost first; if one is 0, nothing is done. */
  readonly extents: readonly number[];
  /** One for each operand. */
  readonly operands: readonly LoopLocation[];
  /** One for each output. */
  readonly outputs: readonly LoopLocation[];
}

type Stream = LoopOperand | LoopOutput;

const streamsOf = (kernel: LoopKernel): Stream[] => [...kernel.operands, ...kernel.outputs];

/** Words of one stream among the arguments: its pointer and the strides that are not known from the kernel. */
const wordsOf = (kernel: LoopKernel, stream: Stream) => kernel.rank + (stream.inner === "strided" ? 1 : 0);

/** Number of i32 words that {@linkcode writeArguments} writes. */
export function argumentCount(kernel: LoopKernel): number {
  return streamsOf(kernel).reduce((sum, stream) => sum + wordsOf(kernel, stream), kernel.rank);
}

/**
 * Writes what a call of a kernel works on: the extents, then for each operand and each output its pointer, its strides
 * in all loops but the innermost, and the innermost stride if the kernel calls it `strided`.
 *
 * @param kernel The kernel.
 * @param view The memory as words.
 * @param at Index of the first word; the exported function takes the byte address, `4 * at`.
 * @param values What to write.
 */
export function writeArguments(
  kernel: LoopKernel,
  view: Int32Array,
  at: number,
  values: LoopArguments,
): void {
  const locations = [...values.operands, ...values.outputs];
  const words = [...values.extents];
  for (const [index, stream] of streamsOf(kernel).entries()) {
    const { pointer, strides } = locations[index]!;
    words.push(pointer, ...strides.slice(0, stream.inner === "strided" ? kernel.rank : kernel.rank - 1));
  }
  view.set(words, at);
}

/**
 * A text that is the same for kernels that have the same code.
 *
 * @param kernel Any kernel.
 * @returns The text.
 */
export function kernelKey(kernel: LoopKernel | DepthwiseFilterGradient): string {
  if (!("rank" in kernel)) return `depthwiseFilterGradient ${kernel.kernelSize} ${kernel.stride}`;
  const steps = kernel.steps.map((step) => {
    if (step.op === "operand") return `$${step.operand}`;
    if (step.op === "constant") return `#${floatBits(step.value)}`;
    return `${step.op}(${step.args})`;
  });
  const outputs = kernel.outputs.map(({ step, type, inner, mode, reducedRows }) =>
    `${step}:${type}:${inner}:${mode}${reducedRows ? ":rows" : ""}`
  );
  const operands = kernel.operands.map(({ type, inner }) => `${type}:${inner}`);
  return [kernel.rank, operands.join(" "), steps.join(" "), outputs.join(" ")].join("|");
}

/**
 * Compiles kernels to one WebAssembly module that imports a shared memory as `env.memory` and exports kernel number `i`
 * as `k<i>`, which takes the byte address of its arguments and returns nothing.
 *
 * @param kernels What to compile.
 * @param memory Limits of the memory the module will be given.
 * @returns The bytes of the module.
 * @throws {RangeError} If a kernel has a rank out of 1..6 or a step that reads what does not come before it.
 */
export function buildKernels(
  kernels: readonly (LoopKernel | DepthwiseFilterGradient)[],
  memory: MemoryLimits,
): Uint8Array<ArrayBuffer> {
  const functions = kernels.map((kernel, index) => [
    `k${index}`,
    "rank" in kernel ? loopFunction(kernel) : depthwiseFilterGradientFunction(kernel),
  ]);
  return assembleModule(memory, Object.fromEntries(functions));
}

const signBit = 0x80000000 | 0;

function floatBits(value: number): number {
  return new Int32Array(new Float32Array([value]).buffer)[0]!;
}

function check(kernel: LoopKernel): void {
  const refuse = (problem: string) => {
    throw new RangeError(`Cannot compile a loop kernel: ${problem}`);
  };
  const { rank, operands, steps, outputs } = kernel;
  if (!(Number.isInteger(rank) && rank >= 1 && rank <= maximumRank)) {
    refuse(`rank ${rank} is not one of 1 to ${maximumRank}`);
  }
  for (const [index, step] of steps.entries()) {
    if (step.op === "operand" && !operands[step.operand]) {
      refuse(`step ${index} reads operand ${step.operand} of ${operands.length}`);
    }
    for (const arg of "args" in step ? step.args : []) {
      if (!(arg >= 0 && arg < index)) {
        refuse(`step ${index} (${step.op}) reads step ${arg}, which is not before it`);
      }
    }
  }
  for (const [index, { step }] of outputs.entries()) {
    if (!steps[step]) refuse(`output ${index} is step ${step} of ${steps.length}`);
  }
}

// ---- the steps ----

/** When a step has to be computed: once, once for each run of the innermost loop, or at every position. */
type Frequency = "call" | "row" | "position";

/** Steps that are a vector of all ones or all zeros per lane, until somebody needs 1 or 0. */
const maskOps = new Set<string>([
  "isFinite",
  "not",
  "equal",
  "notEqual",
  "less",
  "lessEqual",
  "greater",
  "greaterEqual",
  "and",
  "or",
]);

/** Whether an operation gives 1 or 0. */
export function givesCondition(op: string): boolean {
  return maskOps.has(op);
}

const comparisons: Record<string, (a: Code, b: Code) => Code> = {
  equal: f32x4.equal,
  notEqual: f32x4.notEqual,
  less: f32x4.less,
  lessEqual: f32x4.lessEqual,
  greater: f32x4.greater,
  greaterEqual: f32x4.greaterEqual,
};

const longOps = { exp: 1, log: 1, sigmoid: 1, tanh: 1 };

const arithmetic: Record<string, (a: Code, b: Code) => Code> = {
  add: f32x4.add,
  subtract: f32x4.subtract,
  multiply: f32x4.multiply,
  divide: f32x4.divide,
};

/** Writes the code of the steps, four positions at a time. */
class StepWriter {
  readonly #kernel: LoopKernel;
  readonly #locals: Locals;
  readonly #constants = new Map<number, number>();
  readonly #values: number[];
  readonly #frequencies: Frequency[] = [];
  /** Multiplications that are computed where their product is added, by one instruction. */
  readonly #fused = new Set<number>();
  readonly #scratch: number[] = [];
  #scratchInUse = 0;

  constructor(kernel: LoopKernel, locals: Locals, registerSums: readonly number[]) {
    this.#kernel = kernel;
    this.#locals = locals;
    this.#values = kernel.steps.map(() => locals.add("v128"));
    const uses = kernel.steps.map(() => 0);
    for (const step of kernel.steps) {
      const parts = "args" in step ? step.args : [];
      for (const arg of parts) uses[arg]!++;
      const frequencies = parts.map((arg) => this.#frequencies[arg]!);
      if (step.op === "operand") {
        frequencies.push(kernel.operands[step.operand]!.inner === "constant" ? "row" : "position");
      }
      this.#frequencies.push(
        frequencies.includes("position") ? "position" : frequencies.includes("row") ? "row" : "call",
      );
    }
    for (const { step } of kernel.outputs) uses[step]!++;
    const isFree = (step: number, frequency: Frequency) =>
      kernel.steps[step]!.op === "multiply" && uses[step] === 1 && this.#frequencies[step] === frequency;
    for (const [index, step] of kernel.steps.entries()) {
      if (step.op !== "add") continue;
      const product = step.args.find((arg) => isFree(arg, this.#frequencies[index]!));
      if (product !== undefined) this.#fused.add(product);
    }
    for (const step of registerSums) if (isFree(step, "position")) this.#fused.add(step);
  }

  /** A vector of one number. */
  constant(value: number): Code {
    return this.bits(floatBits(value));
  }

  /** A vector of one pattern of 32 bits. It stays in a local: V8 would put a literal together anew each time. */
  bits(pattern: number): Code {
    const known = this.#constants.get(pattern);
    if (known !== undefined) return get(known);
    const local = this.#locals.add("v128");
    this.#constants.set(pattern, local);
    return get(local);
  }

  /** Sets the constants; to be asked for when all other code is written, and put before it. */
  constants(): Code {
    return [...this.#constants].map(([pattern, local]) => set(local, integers.splat(i32.const(pattern))));
  }

  /** How many instructions a position takes, roughly. */
  get size(): number {
    const atPositions = this.#kernel.steps.filter((_, index) => this.#frequencies[index] === "position");
    return atPositions.reduce((sum, { op }) => sum + (op in longOps ? 25 : 1), 0);
  }

  /** Computes all steps of some frequencies. */
  write(frequencies: readonly Frequency[], load: (operand: number) => Code): readonly Code[] {
    this.#scratchInUse = 0;
    return this.#kernel.steps.flatMap((step, index) => {
      if (!frequencies.includes(this.#frequencies[index]!) || this.#fused.has(index)) return [];
      return [this.#compute(step, this.#values[index]!, load)];
    });
  }

  /** A step as a number. */
  number(step: number): Code {
    if (this.#fused.has(step)) return f32x4.multiply(...this.#factors(step));
    const value = get(this.#values[step]!);
    return maskOps.has(this.#kernel.steps[step]!.op) ? v128.and(value, this.constant(1)) : value;
  }

  /** A step as all ones where it is not 0. */
  mask(step: number): Code {
    const value = this.number(step);
    return maskOps.has(this.#kernel.steps[step]!.op)
      ? get(this.#values[step]!)
      : f32x4.notEqual(value, this.constant(0));
  }

  /** A step added to something. */
  sum(step: number, to: Code): Code {
    if (this.#fused.has(step)) return f32x4.multiplyAdd(...this.#factors(step), to);
    return f32x4.add(to, this.number(step));
  }

  #factors(step: number): [Code, Code] {
    const { args } = this.#kernel.steps[step] as { args: readonly [number, number] };
    return [this.number(args[0]), this.number(args[1])];
  }

  #compute(step: Step, to: number, load: (operand: number) => Code): Code {
    if (step.op === "operand") return set(to, load(step.operand));
    if (step.op === "constant") return set(to, this.constant(step.value));
    const [first, second, third] = step.args as readonly [number, number, number];
    switch (step.op) {
      case "not":
        return set(to, v128.not(this.mask(first)));
      case "and":
        return set(to, v128.and(this.mask(first), this.mask(second)));
      case "or":
        return set(to, v128.or(this.mask(first), this.mask(second)));
      case "select":
        return set(to, v128.select(this.number(second), this.number(third), this.mask(first)));
      case "add":
        return set(
          to,
          this.#fused.has(first)
            ? this.sum(first, this.number(second))
            : this.sum(second, this.number(first)),
        );
      case "minimum":
      case "maximum":
        return set(to, this.#extremum(step.op, first, second));
    }
    if (step.op in comparisons) {
      return set(to, comparisons[step.op]!(this.number(first), this.number(second)));
    }
    if (step.op in arithmetic) return set(to, arithmetic[step.op]!(this.number(first), this.number(second)));
    return this.#unary(step.op as Unary, this.number(first), to);
  }

  #extremum(op: "minimum" | "maximum", first: number, second: number): Code {
    const isNumber = (step: number) => {
      const { op, value } = this.#kernel.steps[step] as { op: string; value?: number };
      return op === "constant" && !Number.isNaN(value);
    };
    const pseudo = op === "minimum" ? f32x4.pseudoMinimum : f32x4.pseudoMaximum;
    // The shorter instruction gives its first argument if the comparison with the second is false, as it is for NaN.
    if (isNumber(second)) return pseudo(this.number(first), this.number(second));
    if (isNumber(first)) return pseudo(this.number(second), this.number(first));
    return f32x4[op](this.number(first), this.number(second));
  }

  #unary(op: Unary, value: Code, to: number): Code {
    const one = this.constant(1);
    switch (op) {
      case "negate":
        return set(to, f32x4.negate(value));
      case "abs":
        return set(to, f32x4.absolute(value));
      case "sqrt":
        return set(to, f32x4.squareRoot(value));
      case "floor":
        return set(to, f32x4.floor(value));
      case "reciprocal":
        return set(to, f32x4.divide(one, value));
      case "rsqrt":
        return set(to, f32x4.divide(one, f32x4.squareRoot(value)));
      case "isFinite":
        return set(to, f32x4.less(f32x4.absolute(value), this.constant(Infinity)));
      case "sign": {
        const isSigned = f32x4.greater(f32x4.absolute(value), this.constant(0));
        return set(to, v128.select(this.#withSignOf(one, value), value, isSigned));
      }
      case "exp":
        return this.#exponential(value, to);
      case "log":
        return this.#logarithm(value, to);
      case "sigmoid":
        return this.#sigmoid(value, to);
      case "tanh":
        return this.#hyperbolicTangent(value, to);
      default:
        throw new RangeError(`Cannot compile a loop kernel: unknown operation "${op}"`);
    }
  }

  #temporary(): number {
    this.#scratch[this.#scratchInUse] ??= this.#locals.add("v128");
    return this.#scratch[this.#scratchInUse++]!;
  }

  #polynomial(x: number, coefficients: readonly number[]): Code {
    const [highest, ...rest] = coefficients.map((value) => this.constant(value));
    return rest.reduce((sum, coefficient) => f32x4.multiplyAdd(sum, get(x), coefficient), highest!);
  }

  #withSignOf(magnitude: Code, signed: Code): Code {
    return v128.select(signed, magnitude, this.bits(signBit));
  }

  /**
   * exp(x) = 2^n exp(r) with x = n ln 2 + r and |r| < 0.3475: exp(r) in `to`, and n in the lowest bits of the result,
   * added to those of 1.5 * 2^23. The polynomial is the minimax one of degree 6, relative error 3e-9, summed as a tree.
   */
  #reducedExponential(x: number, to: number): { code: Code; power: number } {
    const [power, n, square] = [this.#temporary(), this.#temporary(), this.#temporary()];
    const [c6, c5, c4, c3, c2] = [
      1.381422176e-3,
      8.368898680e-3,
      4.1668405724e-2,
      1.6666519130e-1,
      0.49999993346,
    ]
      .map((value) => this.constant(value)) as [Code, Code, Code, Code, Code];
    // Adding 1.5 * 2^23 rounds to an integer.
    const magic = this.constant(12582912);
    const code = [
      set(power, f32x4.multiplyAdd(get(x), this.constant(Math.LOG2E), magic)),
      set(n, f32x4.subtract(get(power), magic)),
      // ln 2 in two parts, the first with so few digits that its product with n is exact.
      set(x, f32x4.multiplyAdd(get(n), this.constant(-0.693359375), get(x))),
      set(x, f32x4.multiplyAdd(get(n), this.constant(2.12194440e-4), get(x))),
      set(square, f32x4.multiply(get(x), get(x))),
      set(to, f32x4.multiplyAdd(get(square), c6, f32x4.multiplyAdd(get(x), c5, c4))),
      set(to, f32x4.multiplyAdd(get(to), get(square), f32x4.multiplyAdd(get(x), c3, c2))),
      set(to, f32x4.multiplyAdd(get(to), get(square), f32x4.add(get(x), this.constant(1)))),
    ];
    return { code, power };
  }

  #exponential(value: Code, to: number): Code {
    const [x, half] = [this.#temporary(), this.#temporary()];
    const { code, power } = this.#reducedExponential(x, to);
    const powerOfTwo = (exponent: Code) =>
      integers.shiftLeft(integers.add(exponent, this.bits(127)), i32.const(23));
    return [
      // Beyond these the result is 0 or Infinity. NaN stays.
      set(x, f32x4.pseudoMaximum(f32x4.pseudoMinimum(value, this.constant(89)), this.constant(-104))),
      code,
      // 2^n in two factors: it can be larger than any float, or denormal.
      set(power, integers.subtract(get(power), this.constant(12582912))),
      set(half, integers.shiftRightSigned(get(power), i32.const(1))),
      set(to, f32x4.multiply(get(to), powerOfTwo(get(half)))),
      set(to, f32x4.multiply(get(to), powerOfTwo(integers.subtract(get(power), get(half))))),
    ];
  }

  /** exp(x) for x <= 0. */
  #exponentialOfNegative(value: Code, to: number): Code {
    const x = this.#temporary();
    const { code, power } = this.#reducedExponential(x, to);
    return [
      set(x, f32x4.pseudoMaximum(value, this.constant(-104))),
      code,
      // 2^(n + 64) cannot be denormal. The shift takes n out of the bits of 1.5 * 2^23.
      set(power, integers.add(integers.shiftLeft(get(power), i32.const(23)), this.constant(2 ** 64))),
      set(to, f32x4.multiply(f32x4.multiply(get(to), get(power)), this.constant(2 ** -64))),
    ];
  }

  /** log(2^e m) = e ln 2 + log(m) with m from sqrt(1/2) to sqrt(2), by Cephes' polynomial. */
  #logarithm(value: Code, to: number): Code {
    const [x, m, e, large, square] = Array.from({ length: 5 }, () => this.#temporary()) as [
      number,
      number,
      number,
      number,
      number,
    ];
    const isDenormal = f32x4.less(get(x), this.constant(2 ** -126));
    const one = this.constant(1);
    return [
      set(x, value),
      set(m, v128.select(f32x4.multiply(get(x), this.constant(2 ** 23)), get(x), isDenormal)),
      set(
        e,
        f32x4.fromIntegers(
          integers.subtract(integers.shiftRightSigned(get(m), i32.const(23)), this.bits(127)),
        ),
      ),
      set(e, f32x4.subtract(get(e), v128.and(isDenormal, this.constant(23)))),
      set(m, v128.or(v128.and(get(m), this.bits(0x007fffff)), one)),
      set(large, f32x4.greater(get(m), this.constant(Math.SQRT2))),
      set(m, v128.select(f32x4.multiply(get(m), this.constant(0.5)), get(m), get(large))),
      set(e, f32x4.add(get(e), v128.and(get(large), one))),
      set(m, f32x4.subtract(get(m), one)),
      set(square, f32x4.multiply(get(m), get(m))),
      set(
        to,
        f32x4.multiply(
          this.#polynomial(m, [
            7.0376836292e-2,
            -1.1514610310e-1,
            1.1676998740e-1,
            -1.2420140846e-1,
            1.4249322787e-1,
            -1.6668057665e-1,
            2.0000714765e-1,
            -2.4999993993e-1,
            3.3333331174e-1,
          ]),
          f32x4.multiply(get(m), get(square)),
        ),
      ),
      set(to, f32x4.multiplyAdd(get(e), this.constant(-2.12194440e-4), get(to))),
      set(to, f32x4.multiplyAdd(get(square), this.constant(-0.5), get(to))),
      set(to, f32x4.add(get(m), get(to))),
      set(to, f32x4.multiplyAdd(get(e), this.constant(0.693359375), get(to))),
      set(to, v128.select(get(x), get(to), f32x4.equal(get(x), this.constant(Infinity)))),
      set(to, v128.select(this.constant(-Infinity), get(to), f32x4.equal(get(x), this.constant(0)))),
      set(to, v128.select(get(to), this.constant(NaN), f32x4.greaterEqual(get(x), this.constant(0)))),
    ];
  }

  /** 1 / (1 + e) with e = exp(-|x|), which cannot overflow; e / (1 + e) where x is negative. */
  #sigmoid(value: Code, to: number): Code {
    const [x, e] = [this.#temporary(), this.#temporary()];
    const one = this.constant(1);
    return [
      set(x, value),
      this.#exponentialOfNegative(v128.or(get(x), this.bits(signBit)), e),
      set(
        to,
        f32x4.divide(
          v128.select(get(e), one, integers.shiftRightSigned(get(x), i32.const(31))),
          f32x4.add(one, get(e)),
        ),
      ),
    ];
  }

  /** Cephes' polynomial where |x| < 0.625, else (1 - e) / (1 + e) with e = exp(-2 |x|) and the sign of x. */
  #hyperbolicTangent(value: Code, to: number): Code {
    const [x, square, large] = [this.#temporary(), this.#temporary(), this.#temporary()];
    const one = this.constant(1);
    return [
      set(x, value),
      this.#exponentialOfNegative(v128.or(f32x4.add(get(x), get(x)), this.bits(signBit)), large),
      set(large, f32x4.divide(f32x4.subtract(one, get(large)), f32x4.add(one, get(large)))),
      set(large, this.#withSignOf(get(large), get(x))),
      set(square, f32x4.multiply(get(x), get(x))),
      set(
        to,
        this.#polynomial(square, [
          -5.70498872745e-3,
          2.06390887954e-2,
          -5.37397155531e-2,
          1.33314422036e-1,
          -3.33332819422e-1,
        ]),
      ),
      set(to, f32x4.multiplyAdd(f32x4.multiply(get(to), get(square)), get(x), get(x))),
      set(to, v128.select(get(to), get(large), f32x4.less(f32x4.absolute(get(x)), this.constant(0.625)))),
    ];
  }
}

// ---- the loops ----

const args = 0;
const sizeOfElement = { float32: 4, int32: 4, uint8: 1, bool: 1 } as const;
/** Bytes that the rows of a block have, about, when sums over rows take the channels tile by tile: fits in the L2. */
const blockBytes = 1 << 18;
/** Elements of a row from which on the loop along it is worth its beginning and end; shorter ones are tiled. */
const shortestRow = 65;
/** Rows added in float32 before the sum is added to one in float64. */
const rowsPerSum = 64;

const lane = (index: number) => Array.from({ length: 16 }, (_, byte) => 4 * index + byte % 4);
const shuffleWords = (a: Code, b: Code, words: readonly number[]) =>
  v128.shuffle(a, b, words.flatMap((word) => [0, 1, 2, 3].map((byte) => 4 * word + byte)));
const splatLane = (vector: Code, index: number) => v128.shuffle(vector, vector, lane(index));

/** An output whose values are collected in registers. */
interface Reduction {
  readonly output: number;
  /** One for each vector of an unrolled position. */
  readonly partial: readonly number[];
  /** Sums in float64: the first and the last two lanes of a partial sum. */
  readonly totals: readonly (readonly [number, number])[];
}

function loopFunction(kernel: LoopKernel): FunctionCode {
  check(kernel);
  const { rank, operands, outputs } = kernel;
  const locals = new Locals(["i32"]);
  const streams = streamsOf(kernel);
  const outputAt = (output: number) => operands.length + output;

  const firstWord: number[] = [];
  streams.reduce((word, stream) => (firstWord.push(word), word + wordsOf(kernel, stream)), rank);
  const word = (index: number) => i32.load(get(args), 4 * index);
  const extent = (level: number) => word(level);
  const pointerOf = (stream: number) => word(firstWord[stream]!);
  const stride = (stream: number, level: number) => word(firstWord[stream]! + 1 + level);
  const newPointers = () => streams.map(() => locals.add("i32"));
  const copyPointers = (to: readonly number[], from: readonly number[]) =>
    to.map((pointer, stream) => set(pointer, get(from[stream]!)));

  const canBeTiled = rank >= 2 && streams.every(({ inner }) => inner !== "strided") &&
    outputs.every(({ inner }) => inner === "contiguous");
  const byTiles = canBeTiled && outputs.some(({ reducedRows, mode }) => reducedRows && mode !== "store");
  const inRegisters = outputs.map(({ inner, mode, reducedRows }) =>
    mode !== "store" && (byTiles ? reducedRows === true : inner === "constant")
  );
  const steps = new StepWriter(
    kernel,
    locals,
    outputs.filter(({ mode }, index) => mode === "add" && inRegisters[index]).map(({ step }) => step),
  );
  const unrolled = byTiles || steps.size < 20 ? 4 : 2;
  const reductions: Reduction[] = [];
  for (const [output, { mode }] of outputs.entries()) {
    if (!inRegisters[output]) continue;
    const newTotals = () => [locals.add("v128"), locals.add("v128")] as const;
    reductions.push({
      output,
      partial: Array.from({ length: unrolled }, () => locals.add("v128")),
      totals: mode === "add" ? Array.from({ length: byTiles ? unrolled : 1 }, newTotals) : [],
    });
  }
  const isSum = ({ output }: Reduction) => outputs[output]!.mode === "add";

  // -- one vector, or one element in lane 0 --

  /** Bytes from an element to the next in the innermost loop, as often as told. */
  const innerStrides = streams.map((stream, index) => {
    if (stream.inner !== "strided") return [];
    return [1, 2, 3, 4].map((times) => ({ index, times, local: locals.add("i32") }));
  });
  const setInnerStrides = innerStrides.flat().map(({ times, local, index }) =>
    set(local, i32.multiply(stride(index, rank - 1), i32.const(times)))
  );
  const laneAddress = (stream: number, pointer: number, index: number) =>
    index === 0 ? get(pointer) : i32.add(get(pointer), get(innerStrides[stream]![index - 1]!.local));

  function toFloats(type: ElementType, words: Code): Code {
    return type === "float32" ? words : f32x4.fromIntegers(words);
  }

  function loadOne(type: ElementType, address: Code): Code {
    const isByte = sizeOfElement[type] === 1;
    return toFloats(type, isByte ? integers.splat(i32.loadByte(address)) : v128.load32Zero(address));
  }

  function loadSplat(type: ElementType, address: Code): Code {
    const isByte = sizeOfElement[type] === 1;
    return toFloats(type, isByte ? integers.splat(i32.loadByte(address)) : v128.load32Splat(address));
  }

  function loadFour(stream: number, pointer: number, vector: number): Code {
    const { type, inner } = streams[stream]!;
    const isByte = sizeOfElement[type] === 1;
    if (inner === "constant") return loadSplat(type, get(pointer));
    if (inner === "strided") {
      const loadLane = isByte ? v128.load8Lane : v128.load32Lane;
      const words = [0, 1, 2, 3].reduce<Code>(
        (vector, index) => loadLane(laneAddress(stream, pointer, index), vector, isByte ? 4 * index : index),
        steps.constant(0),
      );
      return toFloats(type, words);
    }
    const offset = 4 * sizeOfElement[type] * vector;
    if (!isByte) return toFloats(type, v128.load(get(pointer), offset));
    return toFloats(
      type,
      integers.shortsToWords(integers.bytesToShorts(v128.load32Zero(get(pointer), offset))),
    );
  }

  /** Four floats as they are in memory: words, or the first four bytes. */
  function toElements(type: ElementType, value: Code): Code {
    if (type === "float32") return value;
    if (type === "int32") return integers.fromFloats(value);
    const words = type === "bool" ? f32x4.notEqual(value, steps.constant(0)) : integers.fromFloats(value);
    const shorts = integers.wordsToShorts(words, words);
    if (type === "bool") {
      return v128.and(integers.shortsToSignedBytes(shorts, shorts), steps.bits(0x01010101));
    }
    return integers.shortsToBytes(shorts, shorts);
  }

  function storeLane(type: ElementType, address: Code, elements: Code, index: number): Code {
    return (sizeOfElement[type] === 1 ? v128.store8Lane : v128.store32Lane)(address, elements, index);
  }

  const element = locals.add("v128");

  function storeFour(stream: number, pointer: number, vector: number, value: Code): Code {
    const { type, inner } = streams[stream]!;
    if (inner === "constant") return storeLane(type, get(pointer), toElements(type, value), 3);
    if (inner === "strided") {
      return [
        set(element, toElements(type, value)),
        [0, 1, 2, 3].map((index) =>
          storeLane(type, laneAddress(stream, pointer, index), get(element), index)
        ),
      ];
    }
    const offset = 4 * sizeOfElement[type] * vector;
    if (sizeOfElement[type] === 4) return v128.store(get(pointer), toElements(type, value), offset);
    return v128.store32Lane(get(pointer), toElements(type, value), 0, offset);
  }

  function combine(mode: LoopOutput["mode"], old: Code, value: Code): Code {
    if (mode === "store") return value;
    return mode === "add" ? f32x4.add(old, value) : f32x4[mode](old, value);
  }

  /** Stores an output at one or four positions. */
  function storeOutput(output: number, pointer: number, vector: number, lanes: 1 | 4): Code {
    const { type, inner, mode, step } = outputs[output]!;
    const stream = outputAt(output);
    const storeOne = (address: Code, value: Code) =>
      storeLane(type, address, toElements(type, combine(mode, loadOne(type, address), value)), 0);
    if (lanes === 1) return storeOne(get(pointer), steps.number(step));
    // One after another: the stride may be 0.
    if (inner === "strided" && mode !== "store") {
      return [0, 1, 2, 3].map((index) =>
        storeOne(laneAddress(stream, pointer, index), splatLane(steps.number(step), index))
      );
    }
    const old = mode === "store" ? [] : loadFour(stream, pointer, vector);
    return storeFour(stream, pointer, vector, combine(mode, old, steps.number(step)));
  }

  /** Adds an output to what a register holds. */
  function collect({ output, partial }: Reduction, vector: number, lanes: 1 | 4): Code {
    const { mode, step } = outputs[output]!;
    const register = partial[vector]!;
    if (mode === "add") {
      if (lanes === 4) return set(register, steps.sum(step, get(register)));
      const lane0 = shuffleWords(steps.number(step), steps.constant(0), [0, 4, 4, 4]);
      return set(register, f32x4.add(get(register), lane0));
    }
    const value = steps.number(step);
    return set(register, combine(mode, get(register), lanes === 4 ? value : splatLane(value, 0)));
  }

  /** All steps and outputs at some vectors of four positions, or at one position. */
  function position(pointers: readonly number[], vectors: number, lanes: 1 | 4): Code {
    return Array.from({ length: vectors }, (_, vector) => [
      steps.write(
        ["position"],
        (operand) =>
          lanes === 4
            ? loadFour(operand, pointers[operand]!, vector)
            : loadOne(operands[operand]!.type, get(pointers[operand]!)),
      ),
      outputs.map((_, output) => {
        const reduction = reductions.find((reduction) => reduction.output === output);
        return reduction
          ? collect(reduction, vector, lanes)
          : storeOutput(output, pointers[outputAt(output)]!, vector, lanes);
      }),
      // The others move when all vectors are done.
      innerStrides.map((strides, stream) =>
        strides.length === 0 ? [] : increase(pointers[stream]!, get(strides[lanes - 1]!.local))
      ),
    ]);
  }

  function advanceContiguous(pointers: readonly number[], elements: number): Code {
    return streams.map(({ inner, type }, stream) =>
      inner === "contiguous" ? increase(pointers[stream]!, i32.const(elements * sizeOfElement[type])) : []
    );
  }

  const rowSteps = (pointers: readonly number[]) =>
    steps.write(["row"], (operand) => loadSplat(operands[operand]!.type, get(pointers[operand]!)));

  const zero = (registers: readonly number[]) => registers.map((local) => set(local, steps.constant(0)));
  const clearPartials = () => reductions.filter(isSum).map(({ partial }) => zero(partial));
  const clearTotals = () => reductions.map(({ totals }) => zero(totals.flat()));
  const toTotal = ([low, high]: readonly [number, number], value: number): Code => [
    set(low, f64x2.add(get(low), f64x2.promote(get(value)))),
    set(high, f64x2.add(get(high), f64x2.promote(shuffleWords(get(value), get(value), [2, 3, 2, 3])))),
  ];

  // -- the innermost loop --

  function innermostLoop(pointers: readonly number[]): Code {
    const count = locals.add("i32");
    const chunk = locals.add("i32");
    const addPartials = (vectors: number) =>
      reductions.filter(isSum).map(({ partial, totals }) => [
        partial.slice(1, vectors).map((other) => set(partial[0]!, f32x4.add(get(partial[0]!), get(other)))),
        toTotal(totals[0]!, partial[0]!),
      ]);
    const begin = reductions.map((reduction) => {
      const { type } = outputs[reduction.output]!;
      const memory = () => loadSplat(type, get(pointers[outputAt(reduction.output)]!));
      return isSum(reduction) ? [] : reduction.partial.map((register) => set(register, memory()));
    });
    const finish = reductions.map((reduction) => {
      const { type, mode } = outputs[reduction.output]!;
      const address = get(pointers[outputAt(reduction.output)]!);
      const register = reduction.partial[0]!;
      if (isSum(reduction)) {
        const [low, high] = reduction.totals[0]!;
        const both = f64x2.add(get(low), get(high));
        const memory = f64.promote(f32x4.extractLane(loadOne(type, address), 0));
        const sum = f64.add(f64.add(f64x2.extractLane(both, 0), f64x2.extractLane(both, 1)), memory);
        return storeLane(type, address, toElements(type, f32x4.splat(f32.demote(sum))), 0);
      }
      const fold = (words: number[]) =>
        set(register, combine(mode, get(register), shuffleWords(get(register), get(register), words)));
      return [
        reduction.partial.slice(1).map((other) => set(register, combine(mode, get(register), get(other)))),
        fold([2, 3, 0, 1]),
        fold([1, 0, 3, 2]),
        storeLane(type, address, toElements(type, get(register)), 0),
      ];
    });
    const wide = 4 * unrolled;
    const atLeast = (length: number) => i32.greaterOrEqualUnsigned(get(count), i32.const(length));
    const once = (vectors: number, lanes: 1 | 4) => [
      position(pointers, vectors, lanes),
      advanceContiguous(pointers, vectors * lanes),
    ];
    const wideLoop = reductions.some(isSum)
      ? whileDo(
        atLeast(wide),
        set(chunk, i32.divideUnsigned(get(count), i32.const(wide))),
        set(
          chunk,
          choose(i32.lessUnsigned(get(chunk), i32.const(rowsPerSum)), get(chunk), i32.const(rowsPerSum)),
        ),
        decrease(count, i32.multiply(get(chunk), i32.const(wide))),
        clearPartials(),
        doWhile(get(chunk), once(unrolled, 4), decrease(chunk, i32.const(1))),
        addPartials(unrolled),
      )
      : whileDo(atLeast(wide), once(unrolled, 4), decrease(count, i32.const(wide)));
    return [
      set(count, extent(rank - 1)),
      rowSteps(pointers),
      clearTotals(),
      begin,
      wideLoop,
      reductions.some(isSum) ? clearPartials() : [],
      unrolled > 1 ? whileDo(atLeast(4), once(1, 4), decrease(count, i32.const(4))) : [],
      whileDo(get(count), once(1, 1), decrease(count, i32.const(1))),
      reductions.some(isSum) ? addPartials(1) : [],
      finish,
    ];
  }

  // -- the two innermost loops, if sums over rows stay in registers --

  function tiles(pointers: readonly number[]): Code {
    const rowsLeft = locals.add("i32");
    const blockRows = locals.add("i32");
    const rows = locals.add("i32");
    const rowsOfTile = locals.add("i32");
    const sumRows = locals.add("i32");
    const channels = locals.add("i32");
    const columns = newPointers();
    const places = newPointers();
    const rowStrides = streams.map(() => locals.add("i32"));
    const moving = streams.map((_, stream) => stream).filter((stream) =>
      !reductions.some(({ output }) => outputAt(output) === stream)
    );
    const minimum = (a: Code, b: Code) => choose(i32.lessUnsigned(a, b), a, b);

    function tile(vectors: number, lanes: 1 | 4): Code {
      const width = vectors * lanes;
      const forReductions = (code: (reduction: Reduction, vector: number) => Code) =>
        reductions.map((reduction) =>
          Array.from({ length: vectors }, (_, vector) => code(reduction, vector))
        );
      const load = ({ output }: Reduction, vector: number) =>
        lanes === 4
          ? loadFour(outputAt(output), columns[outputAt(output)]!, vector)
          : loadOne(outputs[output]!.type, get(columns[outputAt(output)]!));
      const begin = forReductions((reduction, vector) =>
        isSum(reduction)
          ? zero([...reduction.totals[vector]!])
          : set(reduction.partial[vector]!, load(reduction, vector))
      );
      const beginSum = forReductions((reduction, vector) =>
        isSum(reduction) ? zero([reduction.partial[vector]!]) : []
      );
      const addSum = forReductions((reduction, vector) =>
        isSum(reduction) ? toTotal(reduction.totals[vector]!, reduction.partial[vector]!) : []
      );
      const finish = forReductions((reduction, vector) => {
        const { type } = outputs[reduction.output]!;
        const register = reduction.partial[vector]!;
        const stream = outputAt(reduction.output);
        const [low, high] = isSum(reduction) ? reduction.totals[vector]! : [0, 0];
        return [
          isSum(reduction)
            ? [
              set(register, load(reduction, vector)),
              toTotal([low, high], register),
              set(register, shuffleWords(f32x4.demote(get(low)), f32x4.demote(get(high)), [0, 1, 4, 5])),
            ]
            : [],
          lanes === 4
            ? storeFour(stream, columns[stream]!, vector, get(register))
            : storeLane(type, get(columns[stream]!), toElements(type, get(register)), 0),
        ];
      });
      const row = [
        rowSteps(places),
        position(places, vectors, lanes),
        moving.map((stream) => increase(places[stream]!, get(rowStrides[stream]!))),
      ];
      return whileDo(
        i32.greaterOrEqualUnsigned(get(channels), i32.const(width)),
        begin,
        moving.map((stream) => set(places[stream]!, get(columns[stream]!))),
        set(rowsOfTile, get(rows)),
        doWhile(
          get(rowsOfTile),
          set(sumRows, minimum(get(rowsOfTile), i32.const(rowsPerSum))),
          decrease(rowsOfTile, get(sumRows)),
          beginSum,
          whileDo(
            i32.greaterOrEqualUnsigned(get(sumRows), i32.const(2)),
            row,
            row,
            decrease(sumRows, i32.const(2)),
          ),
          when(get(sumRows), row),
          addSum,
        ),
        finish,
        advanceContiguous(columns, width),
        decrease(channels, i32.const(width)),
      );
    }

    return [
      set(rowsLeft, extent(rank - 2)),
      rowStrides.map((local, stream) => set(local, stride(stream, rank - 2))),
      // A multiple of the rows of a sum, and at least that.
      set(blockRows, i32.divideUnsigned(i32.const(blockBytes / 4 / rowsPerSum), extent(rank - 1))),
      set(blockRows, choose(get(blockRows), get(blockRows), i32.const(1))),
      set(blockRows, i32.multiply(get(blockRows), i32.const(rowsPerSum))),
      doWhile(
        get(rowsLeft),
        set(rows, minimum(get(rowsLeft), get(blockRows))),
        decrease(rowsLeft, get(rows)),
        copyPointers(columns, pointers),
        set(channels, extent(rank - 1)),
        tile(4, 4),
        tile(2, 4),
        tile(1, 4),
        tile(1, 1),
        streams.map((_, stream) =>
          increase(pointers[stream]!, i32.multiply(get(rows), get(rowStrides[stream]!)))
        ),
      ),
    ];
  }

  // -- all loops --

  function nest(level: number, pointers: readonly number[]): Code {
    if (byTiles && level === rank - 2) return tiles(pointers);
    if (canBeTiled && level === rank - 2) {
      const isShort = i32.lessUnsigned(extent(rank - 1), i32.const(shortestRow));
      return [when(isShort, tiles(pointers)), when(i32.isZero(isShort), outerLoop(level, pointers))];
    }
    return level === rank - 1 ? innermostLoop(pointers) : outerLoop(level, pointers);
  }

  function outerLoop(level: number, pointers: readonly number[]): Code {
    const count = locals.add("i32");
    const inner = newPointers();
    return [
      set(count, extent(level)),
      doWhile(
        get(count),
        copyPointers(inner, pointers),
        nest(level + 1, inner),
        pointers.map((pointer, stream) => increase(pointer, stride(stream, level))),
        decrease(count, i32.const(1)),
      ),
    ];
  }

  const pointers = newPointers();
  const body = [
    Array.from({ length: rank }, (_, level) => when(i32.isZero(extent(level)), leave)),
    pointers.map((pointer, stream) => set(pointer, pointerOf(stream))),
    setInnerStrides,
    steps.write(["call"], () => []),
    nest(0, pointers),
  ];
  return locals.toFunction([steps.constants(), body]);
}
