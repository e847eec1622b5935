import type { ExportGraph, ExportNode, ExportValue } from "./export_graph.ts";
import { fitsHalf } from "./_half_precision.ts";
import {
  ATTRIBUTE_KINDS,
  type AttributeProto,
  type NodeProto,
  ONNX_TYPES,
  type TensorProto,
} from "./_onnx_messages.ts";

/** Operations and constants of a graph, in ONNX's terms. */
export interface ONNXNodes {
  readonly nodes: NodeProto[];
  readonly initializers: TensorProto[];
  /** Values that only the file has, each of the shape of a value of the graph. */
  readonly between: { readonly name: string; readonly elemType: number; readonly like: ExportValue }[];
  /** Name in the file of each value of the graph. */
  readonly names: ReadonlyMap<number, string>;
}

/** What spelling a node takes. */
interface Writer {
  /** Name in the file of a value. */
  nameOf(id: number): string;
  /** Appends an operation; its name is that of the value it defines. */
  node(opType: string, input: string[], output: string, attributes?: Attributes): void;
  /** Appends a constant beside a value, e.g. `name/scale`, and returns its name. */
  constant(beside: string, what: string, dims: number[], data: ElementArray): string;
  /** Names a value between two operations that spell one of the graph; it has the shape of the graph's value. */
  between(output: ExportValue, what: string, elemType: number): string;
}

/** Settings of an operation, by name. */
type Attributes = Record<string, Omit<AttributeProto, "name">>;

type ElementArray = Float32Array | Float16Array | Int8Array | Uint8Array | BigInt64Array;

/**
 * Spells the operations of a graph.
 *
 * @param graph The graph.
 * @param precision `fp16`: weights of convolutions and of the classifier are stored as float16 and cast when the file is
 * opened. All else, and weights beyond 65504, stay float32.
 * @returns Operations and constants.
 * @throws {RangeError} If 0 is not among the values of a `fakeQuantize`.
 */
export function toONNXNodes(graph: ExportGraph, precision: "fp32" | "fp16"): ONNXNodes {
  const values = [graph.input, ...graph.nodes.map(({ output }) => output)];
  const names = new Map(values.map(({ id, name }) => [id, id === graph.output ? graph.outputName : name]));
  const taken = new Set(names.values());
  const nodes: NodeProto[] = [], initializers: TensorProto[] = [], between: ONNXNodes["between"] = [];
  const halved = precision === "fp16" ? weightsOf(graph) : new Set<number>();
  const fresh = (beside: string, what: string) => {
    let name = `${beside}/${what}`;
    while (taken.has(name)) name += "_";
    taken.add(name);
    return name;
  };
  const writer: Writer = {
    nameOf: (id) => names.get(id)!,
    node(opType, input, output, attributes = {}) {
      nodes.push({ name: output, opType, input, output: [output], attribute: named(attributes) });
    },
    constant(beside, what, dims, data) {
      const name = fresh(beside, what);
      initializers.push(toTensor(name, dims, data));
      return name;
    },
    between(output, what, elemType) {
      const name = fresh(names.get(output.id)!, what);
      between.push({ name, elemType, like: output });
      return name;
    },
  };
  for (const node of graph.nodes) {
    if (node.op !== "constant") {
      spell(node, writer);
      continue;
    }
    const { shape, data } = node.value, name = names.get(node.output.id)!;
    const isHalved = halved.has(node.output.id) && data instanceof Float32Array && fitsHalf(data);
    if (isHalved) writeHalved(name, shape, data, writer);
    else initializers.push(toTensor(name, shape, data));
  }
  return { nodes, initializers, between, names };
}

/** Float32 constants that convolutions and the classifier multiply with. */
function weightsOf(graph: ExportGraph): Set<number> {
  return new Set(
    graph.nodes.flatMap(({ op, inputs }) => op === "convolution" || op === "linear" ? [inputs[1]!] : []),
  );
}

function writeHalved(name: string, shape: readonly number[], data: Float32Array, writer: Writer): void {
  const halves = writer.constant(name, "fp16", [...shape], new Float16Array(data));
  writer.node("Cast", [halves], name, { to: int(ONNX_TYPES.float) });
}

/** Operations that ONNX has under another name only. */
const plain = {
  add: "Add",
  multiply: "Mul",
  divide: "Div",
  relu: "Relu",
  sigmoid: "Sigmoid",
  hardSwish: "HardSwish",
  sqrt: "Sqrt",
} as const;

function spell(node: Exclude<ExportNode, { op: "constant" }>, writer: Writer): void {
  const input = node.inputs.map(writer.nameOf);
  const output = writer.nameOf(node.output.id);
  const scalar = (what: string, data: ElementArray) => writer.constant(output, what, [], data);
  switch (node.op) {
    case "convolution":
      return writer.node("Conv", input, output, {
        dilations: ints([1, 1]),
        group: int(node.groups),
        pads: ints(node.pads),
        strides: ints(node.strides),
      });
    case "linear":
      return writer.node("Gemm", input, output, { transB: int(1) });
    case "square":
      return writer.node("Mul", [input[0]!, input[0]!], output);
    case "swish": {
      const gate = writer.between(node.output, "sigmoid", ONNX_TYPES.float);
      writer.node("Sigmoid", input, gate);
      return writer.node("Mul", [input[0]!, gate], output);
    }
    case "hardSigmoid":
      return writer.node("HardSigmoid", input, output, { alpha: float(1 / 6), beta: float(0.5) });
    case "clamp": {
      const low = scalar("low", Float32Array.of(node.low)), high = scalar("high", Float32Array.of(node.high));
      return writer.node("Clip", [input[0]!, low, high], output);
    }
    case "mean":
    case "sum": {
      if (node.op === "mean" && node.axes.join() === "2,3" && node.output.shape.length === 4) {
        return writer.node("GlobalAveragePool", input, output);
      }
      const axes = writer.constant(output, "axes", [node.axes.length], BigInt64Array.from(node.axes, BigInt));
      const opType = node.op === "mean" ? "ReduceMean" : "ReduceSum";
      return writer.node(opType, [input[0]!, axes], output, { keepdims: int(1) });
    }
    case "reshape": { // 0: the batch's length stays
      const shape = writer.constant(
        output,
        "shape",
        [node.rest.length + 1],
        BigInt64Array.from([0, ...node.rest], BigInt),
      );
      return writer.node("Reshape", [input[0]!, shape], output);
    }
    case "dequantize": {
      const scales = writer.constant(output, "scales", [node.scales.length], node.scales);
      const zeros = writer.constant(output, "zeros", [node.scales.length], new Int8Array(node.scales.length));
      return writer.node("DequantizeLinear", [input[0]!, scales, zeros], output, { axis: int(0) });
    }
    case "fakeQuantize":
      return spellFakeQuantize(node, writer);
    default:
      return writer.node(plain[node.op], input, output);
  }
}

/**
 * `fakeQuantize` as a pair of operations by way of unsigned bytes: the level's number is the byte, and 0's is the zero
 * point. With fewer than 256 levels there are bytes above the highest, and what is outside is clipped before.
 */
function spellFakeQuantize(
  { low, high, levels, inputs, output }: ExportNode & { op: "fakeQuantize" },
  writer: Writer,
): void {
  const name = writer.nameOf(output.id);
  const step = (high - low) / (levels - 1);
  const zero = Math.round(-low / step);
  if (!(step > 0) || !Number.isInteger(levels) || levels < 2 || levels > 256 || zero < 0 || zero >= levels) {
    throw new RangeError(
      `Cannot write "${name}" to ONNX: found ${levels} levels from ${low} to ${high}, wanted 2 to 256 levels of ` +
        "which one is 0",
    );
  }
  const scale = writer.constant(name, "scale", [], Float32Array.of(step));
  const zeroPoint = writer.constant(name, "zero", [], Uint8Array.of(zero));
  let x = writer.nameOf(inputs[0]!);
  if (levels < 256) {
    const lowest = writer.constant(name, "low", [], Float32Array.of(low));
    const highest = writer.constant(name, "high", [], Float32Array.of(high));
    const clipped = writer.between(output, "clipped", ONNX_TYPES.float);
    writer.node("Clip", [x, lowest, highest], clipped);
    x = clipped;
  }
  const bytes = writer.between(output, "uint8", ONNX_TYPES.uint8);
  writer.node("QuantizeLinear", [x, scale, zeroPoint], bytes);
  writer.node("DequantizeLinear", [bytes, scale, zeroPoint], name);
}

const int = (i: number) => ({ type: ATTRIBUTE_KINDS.int, i });
const float = (f: number) => ({ type: ATTRIBUTE_KINDS.float, f });
const ints = (values: readonly number[]) => ({ type: ATTRIBUTE_KINDS.ints, ints: [...values] });

function named(attributes: Attributes): AttributeProto[] {
  return Object.entries(attributes).map(([name, attribute]) => ({ name, ...attribute }));
}

function toTensor(name: string, dims: readonly number[], data: ElementArray): TensorProto {
  return { name, dims: [...dims], dataType: elementType(data), rawData: littleEndian(data) };
}

function elementType(data: ElementArray): number {
  if (data instanceof Float32Array) return ONNX_TYPES.float;
  if (data instanceof Float16Array) return ONNX_TYPES.float16;
  if (data instanceof Int8Array) return ONNX_TYPES.int8;
  return data instanceof Uint8Array ? ONNX_TYPES.uint8 : ONNX_TYPES.int64;
}

/** The elements' bytes. Every machine that Deno runs on keeps them in this order. */
function littleEndian({ buffer, byteOffset, byteLength }: ElementArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
