import type { Geometry, Value } from "./operations.ts";
import { elements, rowMajorStrides } from "./operations.ts";
import { CannotLower, type Lowered } from "./lower.ts";
import {
  type Access,
  type Buffer,
  type CallItem,
  imagesOf,
  type Item,
  type KernelItem,
  type Schedule,
} from "./schedule.ts";
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

/** A graph ready to be run: plain data. */
export interface Plan {
  readonly threads: number;
  /** Bytes of memory it needs. */
  readonly memoryBytes: number;
  /** Those of them that grow with the batch. */
  readonly batchBytes: number;
  readonly kernels: readonly (LoopKernel | DepthwiseFilterGradient)[];
  /** Arguments of the kernels, to be written at `argumentsAt`. */
  readonly words: Int32Array;
  readonly argumentsAt: number;
  /** Constant tensors and where they go. */
  readonly constants: readonly {
    readonly at: number;
    readonly data: Float32Array;
    readonly type: ElementType;
  }[];
  /** For each thread. */
  readonly programs: readonly (readonly Instruction[])[];
  /** What each label stands for. */
  readonly labels: readonly Label[];
  readonly inputs: ReadonlyMap<string, Place>;
  readonly outputs: ReadonlyMap<string, Place>;
}

/** Where a tensor lies in the shared memory. */
export interface Place {
  readonly at: number;
  readonly type: ElementType;
  readonly size: number;
}

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

const sizeOf: Record<ElementType, number> = { float32: 4, int32: 4, uint8: 1, bool: 1 };
/** Cache lines. */
const alignment = 64;
/** The least that is at the beginning: the barrier. */
export const controlBytes = 256;
/** What the buffers of one slice may take together: they should stay in a core's cache. */
const cacheBytes = 1.5 * 2 ** 20;

/** Elements of a matrix from which its layout matters, and rows from which it does not any more. */
const largeWeights = 16384;
const enoughRows = 384;

const align = (bytes: number) => Math.ceil(bytes / alignment) * alignment;

/**
 * Gives every buffer its place and writes the programs of all threads.
 *
 * @param lowered The values of inputs and outputs.
 * @param scheduled When and where everything is computed.
 * @param threads Number of threads the schedule was made for.
 * @param variables Inputs that are state: the output of the same name takes their place.
 * @param sliceBytes What the buffers of one slice may take together.
 * @returns The plan.
 */
export function plan(
  lowered: Lowered,
  scheduled: Schedule,
  threads: number,
  variables: ReadonlySet<string>,
  sliceBytes = cacheBytes,
): Plan {
  return new Planner(lowered, scheduled, threads, variables, sliceBytes).run();
}

class Planner {
  readonly #lowered: Lowered;
  readonly #schedule: Schedule;
  readonly #threads: number;
  readonly #variables: ReadonlySet<string>;
  readonly #cacheBytes: number;
  readonly #kernels: (LoopKernel | DepthwiseFilterGradient)[] = [];
  readonly #kernelNumbers = new Map<string, number>();
  readonly #words: number[] = [];
  readonly #constants: Plan["constants"][number][] = [];
  readonly #labels: Label[] = [];
  readonly #address = new Map<Buffer, number>();
  readonly #perThread: number[] = [];
  #sliceAt = 0;
  #batchBytes = 0;
  #top = controlBytes;

  constructor(
    lowered: Lowered,
    scheduled: Schedule,
    threads: number,
    variables: ReadonlySet<string>,
    sliceBytes: number,
  ) {
    this.#cacheBytes = sliceBytes;
    this.#lowered = lowered;
    this.#schedule = scheduled;
    this.#threads = threads;
    this.#variables = variables;
  }

  run(): Plan {
    const slices = this.#chooseSlices();
    const copies = this.#placeVariables();
    this.#placeBuffers(slices);
    const programs = Array.from({ length: this.#threads }, () => [] as Instruction[]);
    this.#schedule.phases.forEach((phase, number) => {
      if (number > 0) { for (const program of programs) program.push({ kind: "barrier" }); }
      if (number === this.#schedule.phases.length - 1 && this.#variables.size > 0) {
        for (const program of programs) program.push({ kind: "commit" });
      }
      programs.forEach((program, thread) => {
        for (const part of [phase.settled, phase]) {
          const owners = this.#shareOut(part.owned);
          const items = [
            ...part.replicated,
            ...part.owned.filter((_, index) => owners[index] === thread).flat(),
          ];
          const instructions = items.flatMap((item) => this.#emit(item, number, thread, whole));
          const settled = part === phase.settled;
          program.push(
            ...instructions.map((instruction) => settled ? { ...instruction, settled } : instruction),
          );
        }
        if (phase.batch.length === 0) return;
        for (const slice of slices[number]![thread]!) {
          for (const item of phase.batch) program.push(...this.#emit(item, number, thread, slice));
        }
      });
    });
    if (copies.length > 0) {
      for (const program of programs) program.push({ kind: "barrier" });
      copies.forEach((item, index) => {
        const thread = index % this.#threads;
        programs[thread]!.push(...this.#emit(item, this.#schedule.phases.length, thread, whole));
      });
    }
    for (const [value, buffer] of this.#schedule.places) {
      if (value.source.kind === "array") {
        this.#constants.push({ at: this.#address.get(buffer)!, data: value.source.data, type: value.type });
      }
    }
    const argumentsAt = this.#allocate(4 * this.#words.length);
    return {
      threads: this.#threads,
      memoryBytes: this.#top,
      batchBytes: this.#batchBytes,
      kernels: this.#kernels,
      words: Int32Array.from(this.#words, (word) => word | 0),
      argumentsAt,
      constants: this.#constants,
      programs: programs.map((program) =>
        program.map((instruction) =>
          instruction.kind === "kernel"
            ? { ...instruction, arguments: argumentsAt + 4 * instruction.arguments }
            : instruction
        )
      ),
      labels: this.#labels,
      inputs: this.#placesOf(this.#lowered.inputs),
      outputs: this.#placesOf(this.#lowered.outputs),
    };
  }

  #placesOf(values: ReadonlyMap<string, Value>): Map<string, Place> {
    return new Map([...values].map(([name, value]) => {
      const buffer = this.#schedule.places.get(value)!;
      return [name, { at: this.#address.get(buffer)!, type: value.type, size: elements(value.shape) }];
    }));
  }

  #allocate(bytes: number): number {
    const at = this.#top;
    this.#top += align(bytes);
    return at;
  }

  /** For each phase and thread the slices of its images. */
  #chooseSlices(): Slice[][][] {
    const { batchSize } = this.#lowered;
    return this.#schedule.phases.map(({ batch }) => {
      const perImage = Math.max(1, this.#sliceBytes(batch));
      const wanted = Math.max(1, Math.floor(this.#cacheBytes / perImage), imagesForProducts(batch));
      return Array.from({ length: this.#threads }, (_, thread) => {
        const { first, count } = imagesOf(batchSize, this.#threads, thread);
        const slices = Math.ceil(count / Math.min(count, wanted));
        return Array.from({ length: slices }, (_, index) => {
          const begin = Math.floor(count * index / slices);
          const end = Math.floor(count * (index + 1) / slices);
          return { first: first + begin, count: end - begin, index };
        });
      });
    });
  }

  /** Bytes of one image that are written and read, or read twice, in a phase, where most of them are needed at once. */
  #sliceBytes(items: readonly Item[]): number {
    const uses = new Map<Buffer, number[]>();
    items.forEach((item, position) => {
      for (const buffer of buffersOf(item)) uses.set(buffer, [...uses.get(buffer) ?? [], position]);
    });
    const kept = [...uses].filter(([{ kind }]) => kind === "slice" || kind === "batch").map((
      [buffer, positions],
    ) => ({
      bytes: buffer.size * sizeOf[buffer.type],
      first: positions[0]!,
      last: positions.at(-1)!,
    }));
    return Math.max(
      0,
      ...items.map((_, position) =>
        kept.filter(({ first, last }) => first <= position && position <= last)
          .reduce((sum, { bytes }) => sum + bytes, 0)
      ),
    );
  }

  /**
   * A variable's next value is written over it where nothing reads the old one any more; where something does, it is
   * copied at the end.
   */
  #placeVariables(): KernelItem[] {
    const copies: KernelItem[] = [];
    const lastPhase = this.#schedule.phases.length - 1;
    const taken = new Set<Buffer>();
    for (const name of this.#variables) {
      const [before, after] = [this.#lowered.inputs.get(name)!, this.#lowered.outputs.get(name)];
      if (after === undefined || after === before) continue;
      const [old, next] = [this.#schedule.places.get(before)!, this.#schedule.places.get(after)!];
      const readers = this.#schedule.phases[lastPhase]!.owned.flat().filter((item) => reads(item, old));
      const alone = next.kind === "shared" && next.first === lastPhase && !taken.has(next) &&
        this.#schedule.phases[lastPhase]!.batch.length === 0 &&
        readers.every((item) =>
          item.kind === "kernel" &&
          elements(item.shape) === next.size &&
          item.outputs.some((output) =>
            output.buffer === next && output.mode === "store" && isRowMajor(output, item.shape)
          ) &&
          item.operands.every((operand) => operand.buffer !== old || isRowMajor(operand, item.shape))
        ) && readers.length <= 1;
      taken.add(next);
      if (alone) {
        this.#address.set(old, this.#address.get(old) ?? this.#allocate(old.size * sizeOf[old.type]));
        this.#address.set(next, this.#address.get(old)!);
      } else {
        const strides = rowMajorStrides(before.shape);
        copies.push({
          kind: "kernel",
          shape: before.shape,
          steps: [{ op: "operand", operand: 0 }],
          operands: [{ buffer: next, strides, offset: 0, thread: 0 }],
          outputs: [{ buffer: old, strides, offset: 0, step: 0, mode: "store" }],
          computed: new Map(),
        });
      }
    }
    return copies;
  }

  #placeBuffers(slices: readonly (readonly (readonly Slice[])[])[]): void {
    const { buffers } = this.#schedule;
    const bytesOf = ({ size, type }: Buffer) => align(size * sizeOf[type]);
    // What every thread has for itself.
    let threadBytes = 0;
    for (const buffer of buffers) {
      if (buffer.kind !== "thread") continue;
      this.#address.set(buffer, threadBytes);
      threadBytes += bytesOf(buffer);
    }
    const threadAt = this.#allocate(this.#threads * threadBytes);
    for (const buffer of buffers) {
      if (buffer.kind === "thread") this.#address.set(buffer, threadAt + this.#address.get(buffer)!);
      if (buffer.kind === "shared" && !this.#address.has(buffer)) {
        this.#address.set(buffer, this.#allocate(bytesOf(buffer)));
      }
    }
    for (let thread = 0; thread < this.#threads; thread++) this.#perThread.push(thread * threadBytes);
    // Batches, by the phases they live in.
    const batches = buffers.filter(({ kind }) => kind === "batch")
      .map((buffer) => ({
        buffer,
        bytes: align(buffer.size * sizeOf[buffer.type] * this.#lowered.batchSize),
        first: buffer.lasting ? -1 : buffer.first,
        last: buffer.lasting ? Infinity : buffer.last,
      }));
    const arena = packIntervals(batches);
    this.#batchBytes = arena.bytes;
    const arenaAt = this.#allocate(arena.bytes);
    batches.forEach(({ buffer }, index) => this.#address.set(buffer, arenaAt + arena.offsets[index]!));
    // Slices: each phase anew, each thread its own.
    let scratchBytes = 0;
    this.#schedule.phases.forEach((_, phase) => {
      const rows = Math.max(0, ...slices[phase]!.flat().map(({ count }) => count));
      const own = buffers.filter(({ kind, first }) => kind === "slice" && first === phase);
      const packed = packIntervals(own.map((buffer) => ({
        bytes: align(rows * buffer.size * sizeOf[buffer.type]),
        first: buffer.firstItem,
        last: buffer.lastItem,
      })));
      own.forEach((buffer, index) => this.#address.set(buffer, packed.offsets[index]!));
      scratchBytes = Math.max(scratchBytes, packed.bytes);
    });
    this.#sliceAt = this.#allocate(this.#threads * scratchBytes);
    this.#scratchBytes = scratchBytes;
  }
  #scratchBytes = 0;

  #addressOf(buffer: Buffer, thread: number, slice: Slice): number {
    const at = this.#address.get(buffer)!;
    switch (buffer.kind) {
      case "shared":
        return at;
      case "thread":
        return at + this.#perThread[thread]!;
      case "batch":
        return at + slice.first * buffer.size * sizeOf[buffer.type];
      case "slice":
        return this.#sliceAt + thread * this.#scratchBytes + at;
    }
  }

  /** Shares groups of items out so that each thread has about as much. */
  #shareOut(groups: readonly (readonly Item[])[]): number[] {
    const load = new Array<number>(this.#threads).fill(0);
    const owner = new Array<number>(groups.length);
    const cost = groups.map((group) => group.reduce((sum, item) => sum + costOf(item), 0));
    for (const index of groups.map((_, index) => index).sort((a, b) => cost[b]! - cost[a]! || a - b)) {
      const thread = load.indexOf(Math.min(...load));
      owner[index] = thread;
      load[thread]! += cost[index]!;
    }
    return owner;
  }

  #label(label: Label): number {
    return this.#labels.push(label) - 1;
  }

  readonly #labelOf = new Map<Item, number[]>();

  /** The label of the nth instruction of an item, the same in all threads and slices. */
  #labelled(item: Item, index: number, make: () => number): number {
    const known = this.#labelOf.get(item) ?? [];
    this.#labelOf.set(item, known);
    return known[index] ??= make();
  }

  #emit(item: Item, phase: number, thread: number, slice: Slice): Work[] {
    switch (item.kind) {
      case "kernel":
        return [this.#kernel(item, phase, thread, slice)];
      case "fill": {
        const { buffer } = item;
        const batch = buffer.kind === "batch" || buffer.kind === "slice";
        const shape = batch ? [this.#lowered.batchSize, buffer.size] : [buffer.size];
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
    const at = this.#words.length;
    for (const word of template.words) this.#words.push(word);
    [...item.operands, ...item.outputs].forEach(
      ({ buffer, thread: whose = thread, strides, offset }, index) => {
        // What is no batch may have a row for each image all the same.
        const rows = buffer.kind === "shared" || buffer.kind === "thread"
          ? slice.first * (strides[0] ?? 0)
          : 0;
        this.#words[at + template.pointers[index]!] = this.#addressOf(buffer, whose, slice) +
          (offset + rows) * sizeOf[buffer.type];
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

  readonly #templates = new Map<KernelItem, Map<number, Template>>();

  /** What all calls of an item on slices of one size have in common. */
  #templateFor(item: KernelItem, slice: Slice): Template {
    const inBatch = slice !== whole;
    const known = this.#templates.get(item) ?? new Map<number, Template>();
    this.#templates.set(item, known);
    const found = known.get(inBatch ? slice.count : 0);
    if (found !== undefined) return found;

    const shape = inBatch ? [slice.count, ...item.shape.slice(1)] : item.shape;
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
    const template = { kernel: this.#kernelNumber(kernel), words, pointers };
    known.set(inBatch ? slice.count : 0, template);
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
      number = this.#kernels.push(kernel) - 1;
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
        const all = slice === whole ? 1 : this.#lowered.batchSize;
        return [{
          kind: "matrix-product",
          transposeLeft,
          transposeRight,
          rows: overBatch ? rows : rows * images,
          inner: overBatch ? inner * images : inner,
          columns,
          left: left!,
          right: right!,
          output,
          add: overBatch && slice.index > 0,
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
        const { size } = routine, all = size * this.#lowered.batchSize;
        const label = () =>
          this.#label({
            phase,
            operators: [item.origin],
            routine: "element-wise sigmoid",
            shape: [this.#lowered.batchSize, size],
            operations: 20 * all,
            bytes: 8 * all,
          });
        return [{
          kind: "sigmoid",
          size: size * slice.count,
          input: left!,
          output,
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
      const at = this.#words.length;
      const words = new Int32Array(depthwiseFilterGradientArgumentCount);
      writeDepthwiseFilterGradientArguments(words, 0, values);
      for (const word of words) this.#words.push(word);
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
   * Sums of the differences from a shift and of their squares; the shift is the mean of the thread's first slice, so that
   * little is lost where the mean is large and the variance small.
   */
  #moments(item: CallItem, channels: number, phase: number, thread: number, slice: Slice): Work[] {
    const { batchSize } = this.#lowered;
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
    const rows = slice.count * input.size / channels;
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
    const before = slice.index > 0 ? [] : [
      this.#kernel(clear, phase, thread, whole),
      this.#kernel(shift, phase, thread, slice),
      this.#kernel(scale, phase, thread, whole),
    ];
    return [...before, this.#kernel(sums, phase, thread, slice)];
  }
}

/** Arguments of a kernel without the pointers. */
interface Template {
  readonly kernel: number;
  readonly words: Int32Array;
  /** Index of the pointer of each operand and output among the words. */
  readonly pointers: readonly number[];
}

/** Images `first` to `first + count` of the batch, the thread's slice number `index`. */
interface Slice {
  readonly first: number;
  readonly count: number;
  readonly index: number;
}

/** What has no batch. */
const whole: Slice = { first: 0, count: 1, index: 0 };

/**
 * How many images a slice needs so that large matrices are multiplied with enough rows: they are brought into another
 * layout for each product.
 */
function imagesForProducts(items: readonly Item[]): number {
  const least = items.map((item) => {
    if (item.kind !== "call" || item.call.routine.kind !== "matrix-product") return 1;
    const { rows, inner, columns, overBatch } = item.call.routine;
    const positions = overBatch ? inner : rows, weights = overBatch ? rows * columns : inner * columns;
    return positions > 1 && weights >= largeWeights ? Math.ceil(enoughRows / positions) : 1;
  });
  return Math.max(1, ...least);
}

/** The buffers an item reads and writes. */
function buffersOf(item: Item): Buffer[] {
  if (item.kind === "fill") return [item.buffer];
  if (item.kind === "call") return [...item.inputs, item.output];
  return [...item.operands, ...item.outputs].map(({ buffer }) => buffer);
}

/** The operators of the graph whose values a loop computes. */
function operatorsOf({ computed }: KernelItem): string[] {
  const maps = [...computed.keys()].filter(({ source }) =>
    source.kind === "map" || source.kind === "combination"
  );
  return [...new Set(maps.map(({ origin }) => origin))];
}

function reads(item: Item, buffer: Buffer): boolean {
  if (item.kind === "fill") return false;
  if (item.kind === "call") return item.inputs.includes(buffer);
  return item.operands.some((operand) => operand.buffer === buffer);
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

function isRowMajor({ strides, offset }: Access, shape: readonly number[]): boolean {
  const wanted = rowMajorStrides(shape);
  return offset === 0 && strides.every((stride, axis) => shape[axis] === 1 || stride === wanted[axis]);
}

/** About how much work an item is. */
function costOf(item: Item): number {
  if (item.kind === "kernel") return elements(item.shape) * (1 + item.operands.length + item.outputs.length);
  if (item.kind === "fill") return item.buffer.size;
  const { routine } = item.call;
  return routine.kind === "matrix-product"
    ? routine.rows * routine.inner * routine.columns / 4
    : item.output.size * 16;
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

/** Offsets such that what lives at the same time does not overlap; the largest first, each as low as it can be. */
function packIntervals(
  intervals: readonly { bytes: number; first: number; last: number }[],
): { offsets: number[]; bytes: number } {
  const offsets = new Array<number>(intervals.length).fill(0);
  const placed: number[] = [];
  let total = 0;
  const order = intervals.map((_, index) => index).sort((a, b) =>
    intervals[b]!.bytes - intervals[a]!.bytes || a - b
  );
  for (const index of order) {
    const { bytes, first, last } = intervals[index]!;
    const beside = placed.filter((other) =>
      intervals[other]!.first <= last && first <= intervals[other]!.last
    )
      .sort((a, b) => offsets[a]! - offsets[b]!);
    let at = 0;
    for (const other of beside) {
      if (at + bytes <= offsets[other]!) break;
      at = Math.max(at, offsets[other]! + intervals[other]!.bytes);
    }
    offsets[index] = at;
    placed.push(index);
    total = Math.max(total, at + bytes);
  }
  return { offsets, bytes: total };
}
