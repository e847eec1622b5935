import { findRuns, imagesForProducts, type Run } from "./bands.ts";
import {
  type Instruction,
  InstructionWriter,
  type Label,
  sizeOf,
  type Slice,
  whole,
} from "./instructions.ts";
import type { Lowered } from "./lower.ts";
import { elements, rowMajorStrides, type Value } from "./operations.ts";
import { type Access, type Buffer, imagesOf, type Item, type KernelItem, type Schedule } from "./schedule.ts";
import type { DepthwiseFilterGradient } from "./wasm/depthwise_filter_gradient.ts";
import type { ElementType, LoopKernel } from "./wasm/loop_kernel.ts";

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

/** Cache lines. */
const alignment = 64;
/** The least that is at the beginning: the barrier. */
export const controlBytes = 256;
/** What the buffers of one slice may take together: they should stay in a core's cache. */
const cacheBytes = 1.5 * 2 ** 20;

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
  readonly #writer: InstructionWriter;
  readonly #constants: Plan["constants"][number][] = [];
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
    this.#writer = new InstructionWriter(
      lowered.batchSize,
      (buffer, thread, slice) => this.#addressOf(buffer, thread, slice),
    );
    this.#schedule = scheduled;
    this.#threads = threads;
    this.#variables = variables;
  }

  run(): Plan {
    const slices = this.#chooseSlices();
    const runs = this.#schedule.phases.map(({ batch }) => findRuns(batch));
    const copies = this.#placeVariables();
    this.#placeBuffers(slices, runs);
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
          const instructions = items.flatMap((item) => this.#writer.emit(item, number, thread, whole));
          const settled = part === phase.settled;
          program.push(
            ...instructions.map((instruction) => settled ? { ...instruction, settled } : instruction),
          );
        }
        if (phase.batch.length === 0) return;
        for (const slice of slices[number]![thread]!) {
          for (const run of runs[number]!) {
            const items = phase.batch.slice(run.first, run.last + 1);
            this.#bandsOf(run, slice).forEach((band, index) => {
              for (const item of items) {
                if (item.kind !== "fill") program.push(...this.#writer.emit(item, number, thread, band));
                else if (index === 0) program.push(...this.#writer.emit(item, number, thread, slice));
              }
            });
          }
        }
      });
    });
    if (copies.length > 0) {
      for (const program of programs) program.push({ kind: "barrier" });
      copies.forEach((item, index) => {
        const thread = index % this.#threads;
        programs[thread]!.push(...this.#writer.emit(item, this.#schedule.phases.length, thread, whole));
      });
    }
    for (const [value, buffer] of this.#schedule.places) {
      if (value.source.kind === "array") {
        this.#constants.push({ at: this.#address.get(buffer)!, data: value.source.data, type: value.type });
      }
    }
    const scratchBytes = align(this.#writer.scratchBytes);
    const scratchAt = this.#allocate(this.#threads * scratchBytes);
    for (const { word, thread } of this.#writer.scratchWords) {
      this.#writer.words[word] = scratchAt + thread * scratchBytes;
    }
    const argumentsAt = this.#allocate(4 * this.#writer.words.length);
    return {
      threads: this.#threads,
      memoryBytes: this.#top,
      batchBytes: this.#batchBytes,
      kernels: this.#writer.kernels,
      words: Int32Array.from(this.#writer.words, (word) => word | 0),
      argumentsAt,
      constants: this.#constants,
      programs: programs.map((program) =>
        program.map((instruction) =>
          instruction.kind === "kernel"
            ? { ...instruction, arguments: argumentsAt + 4 * instruction.arguments }
            : instruction
        )
      ),
      labels: this.#writer.labels,
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

  /** The slice, or its bands from top to bottom if a picture's part of the run does not fit into the cache. */
  #bandsOf({ parts, mostBands, bytes }: Run, slice: Slice): Slice[] {
    const count = slice.count > 1 ? 1 : Math.min(parts, mostBands, Math.ceil(bytes / this.#cacheBytes));
    if (count <= 1) return [slice];
    const cut = (band: number) => Math.floor(parts * band / count);
    return Array.from(
      { length: count },
      (_, band) => ({ ...slice, band: { from: cut(band), to: cut(band + 1), of: parts } }),
    );
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

  #placeBuffers(
    slices: readonly (readonly (readonly Slice[])[])[],
    runs: readonly (readonly Run[])[],
  ): void {
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
      // Within a run that is done in bands, the last item has its turn before the first is done.
      const runOf = (item: number) => {
        const run = runs[phase]!.find(({ first, last }) => first <= item && item <= last);
        const inBands = run !== undefined &&
          slices[phase]!.flat().some((slice) => this.#bandsOf(run, slice).length > 1);
        return inBands ? run : { first: item, last: item };
      };
      const packed = packIntervals(own.map((buffer) => ({
        bytes: align(rows * buffer.size * sizeOf[buffer.type]),
        first: runOf(buffer.firstItem).first,
        last: runOf(buffer.lastItem).last,
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
}

/** The buffers an item reads and writes. */
function buffersOf(item: Item): Buffer[] {
  if (item.kind === "fill") return [item.buffer];
  if (item.kind === "call") return [...item.inputs, item.output];
  return [...item.operands, ...item.outputs].map(({ buffer }) => buffer);
}

function reads(item: Item, buffer: Buffer): boolean {
  if (item.kind === "fill") return false;
  if (item.kind === "call") return item.inputs.includes(buffer);
  return item.operands.some((operand) => operand.buffer === buffer);
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
