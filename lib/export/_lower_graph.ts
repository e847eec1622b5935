import type { Attribute, Graph, GraphNode } from "../graph/graph.ts";
import { createGraphView } from "../graph/graph_view.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import { matchActivation } from "../graph/match_activation.ts";
import type { ExportGraph, ExportNode, ExportOperation, ExportTensor, ExportValue } from "./export_graph.ts";
import { type FilterLayout, readFilter } from "./_filters.ts";
import { fakeQuantizationRange } from "./fake_quantization.ts";
import { matchNormalisation } from "./_match_normalisation.ts";

/** Names of the file's input and output. */
export const inputName = "images", outputName = "logits";

/**
 * Writes a folded recording in the operations of files.
 *
 * @param graph From bytes `images` and parameters to `logits`; batch norms are folded, padding is in the convolutions.
 * @param parameters Values of its inputs but the pictures.
 * @param model Name of the model, for messages.
 * @throws {TypeError} If there are operators files cannot hold.
 */
export function lowerGraph(
  graph: Graph,
  parameters: Readonly<Record<string, HostTensor>>,
  model: string,
): ExportGraph {
  const recording = createGraphView(graph, parameters);
  requireKnownOperators(graph, model);
  const nodes: ExportNode[] = [];
  const lowered = new Map<number, ExportValue>();
  const names = new Set<string>([outputName]);
  let next = 0;
  let input: ExportValue | undefined;

  function define(name: string, value: Pick<ExportValue, "dtype" | "shape" | "recorded">): ExportValue {
    let unique = name;
    for (let count = 2; names.has(unique); count++) unique = `${name}.${count}`;
    names.add(unique);
    return { id: next++, name: unique, ...value };
  }

  function emit(
    name: string,
    operation: ExportOperation,
    inputs: readonly ExportValue[],
    value: Pick<ExportValue, "dtype" | "shape" | "recorded">,
  ): ExportValue {
    const output = define(name, value);
    nodes.push({ ...operation, inputs: inputs.map(({ id }) => id), output });
    return output;
  }

  function constant(name: string, value: ExportTensor): ExportValue {
    return emit(name, { op: "constant", value }, [], { dtype: value.dtype, shape: value.shape });
  }

  /** A float value of the recording, which is data and not a parameter. */
  function emitFor(id: number, name: string, operation: ExportOperation, inputs: readonly ExportValue[]) {
    return emit(name, operation, inputs, {
      dtype: "float32",
      shape: channelsFirst(recording.spec(id).shape),
      recorded: id,
    });
  }

  /** What a layer reads beside its data `x`: weights `[out, ...]` and, if it has one, a bias; and the layer's name. */
  function constantsOf(
    x: ExportValue,
    filterId: number,
    layout: FilterLayout,
    biasId: number | undefined,
  ): { weights: ExportValue; biases: readonly ExportValue[]; name: string } {
    const biasTensor = biasId === undefined ? undefined : recording.constant(biasId)!;
    const step = stepOf(nodes.find(({ output }) => output.id === x.id));
    const { name: path, values, quantized } = readFilter(
      filterId,
      layout,
      recording,
      (row) => Math.abs(Number(biasTensor?.data[row] ?? 0)) / (step * 2 ** 30),
    );
    const name = path.replace(/^params\//, "").replace(/\.weight$/, "");
    let weights: ExportValue;
    if (quantized === undefined) weights = constant(`${name}.weight`, values);
    else {
      const bytes = constant(`${name}.weight.int8`, quantized.values);
      const operation = { op: "dequantize", scales: quantized.scales } as const;
      const { shape } = quantized.values;
      weights = emit(`${name}.weight`, operation, [bytes], { dtype: "float32", shape });
    }
    const biases = biasTensor === undefined ? [] : [constant(`${name}.bias`, floats(biasTensor))];
    return { weights, biases, name };
  }

  /** A value of the recording as the file has it; made when first asked for. */
  function lower(id: number): ExportValue {
    let value = lowered.get(id);
    if (value === undefined) {
      value = lowerNode(id);
      lowered.set(id, value);
    }
    return value;
  }

  /** The other input of an operation on two values: data, or a constant shaped to the data's axes. */
  function operand(id: number, rank: number, name: string): ExportValue {
    const tensor = recording.constant(id);
    if (tensor === undefined) return lower(id);
    return constant(`${name}/constant`, alignedTo(rank, tensor, refuse(id)));
  }

  function lowerNode(id: number): ExportValue {
    if (matchNormalisation(id, recording)) {
      input ??= define(inputName, {
        dtype: "float32",
        shape: channelsFirst(recording.spec(id).shape),
        recorded: id,
      });
      return input;
    }
    const activation = matchActivation(id, recording);
    if (activation !== undefined) {
      const x = lower(activation.input);
      return emitFor(id, `${x.name}/${activation.op}`, { op: activation.op }, [x]);
    }
    const node = recording.producer(id);
    if (node === undefined) throw refuse(id)("is used as it comes, not as normalised pictures");
    const [first, second] = node.inputs as [number, number];
    switch (node.op) {
      case "Cast":
        if ([first, id].some((value) => recording.spec(value).dtype !== "float32")) {
          throw refuse(id)("changes the kind of numbers, wanted float32 throughout");
        }
        return lower(first);
      case "Identity":
        return lower(first);
      case "Conv2D":
      case "DepthwiseConv2dNative":
        return convolution(id, node);
      case "BatchMatMulV2":
      case "MatMul":
        return linear(id, node);
      case "BiasAdd":
      case "Add":
      case "AddV2": {
        const inner = recording.producer(first);
        if (inner !== undefined && recording.users(first) === 1 && recording.constant(second) !== undefined) {
          const ofVector = recording.spec(second).shape.length === 1;
          if (ofVector && node.op === "BiasAdd" && isConvolution(inner)) {
            return convolution(id, inner, second);
          }
          if (ofVector && isProduct(inner)) return linear(id, inner, second);
        }
        return ofTwo(id, "add", first, second);
      }
      case "Mul":
        return ofTwo(id, "multiply", first, second);
      case "RealDiv":
        return ofTwo(id, "divide", first, second);
      case "Relu6": {
        const x = lower(first);
        return emitFor(id, `${x.name}/relu6`, { op: "clamp", low: 0, high: 6 }, [x]);
      }
      case "Relu":
      case "Sigmoid":
      case "Square":
      case "Sqrt": {
        const op = node.op.toLowerCase() as "relu" | "sigmoid" | "square" | "sqrt";
        const x = lower(first);
        return emitFor(id, `${x.name}/${op}`, { op }, [x]);
      }
      case "Mean":
      case "Sum": {
        const op = node.op.toLowerCase() as "mean" | "sum";
        const x = lower(first);
        if (node.attributes["keep_dims"]?.value !== true) {
          throw refuse(id)("drops its axes, wanted keep_dims");
        }
        const rank = recording.spec(first).shape.length;
        const axes = Array.from(recording.constant(second)!.data, Number)
          .map((axis) => rank === 4 ? [0, 2, 3, 1][(axis + rank) % rank]! : (axis + rank) % rank);
        return emitFor(id, `${x.name}/${op}`, { op, axes: axes.toSorted((a, b) => a - b) }, [x]);
      }
      case "Reshape": {
        const from = recording.spec(first).shape, to = recording.spec(id).shape;
        const isFlat = (shape: readonly number[]) => shape.length !== 4 || shape[1] === 1 && shape[2] === 1;
        if (!isFlat(from) || !isFlat(to) || from[0] !== to[0]) {
          throw refuse(id)(`makes [${to}] of [${from}], wanted the same batch and pictures of one pixel`);
        }
        const x = lower(first);
        return emitFor(id, `${x.name}/reshape`, { op: "reshape", rest: channelsFirst(to).slice(1) }, [x]);
      }
      case "FakeQuantWithMinMaxVars": {
        const [min, max] = node.inputs.slice(1).map((bound) => recording.constant(bound)?.data[0]);
        if (min === undefined || max === undefined) throw refuse(id)("has a range that is no parameter");
        const { low, high, levels } = fakeQuantizationRange(Number(min), Number(max), quantizationOf(node));
        const x = lower(first);
        return emitFor(id, `${x.name}/quantized`, { op: "fakeQuantize", low, high, levels }, [x]);
      }
      case "Const":
        throw refuse(id)("is a constant, wanted what is computed of the pictures");
      default:
        throw refuse(id)("cannot be exported here");
    }
  }

  function ofTwo(id: number, op: "add" | "multiply" | "divide", first: number, second: number): ExportValue {
    const rank = recording.spec(id).shape.length;
    const data = recording.constant(first) === undefined ? first : second;
    const name = `${lower(data).name}/${op}`;
    const isConstant = [first, second].some((operand) => recording.constant(operand) !== undefined);
    if (!isConstant && recording.spec(first).shape.length !== recording.spec(second).shape.length) {
      throw refuse(id)(
        `is of [${recording.spec(first).shape}] and [${recording.spec(second).shape}], wanted as many axes`,
      );
    }
    return emitFor(id, name, { op }, [operand(first, rank, name), operand(second, rank, name)]);
  }

  function convolution(id: number, node: GraphNode, biasId?: number): ExportValue {
    const dilations = node.attributes["dilations"]?.value as readonly number[] | undefined;
    if (dilations?.some((dilation) => dilation !== 1)) throw refuse(node.outputs[0]!.id)("is dilated");
    const x = lower(node.inputs[0]!);
    const isDepthwise = node.op === "DepthwiseConv2dNative";
    const layout = isDepthwise ? "depthwise" : "convolution";
    const { weights, biases, name } = constantsOf(x, node.inputs[1]!, layout, biasId);
    const [, height, width, channels] = recording.spec(node.inputs[0]!).shape as [
      number,
      number,
      number,
      number,
    ];
    const [, top, left] = node.attributes["strides"]!.value as number[];
    const { shape } = recording.spec(node.outputs[0]!.id);
    const [rows, columns] = weights.shape.slice(2) as [number, number];
    const pads = padsOf(node, {
      input: [height, width],
      output: shape.slice(1, 3) as [number, number],
      kernel: [rows, columns],
      strides: [top!, left!],
    });
    const operation = {
      op: "convolution",
      strides: [top!, left!],
      pads,
      groups: channels / weights.shape[1]!,
    } as const;
    return emitFor(id, name, operation, [x, weights, ...biases]);
  }

  function linear(id: number, node: GraphNode, biasId?: number): ExportValue {
    const transposed = ["adj_x", "adj_y", "transpose_a", "transpose_b"]
      .some((name) => node.attributes[name]?.value === true);
    if (transposed || recording.spec(node.inputs[0]!).shape.length !== 2) {
      throw refuse(id)("is a product of other matrices than [batch, in] and [in, out]");
    }
    const x = lower(node.inputs[0]!);
    const { weights, biases, name } = constantsOf(x, node.inputs[1]!, "linear", biasId);
    return emitFor(id, name, { op: "linear" }, [x, weights, ...biases]);
  }

  /** An error about a place in the graph. */
  function refuse(id: number): (problem: string) => TypeError {
    return (problem) =>
      new TypeError(
        `Cannot export ${model}: ${placeOf(recording.producer(id), graph, id)} ${problem}\n` +
          `  help: write that part of the network with the operators of lib/operators`,
      );
  }

  const result = lower(graph.outputs.find(({ name }) => name === outputName)!.value);
  if (input === undefined) {
    throw new TypeError(`Cannot export ${model}: its logits do not depend on the pictures`);
  }
  // The output has the file's name for it, whatever the last operation is.
  const last = nodes.findIndex(({ output }) => output.id === result.id);
  nodes[last] = { ...nodes[last]!, output: { ...result, name: outputName } };
  return { name: model, input, nodes, output: result.id, outputName };
}

/** What files can hold, by TensorFlow's names. */
const known = new Set(
  ("Add AddV2 BatchMatMulV2 BiasAdd Cast Const Conv2D DepthwiseConv2dNative FakeQuantWithMinMaxVars " +
    "FakeQuantWithMinMaxVarsPerChannel Identity MatMul Mean Mul RealDiv Relu Relu6 Reshape Sigmoid Sqrt Square Sum")
    .split(" "),
);

function requireKnownOperators(graph: Graph, model: string): void {
  const unknown = graph.nodes.filter(({ op }) => !known.has(op));
  if (unknown.length === 0) return;
  const places = unknown.slice(0, 10).map((node) => `  ${placeOf(node, graph, node.outputs[0]!.id)}`);
  if (unknown.length > 10) places.push(`  (and ${unknown.length - 10} more)`);
  throw new TypeError(
    `Cannot export ${model}: ${unknown.length} of its ${graph.nodes.length} operators cannot be written to a file\n` +
      `${places.join("\n")}\n  help: the operators that can be are ${[...known].toSorted().join(", ")}`,
  );
}

/** An operator with the last parameter before it, so that a person finds it in the network. */
function placeOf(node: GraphNode | undefined, graph: Graph, id: number): string {
  if (node === undefined) return `input ${graph.inputs.find((input) => input.id === id)?.name ?? id}`;
  const names = new Map(graph.inputs.map(({ id, name }) => [id, name]));
  let after = "";
  for (const earlier of graph.nodes) {
    for (const input of earlier.inputs) {
      const name = names.get(input);
      if (name?.startsWith("params/")) after = name.slice("params/".length);
    }
    if (earlier === node) break;
  }
  const shape = `[${node.outputs[0]!.shape}]`;
  return `${node.op} ${shape}${after === "" ? "" : `, at or after ${after},`}`;
}

/** From one value to the next where a layer's input is quantised. */
function stepOf(node: ExportNode | undefined): number {
  return node?.op === "fakeQuantize" ? (node.high - node.low) / (node.levels - 1) : Infinity;
}

function isConvolution({ op }: GraphNode): boolean {
  return op === "Conv2D" || op === "DepthwiseConv2dNative";
}

function isProduct({ op }: GraphNode): boolean {
  return op === "BatchMatMulV2" || op === "MatMul";
}

/** Bits and narrowness of a fake quantisation. */
function quantizationOf({ attributes }: GraphNode): { bits: number; narrow: boolean } {
  return {
    bits: (attributes["num_bits"]?.value as number | undefined) ?? 8,
    narrow: attributes["narrow_range"]?.value === true,
  };
}

/** Zeros at the top, left, bottom and right of a convolution's input. */
function padsOf(
  { attributes }: GraphNode,
  sizes: Record<"input" | "output" | "kernel" | "strides", readonly [number, number]>,
): [number, number, number, number] {
  const padding = (attributes["padding"] as Attribute).value;
  if (padding === "EXPLICIT") {
    const [, , top, bottom, left, right] = attributes["explicit_paddings"]!.value as number[];
    return [top!, left!, bottom!, right!];
  }
  if (padding === "VALID") return [0, 0, 0, 0];
  const [[top, bottom], [left, right]] = [0, 1].map((axis) => {
    const { input, output, kernel, strides } = sizes;
    const total = Math.max(0, (output[axis]! - 1) * strides[axis]! + kernel[axis]! - input[axis]!);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  }) as [[number, number], [number, number]];
  return [top, left, bottom, right];
}

/** `[batch, height, width, channels]` to `[batch, channels, height, width]`; other ranks stay. */
function channelsFirst(shape: readonly number[]): number[] {
  return shape.length === 4 ? [0, 3, 1, 2].map((axis) => shape[axis]!) : [...shape];
}

function floats({ shape, data }: HostTensor): ExportTensor {
  return { dtype: "float32", shape, data: Float32Array.from(data as Float32Array) };
}

/** A number, or one for each channel, with as many axes as what it meets. */
function alignedTo(rank: number, tensor: HostTensor, refuse: (problem: string) => TypeError): ExportTensor {
  const { shape } = tensor;
  if (shape.length > 1) {
    throw refuse(`is with a constant of shape [${shape}], wanted one number or one a channel`);
  }
  if (shape.length === 0) return floats(tensor);
  const aligned = rank === 4 ? [1, shape[0]!, 1, 1] : [...Array(rank - 1).fill(1), shape[0]!];
  return { ...floats(tensor), shape: aligned } as ExportTensor;
}
