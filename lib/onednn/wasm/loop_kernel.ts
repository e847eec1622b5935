import type { DepthwiseFilterGradient } from "./depthwise_filter_gradient.ts";

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
  /** Byte address of {@linkcode scratchBytes} bytes, a multiple of 16, that it may overwrite. */
  readonly scratch?: number;
}

/** What a kernel reads or writes. */
export type Stream = LoopOperand | LoopOutput;

/** Operands, then outputs. */
export const streamsOf = (kernel: LoopKernel): Stream[] => [...kernel.operands, ...kernel.outputs];

/** Words of one stream among the arguments: its pointer and the strides that are not known from the kernel. */
export const wordsOf = (kernel: LoopKernel, stream: Stream) =>
  kernel.rank + (stream.inner === "strided" ? 1 : 0);

/** Whether a kernel can take rows tile by tile of their elements. */
export function canBeTiled(kernel: LoopKernel): boolean {
  return kernel.rank >= 2 && streamsOf(kernel).every(({ inner }) => inner !== "strided") &&
    kernel.outputs.every(({ inner }) => inner === "contiguous");
}

/** Whether a kernel reduces rows in registers, tile by tile. */
export function reducesRows(kernel: LoopKernel): boolean {
  return canBeTiled(kernel) &&
    kernel.outputs.some(({ reducedRows, mode }) => reducedRows && mode !== "store");
}

/** How many of its outputs a kernel adds up over rows. */
export function rowSumsOf(kernel: LoopKernel): number {
  if (!reducesRows(kernel)) return 0;
  return kernel.outputs.filter(({ reducedRows, mode }) => reducedRows && mode === "add").length;
}

/** Bytes that the sums of four elements, or of one that is left over, take between two blocks of rows. */
export const slotBytes = 32;

/**
 * Bytes a kernel keeps sums of rows in while it runs, in float64.
 *
 * @param kernel The kernel.
 * @param rowLength Length of its innermost loop.
 * @returns 0 if it needs none.
 */
export function scratchBytes(kernel: LoopKernel, rowLength: number): number {
  return rowSumsOf(kernel) * (Math.floor(rowLength / 4) + rowLength % 4) * slotBytes;
}

/** Number of i32 words that {@linkcode writeArguments} writes. */
export function argumentCount(kernel: LoopKernel): number {
  const streams = streamsOf(kernel).reduce((sum, stream) => sum + wordsOf(kernel, stream), kernel.rank);
  return streams + (rowSumsOf(kernel) > 0 ? 1 : 0);
}

/**
 * Writes what a call of a kernel works on: the extents, then for each operand and each output its pointer, its strides
 * in all loops but the innermost, and the innermost stride if the kernel calls it `strided`; at the end the scratch if
 * it needs one.
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
  if (rowSumsOf(kernel) > 0) words.push(values.scratch ?? 0);
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

/** The bits of a float32. */
export function floatBits(value: number): number {
  return new Int32Array(new Float32Array([value]).buffer)[0]!;
}

/**
 * Refuses a kernel that cannot be compiled.
 *
 * @throws {RangeError} If its rank is out of 1..6 or a step reads what does not come before it.
 */
export function checkKernel(kernel: LoopKernel): void {
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
