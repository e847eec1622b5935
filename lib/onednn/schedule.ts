import type { Lowered } from "./lower.ts";
import {
  type Call,
  elements,
  isPartial,
  type MapOperator,
  rowMajorStrides,
  sameShape,
  sourcesOf,
  type Value,
} from "./operations.ts";
import type { ElementType, Step } from "./wasm/loop_kernel.ts";

/**
 * When everything is computed. A phase is what threads can do without waiting for each other: first the small things
 * each thread computes for itself (`replicated`) and those shared out one by one (`owned`), then the batch, where each
 * thread takes its images slice by slice through all items. Sums over the batch are whole in the next phase.
 */
export interface Schedule {
  readonly phases: readonly Phase[];
  readonly buffers: readonly Buffer[];
  /** Where each output and input lies. */
  readonly places: ReadonlyMap<Value, Buffer>;
}

export interface Phase {
  /** What depends on nothing but variables that stay as they are: done again only after one of them was written. */
  readonly settled: { readonly replicated: readonly Item[]; readonly owned: readonly (readonly Item[])[] };
  readonly replicated: readonly Item[];
  /** Groups of items that read each other's results: one thread does a group. */
  readonly owned: readonly (readonly Item[])[];
  readonly batch: readonly Item[];
}

/** Memory for a value. */
export interface Buffer {
  readonly id: number;
  /**
   * `shared`: one for all threads. `thread`: a copy for each. `batch`: rows for each image. `slice`: rows for the images
   * of one slice, overwritten by the next.
   */
  readonly kind: "shared" | "thread" | "batch" | "slice";
  readonly type: ElementType;
  /** Elements of an image for `batch` and `slice`, else of all. */
  readonly size: number;
  /** First and last phase it is used in; for `slice` the phase. */
  first: number;
  last: number;
  /** Within the phase, for `slice`: the positions of the items that use it first and last. */
  firstItem: number;
  lastItem: number;
  /** Whether it lives on between two runs. */
  readonly lasting: boolean;
}

/** One step of a phase. */
export type Item = KernelItem | CallItem | FillItem;

/** Loops over a shape, in which maps are computed and stored or reduced. */
export interface KernelItem {
  readonly kind: "kernel";
  readonly shape: readonly number[];
  readonly steps: Step[];
  readonly operands: Access[];
  readonly outputs:
    (Access & { readonly step: number; readonly mode: "store" | "add" | "maximum" | "minimum" })[];
  /** Values it computes, by the step that has them. */
  readonly computed: Map<Value, number>;
}

/** Elements of a buffer as the loops of a kernel meet them. */
export interface Access {
  readonly buffer: Buffer;
  /** Which thread's copy; its own if left out. */
  readonly thread?: number;
  /** In elements, for each loop; 0 where it is broadcast or reduced. */
  readonly strides: readonly number[];
  readonly offset: number;
}

export interface CallItem {
  readonly kind: "call";
  /** The operator of the graph it is part of. */
  readonly origin: string;
  readonly call: Call;
  readonly inputs: readonly Buffer[];
  readonly output: Buffer;
  /** As large as the output: for a routine that cannot add to it. */
  readonly scratch?: Buffer | undefined;
}

/** Sets a buffer to a number before something is added to it. */
export interface FillItem {
  readonly kind: "fill";
  readonly buffer: Buffer;
  readonly value: number;
}

/** Values up to this size are computed by every thread for itself. */
const smallest = 16384;

/** Maps that take many instructions. */
const expensive = new Set<MapOperator>(["sigmoid", "tanh", "exp", "log"]);

const neutral = { add: 0, maximum: -Infinity, minimum: Infinity };

type Placement = "batch" | "replicated" | "owned" | "final";

/**
 * Orders a lowered graph.
 *
 * @param lowered Its values.
 * @param threads How many threads there are.
 * @param variables Names of its inputs that keep their values from run to run, unless an output has the same name.
 * @returns Phases and buffers.
 */
export function schedule(lowered: Lowered, threads: number, variables: ReadonlySet<string>): Schedule {
  return new Scheduler(lowered, threads, variables).run();
}

class Scheduler {
  readonly #values: Value[];
  readonly #outputs: Set<Value>;
  readonly #threads: number;
  readonly #imagesOf: (thread: number) => number;
  readonly #batchSize: number;
  readonly #users = new Map<Value, Value[]>();
  readonly #placement = new Map<Value, Placement>();
  readonly #phase = new Map<Value, number>();
  readonly #group = new Map<Value, Value>();
  /** Groups with a member that changes from run to run. */
  readonly #unsettledGroups = new Set<Value>();
  /** What depends on nothing but variables that stay as they are. */
  readonly #settled = new Set<Value>();
  readonly #stored = new Set<Value>();
  /** Phases in which a value is read. */
  readonly #demand = new Map<Value, Set<number>>();
  /** For maps of the batch, what they are computed for, by phase: values that are stored or reduced there. */
  readonly #purposes = new Map<Value, Map<number, Set<Value>>>();
  readonly #buffers: Buffer[] = [];
  readonly #home = new Map<Value, Buffer>();
  #lastPhase = 0;

  constructor(lowered: Lowered, threads: number, variables: ReadonlySet<string>) {
    this.#outputs = new Set(lowered.outputs.values());
    this.#values = liveValues([...lowered.outputs.values(), ...lowered.inputs.values()]);
    this.#threads = threads;
    this.#batchSize = lowered.batchSize;
    this.#imagesOf = (thread) => imagesOf(lowered.batchSize, threads, thread).count;
    for (const value of this.#values) {
      for (const source of sourcesOf(value)) {
        this.#users.set(source, [...this.#users.get(source) ?? [], value]);
      }
      const { source } = value;
      const stays = source.kind === "input"
        ? variables.has(source.name) && !lowered.outputs.has(source.name)
        : sourcesOf(value).every((source) => this.#settled.has(source));
      if (stays) this.#settled.add(value);
    }
  }

  run(): Schedule {
    this.#place();
    this.#joinGroups();
    this.#findPhases();
    this.#decideStored();
    this.#makeHomes();
    const phases = Array.from({ length: this.#lastPhase + 1 }, (_, phase) => this.#buildPhase(phase));
    return { phases, buffers: this.#buffers, places: this.#home };
  }

  #usersOf(value: Value): Value[] {
    return this.#users.get(value) ?? [];
  }

  /** Which threads compute a value. */
  #place(): void {
    const feedsBatch = new Set<Value>();
    for (const value of this.#values.toReversed()) {
      const feeds = this.#usersOf(value).some((user) => isBatchWork(user) || feedsBatch.has(user));
      if (feeds) feedsBatch.add(value);
    }
    for (const value of this.#values) {
      const { source } = value;
      const placement = (): Placement => {
        if (isBatchWork(value)) return "batch";
        if (source.kind === "view") return this.#placement.get(source.base)!;
        if (source.kind === "input" || source.kind === "scalar" || source.kind === "array") {
          return "replicated";
        }
        if (!feedsBatch.has(value)) return "final";
        if (source.kind === "call" || elements(value.shape) > smallest) return "owned";
        if (source.kind === "reduce" && elements(source.input.shape) > smallest) return "owned";
        return "replicated";
      };
      this.#placement.set(value, placement());
    }
  }

  /** Joins what one thread must do in a row: owned values and those they are computed from. */
  #joinGroups(): void {
    for (const value of this.#values) {
      const placement = this.#placement.get(value)!;
      if (placement !== "owned" && placement !== "final") continue;
      this.#group.set(value, value);
      for (const source of sourcesOf(value)) {
        // All of the end is one phase, so that what is settled cannot be done apart from what reads it.
        const alike = this.#placement.get(source) === placement &&
          (placement === "final" || this.#settled.has(source) === this.#settled.has(value));
        if (alike && this.#group.has(source)) {
          this.#group.set(this.#groupOf(source), this.#groupOf(value));
        }
      }
    }
    for (const value of this.#group.keys()) {
      if (!this.#settled.has(value)) this.#unsettledGroups.add(this.#groupOf(value));
    }
  }

  #groupOf(value: Value): Value {
    const parent = this.#group.get(value)!;
    if (parent === value) return value;
    const root = this.#groupOf(parent);
    this.#group.set(value, root);
    return root;
  }

  #findPhases(): void {
    // Where nothing is summed over the batch, nothing ends a phase: small pictures begin a new one, in larger slices.
    const hasPartials = this.#values.some(isPartial);
    for (const value of this.#values) {
      const placement = this.#placement.get(value)!;
      if (placement === "final") continue;
      let phase = 0;
      for (const source of sourcesOf(value)) {
        const wait = isPartial(source) ||
          this.#placement.get(source) === "owned" &&
            !(placement === "owned" && this.#groupOf(source) === this.#groupOf(value));
        phase = Math.max(phase, this.#phase.get(source)! + (wait ? 1 : 0));
      }
      if (!hasPartials && shrinks(value)) phase++;
      this.#phase.set(value, phase);
      this.#lastPhase = Math.max(this.#lastPhase, phase);
    }
    // A value that is needed by nothing in the batch waits for the end, where the threads share such work out best.
    const final = this.#values.filter((value) => this.#placement.get(value) === "final");
    if (
      final.length > 0 &&
      this.#values.some((value) => isBatchWork(value) || this.#placement.get(value) === "owned")
    ) {
      this.#lastPhase++;
    }
    for (const value of final) this.#phase.set(value, this.#lastPhase);
  }

  /**
   * Which maps are kept in memory. The others are computed where they are used, again in each phase: reading one tensor
   * and computing costs less than writing another and reading it.
   */
  #decideStored(): void {
    const roots = new Map<Value, Set<Value>>();
    for (const value of this.#values) {
      if (!value.batch || value.source.kind !== "map") continue;
      const own = new Set<Value>();
      for (const input of value.source.inputs) {
        let root = input.source.kind === "view" ? input.source.base : input;
        // A sigmoid is read beside what it was computed from: it counts as the same tensor.
        if (root.source.kind === "call" && root.source.call.routine.kind === "sigmoid") {
          root = root.source.call.inputs[0]!;
        }
        if (!root.batch || elements(root.shape) < elements(value.shape)) continue;
        const below = roots.get(root);
        if (below !== undefined && below.size < 2) { for (const one of below) own.add(one); }
        else own.add(root);
      }
      roots.set(value, own);
    }
    for (const value of this.#values.toReversed()) {
      const demand = new Set<number>();
      if (this.#outputs.has(value)) demand.add(this.#phase.get(value)!);
      for (const user of this.#usersOf(value)) {
        const passesOn = user.source.kind === "view" || isMap(user) && !this.#stored.has(user);
        for (const phase of passesOn ? this.#demand.get(user)! : [this.#phase.get(user)!]) demand.add(phase);
      }
      this.#demand.set(value, demand);
      if (!isMap(value)) continue;
      if (value.batch) this.#purposes.set(value, this.#purposesOf(value));
      const size = elements(value.shape);
      const forced = this.#outputs.has(value) ||
        this.#usersOf(value).some((user) =>
          user.source.kind === "view" ||
          !value.batch && user.source.kind === "call" ||
          isMap(user) && elements(user.shape) > size && size > 1
        );
      const again = demand.size > 1 && (!value.batch || roots.get(value)!.size > 1);
      if (forced || again) this.#stored.add(value);
    }
  }

  #purposesOf(value: Value): Map<number, Set<Value>> {
    const purposes = new Map<number, Set<Value>>();
    const add = (phase: number, purpose: Value) => {
      if (!purposes.has(phase)) purposes.set(phase, new Set());
      purposes.get(phase)!.add(purpose);
    };
    for (const user of this.#usersOf(value)) {
      if (isMap(user) && !this.#stored.has(user)) {
        for (const [phase, set] of this.#purposes.get(user)!) for (const purpose of set) add(phase, purpose);
      } else {
        // All calls of a phase read the same copy.
        add(this.#phase.get(user)!, user.source.kind === "call" ? value : user);
      }
    }
    return purposes;
  }

  #makeHomes(): void {
    for (const value of this.#values) {
      const { source } = value;
      if (source.kind === "view" || source.kind === "scalar" || isMap(value) && !this.#stored.has(value)) {
        continue;
      }
      const phase = this.#phase.get(value)!;
      const given = source.kind === "input" || source.kind === "array";
      const last = Math.max(phase, ...this.#demand.get(value)!);
      const placement = this.#placement.get(value)!;
      const kind = value.batch
        ? (given || last > phase || this.#outputs.has(value) ? "batch" : "slice")
        : isPartial(value)
        ? "thread"
        : given || placement !== "replicated"
        ? "shared"
        : "thread";
      const size = elements(value.shape) / (value.batch ? this.#batchSize : 1);
      this.#home.set(
        value,
        this.#newBuffer(kind, value.type, size, phase, last, given || this.#outputs.has(value)),
      );
    }
  }

  #newBuffer(
    kind: Buffer["kind"],
    type: ElementType,
    size: number,
    first: number,
    last: number,
    lasting = false,
  ): Buffer {
    const id = this.#buffers.length;
    const buffer = { id, kind, type, size, first, last, firstItem: Infinity, lastItem: -1, lasting };
    this.#buffers.push(buffer);
    return buffer;
  }

  #buildPhase(phase: number): Phase {
    const settled = new Region(this.#context(phase, "settled"));
    const replicated = new Region(this.#context(phase, "replicated"));
    const batch = new Region(this.#context(phase, "batch"), replicated);
    const owned = new Map<Value, Region>();
    for (const value of this.#values) {
      if (this.#phase.get(value) !== phase) continue;
      const placement = this.#placement.get(value)!;
      let region = placement === "batch" ? batch : this.#settled.has(value) ? settled : replicated;
      if (placement === "owned" || placement === "final") {
        const group = this.#groupOf(value);
        if (!owned.has(group)) owned.set(group, new Region(this.#context(phase, "owned")));
        region = owned.get(group)!;
      }
      region.add(value);
    }
    const groups = (areSettled: boolean) =>
      [...owned].filter(([group, { items }]) =>
        items.length > 0 && this.#unsettledGroups.has(group) !== areSettled
      )
        .map(([, { items }]) => items);
    return {
      settled: { replicated: settled.items, owned: groups(true) },
      replicated: replicated.items,
      owned: groups(false),
      batch: batch.items,
    };
  }

  #context(phase: number, part: "settled" | "replicated" | "owned" | "batch"): RegionContext {
    const batch = part === "batch";
    return {
      batch,
      threads: this.#threads,
      imagesOf: this.#imagesOf,
      batchSize: this.#batchSize,
      home: this.#home,
      isWorthKeeping: (value) =>
        batch && value.source.kind === "map" && expensive.has(value.source.op) &&
        (this.#purposes.get(value)?.get(phase)?.size ?? 0) > 1,
      /** Whether a value lies in memory when the region begins. */
      isThere: (value) =>
        this.#home.has(value) &&
        (this.#phase.get(value)! < phase ||
          this.#phase.get(value)! === phase && this.#placement.get(value) === "replicated" &&
            (part === "owned" || part === "batch" || part === "replicated" && this.#settled.has(value)) ||
          value.source.kind === "input" || value.source.kind === "array"),
      scratch: (type, size, kind) =>
        this.#newBuffer(kind ?? (batch ? "slice" : "thread"), type, size, phase, phase),
    };
  }
}

/** Which images of a batch a thread takes. */
export function imagesOf(
  batchSize: number,
  threads: number,
  thread: number,
): { first: number; count: number } {
  const first = Math.floor(batchSize * thread / threads);
  return { first, count: Math.floor(batchSize * (thread + 1) / threads) - first };
}

interface RegionContext {
  readonly batch: boolean;
  readonly threads: number;
  readonly imagesOf: (thread: number) => number;
  readonly batchSize: number;
  readonly home: ReadonlyMap<Value, Buffer>;
  /** Whether a map that has no memory is computed for more than one purpose, and that is expensive. */
  isWorthKeeping(value: Value): boolean;
  isThere(value: Value): boolean;
  scratch(type: ElementType, size: number, kind?: "thread"): Buffer;
}

/** Items one after another, as they grow. */
class Region {
  readonly items: Item[] = [];
  readonly #context: RegionContext;
  /** Where each buffer gets its content. */
  readonly #written = new Map<Buffer, number>();
  /** Copies of values that have no memory otherwise, for calls. */
  readonly #scratch = new Map<Value, Buffer>();
  /** Where the buffers that are added to are filled first: before the slices begin. */
  readonly #before: Region;

  constructor(context: RegionContext, before?: Region) {
    this.#context = context;
    this.#before = before ?? this;
  }

  add(value: Value): void {
    const { source } = value;
    const home = this.#context.home.get(value);
    switch (source.kind) {
      case "map":
      case "combination":
        if (home !== undefined) this.#keep(value, home);
        break;
      case "reduce":
        this.#reduce(source.how, source.input, source.axes, home!, !value.batch && this.#context.batch);
        break;
      case "call": {
        if (source.output > 0) break;
        const inputs = source.call.inputs.map((input) => this.#inMemory(input));
        const { routine } = source.call;
        const overwrites = this.#context.batch && routine.kind === "convolution" &&
          routine.pass === "filter-gradient";
        const scratch = overwrites ? this.#context.scratch(value.type, home!.size, "thread") : undefined;
        this.#push({ kind: "call", origin: value.origin, call: source.call, inputs, output: home!, scratch });
        break;
      }
      case "assembly": {
        const strides = rowMajorStrides(value.shape);
        const { filling } = source;
        if (filling !== undefined) {
          if (filling.source.kind !== "scalar") {
            throw new Error("a tensor is padded with what is no constant");
          }
          this.#push({ kind: "fill", buffer: home!, value: filling.source.value });
        }
        for (const { value: part, at } of source.parts) {
          const offset = at.reduce((sum, begin, axis) => sum + begin * strides[axis]!, 0);
          this.#store(part, home!, strides, offset, filling === undefined ? undefined : home);
        }
        break;
      }
    }
  }

  #push(item: Item): void {
    const position = this.items.length;
    this.items.push(item);
    const buffers = item.kind === "kernel"
      ? []
      : item.kind === "fill"
      ? [item.buffer]
      : [...item.inputs, item.output];
    for (const buffer of buffers) this.#use(buffer, position);
    if (item.kind === "call") this.#written.set(item.output, position);
    if (item.kind === "fill") this.#written.set(item.buffer, position);
  }

  #use(buffer: Buffer, position: number): void {
    buffer.firstItem = Math.min(buffer.firstItem, position);
    buffer.lastItem = Math.max(buffer.lastItem, position);
  }

  /** A value's memory; it is given one if it has none. */
  #inMemory(value: Value): Buffer {
    if (value.source.kind === "view") return this.#inMemory(value.source.base);
    const there = this.#scratch.get(value) ?? this.#context.home.get(value);
    if (there !== undefined) return there;
    const size = elements(value.shape) / (value.batch ? this.#context.batchSize : 1);
    const buffer = this.#context.scratch(value.type, size);
    this.#keep(value, buffer);
    this.#scratch.set(value, buffer);
    return buffer;
  }

  /** Computes a map into its memory. */
  #keep(value: Value, buffer: Buffer): void {
    const kernel = this.#kernelFor(value.shape, [value], value);
    const step = this.#compute(kernel, value, value);
    kernel.outputs.push({ buffer, strides: rowMajorStrides(value.shape), offset: 0, step, mode: "store" });
    this.#wrote(kernel, buffer);
  }

  /** Copies a value into a window of a buffer, after the buffer was filled. */
  #store(value: Value, buffer: Buffer, strides: readonly number[], offset: number, after?: Buffer): void {
    const kernel = this.#kernelFor(value.shape, [value], undefined, after);
    kernel.outputs.push({ buffer, strides, offset, step: this.#compute(kernel, value), mode: "store" });
    this.#wrote(kernel, buffer);
  }

  #reduce(
    how: "add" | "maximum" | "minimum",
    input: Value,
    axes: readonly number[],
    buffer: Buffer,
    partial: boolean,
  ): void {
    const fillIn = partial ? this.#before : this;
    fillIn.#push({ kind: "fill", buffer, value: neutral[how] });
    const kept = input.shape.map((length, axis) => axes.includes(axis) ? 1 : length);
    const strides = rowMajorStrides(kept).map((stride, axis) => axes.includes(axis) ? 0 : stride);
    const kernel = this.#kernelFor(input.shape, [input], undefined, partial ? undefined : buffer);
    const step = this.#compute(kernel, input);
    kernel.outputs.push({ buffer, strides, offset: 0, step, mode: how });
    this.#wrote(kernel, buffer);
  }

  #wrote(kernel: KernelItem, buffer: Buffer): void {
    const position = this.items.indexOf(kernel);
    this.#written.set(buffer, position);
    this.#use(buffer, position);
    for (const operand of kernel.operands) this.#use(operand.buffer, position);
  }

  /** The last kernel with these loops that comes after everything the values are computed from, or a new one. */
  #kernelFor(shape: readonly number[], values: readonly Value[], target?: Value, after?: Buffer): KernelItem {
    const earliest = Math.max(
      after === undefined ? 0 : (this.#written.get(after) ?? -1) + 1,
      ...values.map((value) => this.#readyAt(value, target)),
    );
    for (let position = this.items.length - 1; position >= earliest; position--) {
      const item = this.items[position]!;
      if (
        item.kind === "kernel" && item.shape.length === shape.length &&
        item.shape.every((n, i) => n === shape[i])
      ) {
        return item;
      }
    }
    const kernel: KernelItem = {
      kind: "kernel",
      shape,
      steps: [],
      operands: [],
      outputs: [],
      computed: new Map(),
    };
    this.items.push(kernel);
    return kernel;
  }

  /** Position of the first item that can read what a value is computed from. */
  #readyAt(value: Value, target?: Value): number {
    if (value.source.kind === "view") {
      // It is read from memory, at other places than a kernel that computes its base has just written.
      const buffer = this.#memoryOf(value.source.base);
      return buffer === undefined ? this.#readyAt(value.source.base) : (this.#written.get(buffer) ?? -1) + 1;
    }
    if (value.source.kind === "scalar") return 0;
    const buffer = value === target ? undefined : this.#memoryOf(value);
    if (buffer !== undefined) {
      const position = this.#written.get(buffer);
      if (position === undefined) return 0;
      const item = this.items[position]!;
      // A kernel that computes a value can use it at once.
      return item.kind === "kernel" && item.computed.has(value) ? position : position + 1;
    }
    return Math.max(
      0,
      ...sourcesOf(value).map((source) => value.source.kind === "combination" ? 0 : this.#readyAt(source)),
    );
  }

  /** Where a value lies already at this point of the region, if it does. */
  #memoryOf(value: Value): Buffer | undefined {
    const scratch = this.#scratch.get(value);
    if (scratch !== undefined) return scratch;
    const home = this.#context.home.get(value);
    if (home === undefined) return undefined;
    return this.#context.isThere(value) || this.#written.has(home) ? home : undefined;
  }

  /** The step of a kernel that has a value. */
  #compute(kernel: KernelItem, value: Value, target?: Value): number {
    const known = kernel.computed.get(value);
    if (known !== undefined) return known;
    const { source } = value;
    const step = (): number => {
      if (source.kind === "scalar") return push(kernel.steps, { op: "constant", value: source.value });
      if (source.kind === "view") {
        const { base, strides, offset } = source;
        if (base.source.kind === "scalar") {
          return push(kernel.steps, { op: "constant", value: base.source.value });
        }
        return this.#load(kernel, this.#required(base), value.shape, strides, offset);
      }
      const buffer = value === target ? undefined : this.#memoryOf(value);
      if (buffer !== undefined) {
        return this.#load(kernel, buffer, value.shape, rowMajorStrides(value.shape), 0);
      }
      if (source.kind === "map") {
        const args = source.inputs.map((input) => this.#compute(kernel, input));
        if (source.op === "copy") return args[0]!;
        return push(kernel.steps, { op: source.op, args } as unknown as Step);
      }
      if (source.kind === "combination") return this.#combine(kernel, value, source);
      throw new Error(`a value of kind ${source.kind} is read before it is computed`);
    };
    const made = step();
    kernel.computed.set(value, made);
    const alone = value !== target && this.#memoryOf(value) === undefined &&
      sameShape(value.shape, kernel.shape);
    if (alone && this.#context.isWorthKeeping(value)) {
      const buffer = this.#context.scratch(value.type, elements(value.shape) / this.#context.batchSize);
      kernel.outputs.push({
        buffer,
        strides: rowMajorStrides(value.shape),
        offset: 0,
        step: made,
        mode: "store",
      });
      this.#scratch.set(value, buffer);
      this.#wrote(kernel, buffer);
    }
    return made;
  }

  #required(value: Value): Buffer {
    const buffer = this.#memoryOf(value);
    if (buffer === undefined) {
      throw new Error(`a view of a ${value.source.kind} is read before it is computed`);
    }
    return buffer;
  }

  #load(
    kernel: KernelItem,
    buffer: Buffer,
    shape: readonly number[],
    strides: readonly number[],
    offset: number,
    thread?: number,
  ): number {
    const lead = kernel.shape.length - shape.length;
    const aligned = kernel.shape.map((_, axis) =>
      axis < lead || shape[axis - lead] === 1 ? 0 : strides[axis - lead]!
    );
    const operand = kernel.operands.length;
    kernel.operands.push({ buffer, strides: aligned, offset, ...(thread === undefined ? {} : { thread }) });
    return push(kernel.steps, { op: "operand", operand });
  }

  /** All threads' partial results together. */
  #combine(
    kernel: KernelItem,
    value: Value,
    { partial, how }: { partial: Value; how: "add" | "maximum" | "minimum" | "mean" | "variance" },
  ): number {
    const { steps } = kernel;
    const buffer = this.#context.home.get(partial)!;
    const strides = rowMajorStrides(value.shape);
    const load = (thread: number, offset: number) =>
      this.#load(kernel, buffer, value.shape, strides, offset, thread);
    const all = Array.from({ length: this.#context.threads }, (_, thread) => thread);
    const constant = (number: number) => push(steps, { op: "constant", value: number });
    const two = (op: "add" | "subtract" | "multiply" | "maximum" | "minimum", a: number, b: number) =>
      push(steps, { op, args: [a, b] });
    if (how !== "mean" && how !== "variance") {
      return all.map((thread) => load(thread, 0)).reduce((sum, part) => two(how, sum, part));
    }
    // Of each thread the shift, the sum and the sum of squares of the differences from it (Chan et al., 1979).
    const channels = elements(value.shape);
    const { routine } = (partial.source as { call: Call }).call;
    if (routine.kind !== "moments") throw new Error("these are no moments");
    const rows = all.map((thread) => this.#context.imagesOf(thread) * routine.rows / this.#context.batchSize);
    // A thread may have no images.
    const parts = all.filter((thread) => rows[thread]! > 0).map((thread) => ({
      rows: rows[thread]!,
      shift: load(thread, 0),
      sum: load(thread, channels),
      squares: load(thread, 2 * channels),
    }));
    const means = parts.map(({ rows, shift, sum }) =>
      two("add", shift, two("multiply", sum, constant(1 / rows)))
    );
    const mean = means.map((part, index) =>
      two("multiply", part, constant(parts[index]!.rows / routine.rows))
    )
      .reduce((sum, part) => two("add", sum, part));
    if (how === "mean") return mean;
    const deviations = parts.map(({ rows, sum, squares }, index) => {
      const own = two("subtract", squares, two("multiply", two("multiply", sum, sum), constant(1 / rows)));
      const apart = two("subtract", means[index]!, mean);
      return two("add", own, two("multiply", two("multiply", apart, apart), constant(rows)));
    });
    const sum = deviations.reduce((sum, part) => two("add", sum, part));
    // Rounding may leave a little less than nothing.
    return two("maximum", two("multiply", sum, constant(1 / routine.rows)), constant(0));
  }
}

/** Whether a value is a picture smaller than the one it is computed from. */
function shrinks({ batch, source }: Value): boolean {
  if (!batch || source.kind !== "call" || source.call.routine.kind !== "convolution") return false;
  const { height, width, outHeight, outWidth } = source.call.routine.geometry;
  return outHeight * outWidth < height * width;
}

function push(steps: Step[], step: Step): number {
  return steps.push(step) - 1;
}

function isMap({ source }: Value): boolean {
  return source.kind === "map" || source.kind === "combination";
}

/** Whether a value is computed slice by slice. */
function isBatchWork(value: Value): boolean {
  return value.batch || isPartial(value);
}

/** What is needed for some values, in an order of computation. */
function liveValues(wanted: readonly Value[]): Value[] {
  const live = new Set<Value>(), open = [...wanted];
  while (open.length > 0) {
    const value = open.pop()!;
    if (live.has(value)) continue;
    live.add(value);
    open.push(...sourcesOf(value));
  }
  return [...live].sort((a, b) => a.id - b.id);
}
