import { type Code, f32x4, get, i32, integers, Locals, set, v128 } from "./assembler.ts";
import { floatBits, type LoopKernel, type Step, type Unary } from "./loop_kernel.ts";

const signBit = 0x80000000 | 0;

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
export class StepWriter {
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
