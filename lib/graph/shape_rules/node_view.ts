import type { Attribute, TensorSpec } from "../graph.ts";
import type { DType, HostTensor } from "../host_tensor.ts";
import { printSpec } from "../print_graph.ts";
import type { Signature } from "./signatures.ts";

/** Lengths of the axes of one tensor. */
export type Shape = readonly number[];

/** The shapes of a node's outputs; -1 is a length that depends on values. */
export type ShapeRule = (node: NodeView) => readonly Shape[];

/** A node whose shapes cannot be told without running something: another judge may know more. */
export class UnknownShapeError extends TypeError {
  override name = "TypeError";
}

/** A node as shape rules see it: it fits its signature, and every attribute has a value. */
export class NodeView {
  readonly op: string;
  readonly inputs: readonly TensorSpec[];
  readonly #signature: Signature;
  readonly #attributes: Readonly<Record<string, Attribute>>;
  readonly #dtypes = new Map<string, string>();
  readonly #valuesOf: (input: number) => readonly number[] | undefined;
  /** How many tensors each list of the signature has, by the attribute that says so. */
  readonly #counts = new Map<string, number>();
  /** For each input the name of the argument it is given for. */
  readonly #names: readonly string[];

  /**
   * @param valuesOf The elements of an input where they are known.
   * @throws {TypeError} If inputs or attributes do not fit the signature.
   */
  constructor(
    op: string,
    inputs: readonly TensorSpec[],
    attributes: Readonly<Record<string, Attribute>>,
    signature: Signature,
    valuesOf: (input: number) => readonly number[] | undefined,
  ) {
    this.op = op;
    this.inputs = inputs;
    this.#attributes = attributes;
    this.#signature = signature;
    this.#valuesOf = valuesOf;
    this.#checkAttributes();
    this.#names = this.#checkInputs();
    for (const { name, kind, default: value } of signature.attributes.values()) {
      if (name in attributes || value !== undefined || kind === "shape") continue;
      if (!this.#dtypes.has(name) && !this.#counts.has(name) && kind !== "dtypes") {
        this.refuse(`attribute ${name} is missing`);
      }
    }
  }

  /** Throws an error that names the operator and its inputs. */
  refuse(reason: string): never {
    throw new TypeError(`Cannot record ${this.#call()}: ${reason}`);
  }

  /** Throws an error that says that the shape cannot be known. */
  depends(reason: string): never {
    throw new UnknownShapeError(
      `Cannot record ${this.#call()}: the shape of its output depends on values, ${reason}\n` +
        `  help: use an operator with a fixed output shape, or run it outside the recording`,
    );
  }

  /** Shape of an input. */
  shape(input: number): Shape {
    return this.inputs[input].shape;
  }

  /** Name of an input, as TensorFlow's documentation has it. */
  name(input: number): string {
    return this.#names[input];
  }

  /** Shape of an input that must have a certain rank. */
  withRank(input: number, rank: number, orMore = false): Shape {
    const shape = this.shape(input);
    if (orMore ? shape.length < rank : shape.length !== rank) {
      this.refuse(
        `${this.name(input)} must have rank ${rank}${orMore ? " or more" : ""}, found rank ${shape.length}`,
      );
    }
    return shape;
  }

  /** The elements of an input, where they are known before the run. */
  knownValues(input: number): readonly number[] | undefined {
    return this.#valuesOf(input);
  }

  /** The elements of an input that the shape depends on. */
  values(input: number): readonly number[] {
    return this.#valuesOf(input) ??
      this.depends(`and ${this.name(input)} is computed, but only constants are known while recording`);
  }

  /** The only element of an input. */
  scalar(input: number): number {
    const values = this.values(input);
    if (values.length !== 1 || this.shape(input).length > 1) {
      this.refuse(`${this.name(input)} must be a scalar`);
    }
    return values[0];
  }

  /** The elements of an input that is a list of numbers. */
  vector(input: number, length?: number): readonly number[] {
    this.withRank(input, 1);
    if (length !== undefined && this.shape(input)[0] !== length) {
      this.refuse(`${this.name(input)} must have ${length} elements, found ${this.shape(input)[0]}`);
    }
    return this.values(input);
  }

  /** The elements of an input that is a shape. */
  shapeFrom(input: number): Shape {
    const shape = this.vector(input);
    if (shape.some((length) => length < 0)) {
      this.refuse(`${this.name(input)} must not be negative, found [${shape.join(",")}]`);
    }
    return shape;
  }

  /** An axis counted from the front; a negative one is counted from the end. */
  axis(axis: number, rank: number): number {
    if (axis < -rank || axis >= rank) {
      this.refuse(`axis ${axis} is out of range for rank ${rank}`);
    }
    return axis < 0 ? axis + rank : axis;
  }

  int(name: string): number {
    return this.#attribute(name) as number;
  }

  ints(name: string): readonly number[] {
    return this.#attribute(name) as readonly number[];
  }

  bool(name: string): boolean {
    return this.#attribute(name) as boolean;
  }

  string(name: string): string {
    return this.#attribute(name) as string;
  }

  /** The attribute `shape`, where it is given. */
  shapeAttribute(name: string): Shape | undefined {
    return this.#attributes[name]?.value as Shape | undefined;
  }

  tensor(name: string): HostTensor {
    return this.#attribute(name) as HostTensor;
  }

  /** Dtypes of the outputs, in their order. */
  outputDtypes(): DType[] {
    return this.#signature.outputs.flatMap(({ type, count, mixed }) => {
      if (mixed) return this.inputs.map(({ dtype }) => dtype);
      const dtype = this.#dtypes.get(type) ?? this.#defaultOf(type) ?? type;
      return Array<DType>(count === undefined ? 1 : this.int(count)).fill(dtype as DType);
    });
  }

  #attribute(name: string): unknown {
    return this.#attributes[name]?.value ?? this.#counts.get(name) ?? this.#defaultOf(name);
  }

  #defaultOf(name: string): unknown {
    return this.#signature.attributes.get(name)?.default;
  }

  #call(): string {
    return `${this.op}(${this.inputs.map(printSpec).join(", ")})`;
  }

  #checkAttributes(): void {
    for (const [name, { kind, value }] of Object.entries(this.#attributes)) {
      const definition = this.#signature.attributes.get(name);
      if (definition === undefined) continue; // TensorFlow passes over it too
      if (definition.kind !== kind) {
        this.refuse(`attribute ${name} must be of kind ${definition.kind}, found ${kind}`);
      }
      const { allowed, minimum } = definition;
      if (allowed !== undefined && !allowed.includes(value as string)) {
        this.refuse(`attribute ${name} must be ${oneOf(allowed)}, found ${value}`);
      }
      const size = Array.isArray(value) ? value.length : value as number;
      if (minimum !== undefined && size < minimum) {
        this.refuse(
          `attribute ${name} must ${Array.isArray(value) ? "have" : "be"} ${minimum} or more` +
            `${Array.isArray(value) ? " elements" : ""}, found ${size}`,
        );
      }
      if (kind === "dtype") this.#dtypes.set(name, value as string);
    }
  }

  /** Gives each argument its inputs and each dtype attribute its value; returns the arguments' names. */
  #checkInputs(): string[] {
    const { inputs: wanted } = this.#signature;
    const single = wanted.filter(({ count, mixed }) => count === undefined && !mixed).length;
    const inList = this.inputs.length - single;
    if (inList < 0 || (inList > 0 && single === wanted.length)) {
      this.refuse(
        `it takes ${single === wanted.length ? single : `${single} or more`} inputs, and ` +
          `${this.inputs.length} were given`,
      );
    }
    const names: string[] = [];
    for (const { name, type, count, mixed } of wanted) {
      if (mixed) {
        const wanted = this.#attributes[type]?.value as readonly string[] | undefined;
        this.inputs.forEach(({ dtype }, index) => {
          names.push(`${name} ${index}`);
          if (wanted !== undefined && wanted[index] !== dtype) {
            this.refuse(`${names[index]} must be ${wanted[index]} (${type}), found ${dtype}`);
          }
        });
        continue;
      }
      if (count === undefined) {
        this.#bind(name, type, this.inputs[names.length].dtype);
        names.push(name);
        continue;
      }
      const given = this.#attributes[count]?.value;
      const minimum = this.#signature.attributes.get(count)!.minimum ?? 0;
      if ((given !== undefined && given !== inList) || inList < minimum) {
        this.refuse(`${count} is ${given ?? minimum}, and ${inList} tensors were given for ${name}`);
      }
      this.#counts.set(count, inList);
      for (let index = 0; index < inList; index++) {
        this.#bind(`${name} ${index}`, type, this.inputs[names.length].dtype);
        names.push(`${name} ${index}`);
      }
    }
    return names;
  }

  #bind(argument: string, type: string, found: string): void {
    const definition = this.#signature.attributes.get(type);
    const wanted = definition === undefined ? type : this.#dtypes.get(type);
    if (wanted !== undefined && wanted !== found) {
      this.refuse(
        `${argument} must be ${wanted}${definition === undefined ? "" : ` (${type})`}, ` +
          `found ${found}`,
      );
    }
    if (definition?.allowed !== undefined && !definition.allowed.includes(found)) {
      this.refuse(`${argument} must be ${oneOf(definition.allowed)}, found ${found}`);
    }
    this.#dtypes.set(type, found);
  }
}

function oneOf(choices: readonly string[]): string {
  return choices.length === 1 ? choices[0] : `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`;
}

/** A shape as it stands in a message. */
export function show(shape: Shape): string {
  return `[${shape.join(",")}]`;
}

/** Whether two shapes are equal. */
export function equal(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

/** The input's shape, unchanged. */
export const unchanged: ShapeRule = (node) => [node.shape(0)];

/** No axes. */
export const scalar: ShapeRule = () => [[]];
