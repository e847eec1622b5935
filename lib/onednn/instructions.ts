import { elements, type Geometry, rowMajorStrides } from "./operations.ts";
import { CannotLower } from "./lower.ts";
import type { Access, Buffer, CallItem, Item, KernelItem } from "./schedule.ts";
import {
  type DepthwiseFilterGradient,
  depthwiseFilterGradientArgumentCount,
  type DepthwiseFilterGradientArguments,
  writeDepthwiseFilterGradientArguments,
} from "./wasm/depthwise_filter_gradient.ts";
import {
  argumentCount,
  type ElementType,
  type InnerStride,
  kernelKey,
  type LoopArguments,
  type LoopKernel,
  maximumRank,
  scratchBytes,
  type Step,
  writeArguments,
} from "./wasm/loop_kernel.ts";

/** What one thread does, in order. Addresses are bytes in the shared memory. */
export type Instruction = {
  /** Whether it depends on nothing but variables that stay as they are, so that it need not be done in each run. */
  readonly settled?: boolean;
} & Work;

type Work =
  | { readonly kind: "kernel"; readonly kernel: number; readonly arguments: number; readonly label: number }
  | {
    readonly kind: "matrix-product";
    readonly transposeLeft: boolean;
    readonly transposeRight: boolean;
    readonly rows: number;
    readonly columns: number;
    readonly inner: number;
    readonly left: number;
    readonly right: number;
    readonly output: number;
    /** Whether the product is added to what is there. */
    readonly add: boolean;
    readonly label: number;
  }
  | {
    readonly kind: "convolution";
    readonly pass: "forward" | "input-gradient" | "filter-gradient";
    /** `images` are those of the slice. */
    readonly geometry: Geometry;
    readonly image: number;
    readonly filter: number;
    readonly result: number;
    readonly label: number;
  }
  | {
    readonly kind: "sigmoid";
    readonly size: number;
    readonly input: number;
    readonly output: number;
    readonly label: number;
  }
  /** Waits for all threads. */
  | { readonly kind: "barrier" }
  /** From here on variables are overwritten. */
  | { readonly kind: "commit" };

/** What an instruction is part of, for people. */
export interface Label {
  readonly phase: number;
  /** Operators of the graph it computes, or parts of them. */
  readonly operators: readonly string[];
  /** What computes it, e.g. `loop, 2 in, 3 steps: store, add`; where oneDNN chooses, only its kind. */
  readonly routine: string;
  /** Sizes of the loops or of the product, with the whole batch. */
  readonly shape: readonly number[];
  /** Floating-point operations, and bytes read and written, for the whole batch. */
  readonly operations: number;
  readonly bytes: number;
}

/** Images `first` to `first + count` of the batch, the thread's slice number `index`. */
export interface Slice {
  readonly first: number;
  readonly count: number;
  readonly index: number;
  /** Only the rows of a single image from part `from` to part `to`, of `of` parts of equal size. */
  readonly band?: { readonly from: number; readonly to: number; readonly of: number };
}

/** What has no batch. */
export const whole: Slice = { first: 0, count: 1, index: 0 };

/** Bytes of an element. */
export const sizeOf: Record<ElementType, number> = { float32: 4, int32: 4, uint8: 1, bool: 1 };

/** Writes the instructions of items, and collects the kernels, arguments and labels they refer to. */
export class InstructionWriter {
  /** Kernels by their numbers. */
  readonly kernels: (LoopKernel | DepthwiseFilterGradient)[] = [];
  /** Arguments of the kernels. */
  readonly words: number[] = [];
  /** Labels by their numbers. */
  readonly labels: Label[] = [];
  /** Words to be set to the address of the thread's scratch, and the bytes it has to have. */
  readonly scratchWords: { readonly word: number; readonly thread: number }[] = [];
  scratchBytes = 0;
  readonly #batchSize: number;
  readonly #addressOf: (buffer: Buffer, thread: number, slice: Slice) => number;
  readonly #kernelNumbers = new Map<string, number>();

  /**
   * @param batchSize Images of the batch.
   * @param addressOf Where a buffer of a thread lies while it works on a slice.
   */
  constructor(batchSize: number, addressOf: (buffer: Buffer, thread: number, slice: Slice) => number) {
    this.#batchSize = batchSize;
    this.#addressOf = addressOf;
  }

  #label(label: Label): number {
    return this.labels.push(label) - 1;
  }

  readonly #labelOf = new Map<Item, number[]>();

  /** The label of the nth instruction of an item, the same in all threads and slices. */
  #labelled(item: Item, index: number, make: () => number): number {
    const known = this.#labelOf.get(item) ?? [];
    this.#labelOf.set(item, known);
    return known[index] ??= make();
  }

  /**
   * What a thread does for an item on a slice of the batch.
   *
   * @param item The item.
   * @param phase Number of its phase, for people.
   * @param thread Number of the thread.
   * @param slice Its images, or {@linkcode whole} for what has no batch.
   * @returns Instructions; `arguments` are indices among {@linkcode words}.
   */
  emit(item: Item, phase: number, thread: number, slice: Slice): Work[] {
    switch (item.kind) {
      case "kernel":
        return [this.#kernel(item, phase, thread, slice)];
      case "fill": {
        const { buffer } = item;
        const batch = buffer.kind === "batch" || buffer.kind === "slice";
        const shape = batch ? [this.#batchSize, buffer.size] : [buffer.size];
        const kernel = this.#filling(item, shape);
        return [this.#kernel(kernel, phase, thread, slice)];
      }
      case "call":
        return this.#call(item, phase, thread, slice);
    }
  }

  readonly #fillings = new Map<Item, KernelItem>();
  #filling(item: Item & { kind: "fill" }, shape: readonly number[]): KernelItem {
    const known = this.#fillings.get(item);
    if (known !== undefined) return known;
    const made: KernelItem = {
      kind: "kernel",
      shape,
      steps: [{ op: "constant", value: item.value }],
      operands: [],
      outputs: [{ buffer: item.buffer, strides: rowMajorStrides(shape), offset: 0, step: 0, mode: "store" }],
      computed: new Map(),
    };
    this.#fillings.set(item, made);
    return made;
  }

  #kernel(item: KernelItem, phase: number, thread: number, slice: Slice): Work {
    const template = this.#templateFor(item, slice);
    const at = this.words.length;
    for (const word of template.words) this.words.push(word);
    if (template.scratchBytes > 0) {
      this.scratchWords.push({ word: this.words.length - 1, thread });
      this.scratchBytes = Math.max(this.scratchBytes, template.scratchBytes);
    }
    [...item.operands, ...item.outputs].forEach(
      ({ buffer, thread: whose = thread, strides, offset }, index) => {
        // What is no batch may have a row for each image all the same.
        const rows = buffer.kind === "shared" || buffer.kind === "thread"
          ? slice.first * (strides[0] ?? 0)
          : 0;
        const above = begin(slice, item.shape[1] ?? 0) * (strides[1] ?? 0);
        this.words[at + template.pointers[index]!] = this.#addressOf(buffer, whose, slice) +
          (offset + rows + above) * sizeOf[buffer.type];
      },
    );
    return {
      kind: "kernel",
      kernel: template.kernel,
      arguments: at,
      label: this.#labelled(item, 0, () => {
        const ops = item.steps.filter(({ op }) => op !== "operand" && op !== "constant").length;
        const bytes = [...item.operands, ...item.outputs].reduce(
          (sum, { strides, buffer }) =>
            sum + sizeOf[buffer.type] * elements(item.shape.filter((_, axis) => strides[axis] !== 0)),
          0,
        );
        const modes = item.outputs.map(({ mode }) => mode).join(", ");
        return this.#label({
          phase,
          operators: operatorsOf(item),
          routine: `loop, ${item.operands.length} in, ${ops} steps: ${modes}`,
          shape: item.shape,
          operations: ops * elements(item.shape),
          bytes,
        });
      }),
    };
  }

  readonly #templates = new Map<KernelItem, Map<string, Template>>();

  /** What all calls of an item on slices of one size have in common. */
  #templateFor(item: KernelItem, slice: Slice): Template {
    const inBatch = slice !== whole;
    const shape = inBatch
      ? [
        slice.count,
        ...item.shape.slice(1).map((length, axis) => axis === 0 ? within(slice, length) : length),
      ]
      : item.shape;
    const known = this.#templates.get(item) ?? new Map<string, Template>();
    this.#templates.set(item, known);
    const key = inBatch ? shape.join() : "whole";
    const found = known.get(key);
    if (found !== undefined) return found;

    const inBytes = ({ buffer, strides }: Access) => strides.map((stride) => stride * sizeOf[buffer.type]);
    const all = [...item.operands, ...item.outputs].map(inBytes);
    const { extents, keep } = collapse(shape, all, inBatch);
    if (extents.length > maximumRank) {
      throw new CannotLower(
        `Cannot compile the graph for oneDNN: ${operatorsOf(item).join(", ") || "a copy"} runs over ` +
          `${extents.length} axes that cannot be joined, and ${maximumRank} are the most\n` +
          `  help: pass { executor: "tensorflow" } or { executor: "auto" }`,
      );
    }
    const kept = (access: Access) => ({ pointer: 0, strides: keep.map((axis) => inBytes(access)[axis]!) });
    const call = { extents, operands: item.operands.map(kept), outputs: item.outputs.map(kept) };
    const kernel = this.#loopKernel(item, call);
    const words = new Int32Array(argumentCount(kernel));
    writeArguments(kernel, words, 0, call);
    const pointers: number[] = [];
    let next = extents.length;
    for (const { inner } of [...kernel.operands, ...kernel.outputs]) {
      pointers.push(next);
      next += extents.length + (inner === "strided" ? 1 : 0); // the pointer and the strides
    }
    const template = {
      kernel: this.#kernelNumber(kernel),
      words,
      pointers,
      scratchBytes: scratchBytes(kernel, extents.at(-1)!),
    };
    known.set(key, template);
    return template;
  }

  #loopKernel(item: KernelItem, { extents, operands, outputs }: LoopArguments): LoopKernel {
    const rank = extents.length;
    const inner = (strides: readonly number[], type: ElementType): InnerStride =>
      strides[rank - 1] === 0 ? "constant" : strides[rank - 1] === sizeOf[type] ? "contiguous" : "strided";
    const moved = movedSteps(item);
    return {
      rank,
      steps: item.steps as Step[],
      operands: item.operands.map(({ buffer }, index) => ({
        type: item.steps.some((step, at) => moved.has(at) && "operand" in step && step.operand === index)
          ? "float32"
          : buffer.type,
        inner: inner(operands[index]!.strides, buffer.type),
      })),
      outputs: item.outputs.map(({ buffer, step, mode }, index) => {
        const { strides } = outputs[index]!;
        const way = inner(strides, buffer.type);
        const reducedRows = mode !== "store" && way === "contiguous" && rank >= 2 && strides[rank - 2] === 0;
        const type = moved.has(step) ? "float32" : buffer.type;
        return { step, type, inner: way, mode, ...(reducedRows ? { reducedRows } : {}) };
      }),
    };
  }

  #kernelNumber(kernel: LoopKernel | DepthwiseFilterGradient): number {
    const key = kernelKey(kernel);
    let number = this.#kernelNumbers.get(key);
    if (number === undefined) {
      number = this.kernels.push(kernel) - 1;
      this.#kernelNumbers.set(key, number);
    }
    return number;
  }

  #call(item: CallItem, phase: number, thread: number, slice: Slice): Work[] {
    const { routine } = item.call;
    const [left, right] = item.inputs.map((buffer) => this.#addressOf(buffer, thread, slice));
    const output = this.#addressOf(item.output, thread, slice);
    switch (routine.kind) {
      case "matrix-product": {
        const { rows, inner, columns, overBatch, transposeLeft, transposeRight } = routine;
        const images = slice === whole ? 1 : slice.count;
        const all = slice === whole ? 1 : this.#batchSize;
        const positions = overBatch ? inner : rows, above = begin(slice, positions);
        const count = within(slice, positions) * images;
        return [{
          kind: "matrix-product",
          transposeLeft,
          transposeRight,
          rows: overBatch ? rows : count,
          inner: overBatch ? count : inner,
          columns,
          left: left! + 4 * above * (overBatch ? rows : inner),
          right: right! + (overBatch ? 4 * above * columns : 0),
          output: output + (overBatch ? 0 : 4 * above * columns),
          add: overBatch && (slice.index > 0 || above > 0),
          label: this.#labelled(item, 0, () =>
            this.#label({
              phase,
              operators: [item.origin],
              routine: `product${transposeLeft ? ", left^T" : ""}${transposeRight ? ", right^T" : ""}`,
              shape: overBatch ? [rows, inner * all, columns] : [rows * all, inner, columns],
              operations: 2 * rows * inner * columns * all,
              bytes: 4 * (overBatch
                ? all * inner * (rows + columns) + rows * columns
                : all * rows * (inner + columns) + inner * columns),
            })),
        }];
      }
      case "convolution":
        return this.#convolution(item, routine, phase, thread, slice);
      case "sigmoid": {
        const { size } = routine, all = size * this.#batchSize;
        const label = () =>
          this.#label({
            phase,
            operators: [item.origin],
            routine: "element-wise sigmoid",
            shape: [this.#batchSize, size],
            operations: 20 * all,
            bytes: 8 * all,
          });
        return [{
          kind: "sigmoid",
          size: within(slice, size) * slice.count,
          input: left! + 4 * begin(slice, size),
          output: output + 4 * begin(slice, size),
          label: this.#labelled(item, 0, label),
        }];
      }
      case "moments":
        return this.#moments(item, routine.channels, phase, thread, slice);
    }
  }

  #convolution(
    item: CallItem,
    { pass, geometry }: { pass: "forward" | "input-gradient" | "filter-gradient"; geometry: Geometry },
    phase: number,
    thread: number,
    slice: Slice,
  ): Work[] {
    const images = slice === whole ? geometry.images : slice.count;
    const [first, second] = item.inputs.map((buffer) => this.#addressOf(buffer, thread, slice));
    const output = this.#addressOf(item.output, thread, slice);
    const { kernelHeight: kernel, kernelWidth, strideHeight: stride } = geometry;
    const macs = geometry.images * geometry.outHeight * geometry.outWidth * geometry.outChannels * kernel *
      kernelWidth * (geometry.depthwise ? 1 : geometry.inChannels);
    const bytes = 4 * geometry.images * (geometry.height * geometry.width * geometry.inChannels +
      geometry.outHeight * geometry.outWidth * geometry.outChannels);
    const shape = [
      geometry.height,
      geometry.width,
      geometry.inChannels,
      geometry.outChannels,
      kernel,
      stride,
    ];
    const label = this.#labelled(
      item,
      0,
      () =>
        this.#label({
          phase,
          operators: [item.origin],
          routine: `${geometry.depthwise ? "depthwise " : ""}convolution, ${pass}`,
          shape,
          operations: 2 * macs,
          bytes,
        }),
    );
    if (pass === "filter-gradient" && geometry.depthwise && hasDepthwiseKernel(geometry)) {
      const values: DepthwiseFilterGradientArguments = {
        images,
        height: geometry.height,
        width: geometry.width,
        outHeight: geometry.outHeight,
        outWidth: geometry.outWidth,
        paddingTop: geometry.padding[0],
        paddingLeft: geometry.padding[2],
        channels: geometry.inChannels,
        allChannels: geometry.inChannels,
        add: slice.index > 0,
        x: first!,
        dy: second!,
        filter: output,
      };
      const at = this.words.length;
      const words = new Int32Array(depthwiseFilterGradientArgumentCount);
      writeDepthwiseFilterGradientArguments(words, 0, values);
      for (const word of words) this.words.push(word);
      const number = this.#kernelNumber({ kernelSize: kernel as 3, stride: stride as 1 });
      return [{ kind: "kernel", kernel: number, arguments: at, label }];
    }
    const sliced = { ...geometry, images };
    if (pass !== "filter-gradient") {
      const [image, result] = pass === "forward" ? [first!, output] : [output, first!];
      return [{ kind: "convolution", pass, geometry: sliced, image, filter: second!, result, label }];
    }
    // The routine overwrites: its result is added to the sum of the slices before.
    if (slice.index === 0) {
      return [{
        kind: "convolution",
        pass,
        geometry: sliced,
        image: first!,
        filter: output,
        result: second!,
        label,
      }];
    }
    return [
      {
        kind: "convolution",
        pass,
        geometry: sliced,
        image: first!,
        filter: this.#addressOf(item.scratch!, thread, slice),
        result: second!,
        label,
      },
      this.#kernel(this.#adding(item), phase, thread, whole),
    ];
  }

  readonly #addings = new Map<Item, KernelItem>();

  /** Adds the scratch of a call to its output. */
  #adding(item: CallItem): KernelItem {
    const known = this.#addings.get(item);
    if (known !== undefined) return known;
    const strides = [1];
    const made: KernelItem = {
      kind: "kernel",
      shape: [item.output.size],
      steps: [{ op: "operand", operand: 0 }],
      operands: [{ buffer: item.scratch!, strides, offset: 0 }],
      outputs: [{ buffer: item.output, strides, offset: 0, step: 0, mode: "add" }],
      computed: new Map(),
    };
    this.#addings.set(item, made);
    return made;
  }

  readonly #momentKernels = new Map<
    Item,
    { shift: KernelItem; scales: Map<number, KernelItem>; clear: KernelItem; sums: KernelItem }
  >();

  /**
   * Sums of the differences from a shift and of their squares; the shift is the mean of the thread's first slice (of its
   * first band), so that little is lost where the mean is large and the variance small.
   */
  #moments(item: CallItem, channels: number, phase: number, thread: number, slice: Slice): Work[] {
    const batchSize = this.#batchSize;
    const input = item.inputs[0]!, { output } = item;
    let kernels = this.#momentKernels.get(item);
    const perChannel = (row: number, strides: readonly number[]) => ({
      buffer: output,
      strides,
      offset: row * channels,
    });
    const kernel = (
      shape: readonly number[],
      steps: Step[],
      operands: Access[],
      outputs: KernelItem["outputs"],
    ): KernelItem => ({ kind: "kernel", shape, steps, operands, outputs, computed: new Map() });
    if (kernels === undefined) {
      const shape = [batchSize, input.size / channels, channels], strides = rowMajorStrides(shape);
      const x: Access = { buffer: input, strides, offset: 0 };
      kernels = {
        clear: kernel([3 * channels], [{ op: "constant", value: 0 }], [], [{
          ...perChannel(0, [1]),
          step: 0,
          mode: "store",
        }]),
        shift: kernel(shape, [{ op: "operand", operand: 0 }], [x], [{
          ...perChannel(0, [0, 0, 1]),
          step: 0,
          mode: "add",
        }]),
        scales: new Map(),
        sums: kernel(
          shape,
          [
            { op: "operand", operand: 0 },
            { op: "operand", operand: 1 },
            { op: "subtract", args: [0, 1] },
            { op: "multiply", args: [2, 2] },
          ],
          [x, perChannel(0, [0, 0, 1])],
          [{ ...perChannel(1, [0, 0, 1]), step: 2, mode: "add" }, {
            ...perChannel(2, [0, 0, 1]),
            step: 3,
            mode: "add",
          }],
        ),
      };
      this.#momentKernels.set(item, kernels);
    }
    const { clear, shift, scales, sums } = kernels;
    const rows = slice.count * within(slice, input.size / channels);
    const scale = scales.get(rows) ?? kernel(
      [channels],
      [
        { op: "operand", operand: 0 },
        { op: "constant", value: 1 / rows },
        { op: "multiply", args: [0, 1] },
      ],
      [perChannel(0, [1])],
      [{ ...perChannel(0, [1]), step: 2, mode: "store" }],
    );
    scales.set(rows, scale);
    const before = slice.index > 0 || (slice.band?.from ?? 0) > 0 ? [] : [
      this.#kernel(clear, phase, thread, whole),
      this.#kernel(shift, phase, thread, slice),
      this.#kernel(scale, phase, thread, whole),
    ];
    return [...before, this.#kernel(sums, phase, thread, slice)];
  }
}

/** Of so many rows, the first that belongs to the slice's band. */
function begin({ band }: Slice, rows: number): number {
  return band === undefined ? 0 : rows / band.of * band.from;
}

/** Of so many rows, how many belong to the slice's band. */
function within({ band }: Slice, rows: number): number {
  return band === undefined ? rows : rows / band.of * (band.to - band.from);
}

/** Arguments of a kernel without the pointers. */
interface Template {
  readonly kernel: number;
  readonly words: Int32Array;
  /** Index of the pointer of each operand and output among the words. */
  readonly pointers: readonly number[];
  /** What its sums of rows need; its address is the last word. */
  readonly scratchBytes: number;
}

/** The operators of the graph whose values a loop computes. */
function operatorsOf({ computed }: KernelItem): string[] {
  const maps = [...computed.keys()].filter(({ source }) =>
    source.kind === "map" || source.kind === "combination"
  );
  return [...new Set(maps.map(({ origin }) => origin))];
}

/** Steps that only move whole numbers: they do so as the bits of a float32, which does not hold every int32. */
function movedSteps({ steps, operands, outputs }: KernelItem): Set<number> {
  const computedWith = new Set(steps.flatMap((step) => "args" in step ? step.args : []));
  return new Set(
    steps.flatMap((step, at) =>
      step.op === "operand" && operands[step.operand]!.buffer.type === "int32" && !computedWith.has(at) &&
        outputs.every((output) =>
          output.step !== at || output.mode === "store" && output.buffer.type === "int32"
        )
        ? [at]
        : []
    ),
  );
}

function hasDepthwiseKernel(geometry: Geometry): boolean {
  const { kernelHeight, kernelWidth, strideHeight, strideWidth } = geometry;
  return kernelHeight === kernelWidth && [3, 5, 7].includes(kernelHeight) && strideHeight === strideWidth &&
    strideHeight <= 2;
}

/** Joins loops that run through memory as one, and drops those of length 1. */
function collapse(
  shape: readonly number[],
  strides: readonly (readonly number[])[],
  keepFirst: boolean,
): { extents: number[]; keep: number[] } {
  const extents: number[] = [], keep: number[] = [];
  for (let axis = 0; axis < shape.length; axis++) {
    const length = shape[axis]!;
    if (length === 1 && !(keepFirst && axis === 0)) continue;
    const before = keep.at(-1);
    const joins = before !== undefined &&
      strides.every((stride) => stride[before] === stride[axis]! * length);
    if (joins) {
      extents[extents.length - 1]! *= length;
      keep[keep.length - 1] = axis;
    } else {
      extents.push(length);
      keep.push(axis);
    }
  }
  return keep.length === 0 ? { extents: [1], keep: [Math.max(shape.length - 1, 0)] } : { extents, keep };
}
