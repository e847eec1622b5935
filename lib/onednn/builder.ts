import {
  type Assembly,
  broadcastShape,
  type Call,
  type Combination,
  elements,
  isPartial,
  type MapOperator,
  type Reduction,
  type Routine,
  rowMajorStrides,
  sameShape,
  type Source,
  type Value,
} from "./operations.ts";
import type { ElementType } from "./wasm/loop_kernel.ts";
import { givesCondition } from "./wasm/step_writer.ts";

/** An operator this executor has no way to compute, or cannot split along the batch. */
export class NotLowered extends Error {
  override name = "NotLowered";
}

/**
 * Makes values. Equal operations on equal inputs make the same value, so what a graph computes twice is there once.
 */
export class Builder {
  readonly values: Value[] = [];
  /** The operator whose rule is at work. */
  origin = "input";
  readonly #known = new Map<string, Value>();

  #value(source: Source, shape: readonly number[], type: ElementType, batch: boolean): Value {
    const value = { id: this.values.length, shape, type, batch, source, origin: this.origin };
    this.values.push(value);
    return value;
  }

  #once(key: string, make: () => Value): Value {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const value = make();
    this.#known.set(key, value);
    return value;
  }

  input(name: string, shape: readonly number[], type: ElementType, batch: boolean): Value {
    return this.#value({ kind: "input", name }, shape, type, batch);
  }

  scalar(value: number, type: ElementType = "float32"): Value {
    return this.#once(
      `scalar ${Object.is(value, -0) ? "-0" : value} ${type}`,
      () => this.#value({ kind: "scalar", value }, [], type, false),
    );
  }

  array(data: Float32Array, shape: readonly number[], type: ElementType = "float32"): Value {
    if (data.length > 0 && data.every((value) => Object.is(value, data[0]))) {
      return this.broadcast(this.scalar(data[0]!, type), shape);
    }
    return this.#once(
      `array ${shape} ${type} ${Array.from(data, (value) => Object.is(value, -0) ? "-0" : value)}`,
      () => this.#value({ kind: "array", data }, shape, type, false),
    );
  }

  map(op: MapOperator, ...inputs: Value[]): Value {
    const type = givesCondition(op) ? "bool" : op === "select" ? inputs[1]!.type : inputs[0]!.type;
    return this.mapTo(type, op, ...inputs);
  }

  mapTo(type: ElementType, op: MapOperator, ...inputs: Value[]): Value {
    const shape = inputs.map((value) => value.shape).reduce(broadcastShape);
    for (const input of inputs) {
      const misaligned = input.batch && input.shape.length !== shape.length;
      if (misaligned) throw new NotLowered("a batch is broadcast along new axes");
    }
    return this.#once(
      `${op} ${type} ${inputs.map((value) => value.id)}`,
      () => this.#value({ kind: "map", op, inputs }, shape, type, inputs.some((value) => value.batch)),
    );
  }

  /** What is no batch, as one: each image's row of it. */
  rows(input: Value): Value {
    if (input.batch) return input;
    return this.#once(
      `rows ${input.id}`,
      () => this.#value({ kind: "map", op: "copy", inputs: [input] }, input.shape, input.type, true),
    );
  }

  /** The sum (or greatest, or least) over some axes, which stay with length 1. */
  reduce(how: Reduction["how"], input: Value, axes: readonly number[]): Value {
    const reduced = axes.filter((axis) => input.shape[axis] !== 1);
    if (reduced.length === 0) return input;
    const shape = input.shape.map((length, axis) => axes.includes(axis) ? 1 : length);
    const batch = input.batch && !axes.includes(0);
    return this.#once(
      `reduce ${how} ${input.id} ${axes}`,
      () => {
        const value = this.#value({ kind: "reduce", how, input, axes: reduced }, shape, input.type, batch);
        return isPartial(value) ? this.#combined(value, how) : value;
      },
    );
  }

  #combined(partial: Value, how: Combination["how"], shape = partial.shape): Value {
    return this.#value({ kind: "combination", partial, how }, shape, partial.type, false);
  }

  /** Mean and variance (biased) of each channel (the last axis) over all others, `[channels]` each. */
  moments(input: Value): [Value, Value] {
    const channels = input.shape.at(-1)!, rows = elements(input.shape) / channels;
    if (!input.batch) {
      const leading = input.shape.map((_, axis) => axis).slice(0, -1);
      const average = (value: Value) =>
        this.reshape(this.map("multiply", this.reduce("add", value, leading), this.scalar(1 / rows)), [
          channels,
        ]);
      const mean = average(input), centred = this.map("subtract", input, mean);
      return [mean, average(this.map("multiply", centred, centred))];
    }
    const sums = this.#once(
      `moments ${input.id}`,
      () =>
        this.#call({ kind: "moments", rows, channels }, [input], [{
          shape: [3, channels],
          batch: false,
        }])[0]!,
    );
    return [this.#combined(sums, "mean", [channels]), this.#combined(sums, "variance", [channels])];
  }

  /** Tensors side by side along an axis. */
  join(parts: readonly Value[], shape: readonly number[], axis: number): Value {
    let begin = 0;
    const placed = parts.map((value) => {
      const at = shape.map((_, index) => index === axis ? begin : 0);
      begin += value.shape[axis]!;
      return { value, at };
    }).filter(({ value }) => elements(value.shape) > 0);
    if (placed.length === 0) return this.broadcast(this.scalar(0, parts[0]!.type), shape);
    return this.#assembly(placed, undefined, shape);
  }

  /** A tensor inside a larger one of one value. */
  pad(value: Value, shape: readonly number[], at: readonly number[], filling: Value): Value {
    return sameShape(value.shape, shape) ? value : this.#assembly([{ value, at }], filling, shape);
  }

  #assembly(parts: Assembly["parts"], filling: Value | undefined, shape: readonly number[]): Value {
    const { type } = parts[0]!.value;
    const batch = parts.some(({ value }) => value.batch);
    return this.#value({ kind: "assembly", parts, filling }, shape, type, batch);
  }

  /** The same elements in the same order in another shape. */
  reshape(input: Value, shape: readonly number[]): Value {
    if (sameShape(input.shape, shape)) return input;
    if (input.source.kind === "scalar" && shape.length === 0) return input;
    if (input.batch && shape[0] !== input.shape[0]) throw new NotLowered("the batch axis is reshaped");
    return this.#view(input, shape, rowMajorStrides(shape), 0);
  }

  /** Lengths of 1 repeated. */
  broadcast(input: Value, shape: readonly number[]): Value {
    if (sameShape(input.shape, shape)) return input;
    const { strides, base, offset } = this.layout(input);
    const lead = shape.length - input.shape.length;
    if (input.batch && lead > 0) throw new NotLowered("a batch is broadcast along new axes");
    const stretched = shape.map((length, axis) =>
      axis < lead || input.shape[axis - lead] === 1 && length !== 1 ? 0 : strides[axis - lead]!
    );
    return this.#view(base, shape, stretched, offset, input.batch);
  }

  /** Part of a tensor: axes in another order, or with a beginning, a length and a step. */
  window(input: Value, shape: readonly number[], strides: readonly number[], offset: number): Value {
    return this.#view(input, shape, strides, offset);
  }

  #view(
    base: Value,
    shape: readonly number[],
    strides: readonly number[],
    offset: number,
    batch = base.batch,
  ): Value {
    const under = this.layout(base);
    if (under.base !== base) {
      // A view of a view: of the value below where its rows lie one after another, else of a copy.
      if (sameShape(under.strides, rowMajorStrides(base.shape)) || elements(base.shape) === 1) {
        return this.#view(under.base, shape, strides, offset + under.offset, batch);
      }
      return this.#view(this.map("copy", base), shape, strides, offset, batch);
    }
    return this.#once(
      `view ${base.id} ${shape} / ${strides} + ${offset}`,
      () => this.#value({ kind: "view", base, strides, offset }, shape, base.type, batch),
    );
  }

  /** The value whose memory holds a value's elements, and how they lie in it. */
  layout(value: Value): { base: Value; strides: readonly number[]; offset: number } {
    const { source } = value;
    return source.kind === "view"
      ? { base: source.base, strides: source.strides, offset: source.offset }
      : { base: value, strides: rowMajorStrides(value.shape), offset: 0 };
  }

  /** Runs a routine. Its inputs get memory of their own, rows one after another. */
  call(
    routine: Routine,
    inputs: readonly Value[],
    outputs: readonly { shape: readonly number[]; batch: boolean }[],
  ): Value[] {
    return this.#call(routine, inputs, outputs).map((value) =>
      isPartial(value) ? this.#combined(value, "add") : value
    );
  }

  #call(
    routine: Routine,
    inputs: readonly Value[],
    outputs: readonly { shape: readonly number[]; batch: boolean }[],
  ): Value[] {
    const call: Call = { inputs: inputs.map((value) => this.#inMemory(value)), routine, outputs: [] };
    outputs.forEach(({ shape, batch }, output) =>
      call.outputs.push(this.#value({ kind: "call", call, output }, shape, "float32", batch))
    );
    return call.outputs;
  }

  #inMemory(value: Value): Value {
    const { base, strides } = this.layout(value);
    const lies = base.source.kind !== "scalar" &&
      (base === value || elements(value.shape) === elements(base.shape) &&
          sameShape(strides, rowMajorStrides(value.shape)));
    return lies ? value : this.map("copy", value);
  }
}
