import type { Graph, GraphNode } from "../graph/graph.ts";
import { createGraphView } from "../graph/graph_view.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import { matchActivation } from "../graph/match_activation.ts";
import type { ExportGraph, ExportNode, ExportOperation, ExportValue } from "./export_graph.ts";
import { alignedTo, axesChannelsFirst, channelsFirst, padsOf } from "./_channels_first.ts";
import { createExportGraphBuilder } from "./_export_graph_builder.ts";
import { type FilterLayout, readFilter } from "./_filters.ts";
import { fakeQuantizationRange } from "./fake_quantization.ts";
import { matchNormalisation } from "./_match_normalisation.ts";
import { requireKnownOperators, unsupported } from "./_unsupported.ts";

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
  requireKnownOperators(graph, model);
  const recording = createGraphView(graph, parameters);
  const builder = createExportGraphBuilder([outputName]);
  const lowered = new Map<number, ExportValue>();
  let input: ExportValue | undefined;

  /** An error about a place in the recording. */
  function refuse(id: number): (problem: string) => TypeError {
    return (problem) => unsupported(id, graph, model, problem);
  }

  /** A float value of the recording, which is data and not a parameter. */
  function emit(
    id: number,
    name: string,
    operation: ExportOperation,
    inputs: readonly ExportValue[],
  ): ExportValue {
    return builder.add(name, operation, inputs, {
      dtype: "float32",
      shape: channelsFirst(recording.spec(id).shape),
      recorded: id,
    });
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

  function lowerNode(id: number): ExportValue {
    if (matchNormalisation(id, recording)) {
      const shape = channelsFirst(recording.spec(id).shape);
      return input ??= builder.define(inputName, { dtype: "float32", shape, recorded: id });
    }
    const activation = matchActivation(id, recording);
    if (activation !== undefined) return ofOne(id, activation.input, activation.op, { op: activation.op });
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
      case "AddV2":
        return withBias(id, node) ?? ofTwo(id, "add", first, second);
      case "Mul":
        return ofTwo(id, "multiply", first, second);
      case "RealDiv":
        return ofTwo(id, "divide", first, second);
      case "Relu6":
        return ofOne(id, first, "relu6", { op: "clamp", low: 0, high: 6 });
      case "Relu":
        return ofOne(id, first, "relu", { op: "relu" });
      case "Sigmoid":
        return ofOne(id, first, "sigmoid", { op: "sigmoid" });
      case "Square":
        return ofOne(id, first, "square", { op: "square" });
      case "Sqrt":
        return ofOne(id, first, "sqrt", { op: "sqrt" });
      case "Mean":
        return reduction(id, node, "mean");
      case "Sum":
        return reduction(id, node, "sum");
      case "Reshape":
        return reshape(id, first);
      case "FakeQuantWithMinMaxVars":
        return fakeQuantization(id, node);
      case "Const":
        throw refuse(id)("is a constant, wanted what is computed of the pictures");
      default:
        throw refuse(id)("cannot be exported here");
    }
  }

  function ofOne(id: number, from: number, word: string, operation: ExportOperation): ExportValue {
    const x = lower(from);
    return emit(id, `${x.name}/${word}`, operation, [x]);
  }

  function ofTwo(id: number, op: "add" | "multiply" | "divide", first: number, second: number): ExportValue {
    const { shape: { length: rank } } = recording.spec(id);
    const data = recording.constant(first) === undefined ? first : second;
    const name = `${lower(data).name}/${op}`;
    const isConstant = [first, second].some((operand) => recording.constant(operand) !== undefined);
    const shapes = [first, second].map((operand) => recording.spec(operand).shape);
    if (!isConstant && shapes[0]!.length !== shapes[1]!.length) {
      throw refuse(id)(`is of [${shapes[0]}] and [${shapes[1]}], wanted as many axes`);
    }
    return emit(id, name, { op }, [operand(first, rank, name), operand(second, rank, name)]);
  }

  /** An input of an operation on two values: data, or a constant shaped to the data's axes. */
  function operand(id: number, rank: number, name: string): ExportValue {
    const tensor = recording.constant(id);
    if (tensor === undefined) return lower(id);
    if (tensor.shape.length > 1) {
      throw refuse(id)(`is with a constant of shape [${tensor.shape}], wanted one number or one a channel`);
    }
    return builder.addConstant(`${name}/constant`, alignedTo(rank, tensor));
  }

  function reduction(id: number, node: GraphNode, op: "mean" | "sum"): ExportValue {
    if (node.attributes["keep_dims"]?.value !== true) throw refuse(id)("drops its axes, wanted keep_dims");
    const [from, axes] = node.inputs as [number, number];
    const rank = recording.spec(from).shape.length;
    const numbers = Array.from(recording.constant(axes)!.data, Number);
    return ofOne(id, from, op, { op, axes: axesChannelsFirst(numbers, rank) });
  }

  function reshape(id: number, first: number): ExportValue {
    const from = recording.spec(first).shape, to = recording.spec(id).shape;
    const isFlat = (shape: readonly number[]) => shape.length !== 4 || shape[1] === 1 && shape[2] === 1;
    if (!isFlat(from) || !isFlat(to) || from[0] !== to[0]) {
      throw refuse(id)(`makes [${to}] of [${from}], wanted the same batch and pictures of one pixel`);
    }
    return ofOne(id, first, "reshape", { op: "reshape", rest: channelsFirst(to).slice(1) });
  }

  function fakeQuantization(id: number, { inputs: [x, ...ends], attributes }: GraphNode): ExportValue {
    const [min, max] = ends.map((end) => recording.constant(end)?.data[0]);
    if (min === undefined || max === undefined) throw refuse(id)("has a range that is no parameter");
    const bits = (attributes["num_bits"]?.value as number | undefined) ?? 8;
    const narrow = attributes["narrow_range"]?.value === true;
    const { low, high, levels } = fakeQuantizationRange(Number(min), Number(max), { bits, narrow });
    return ofOne(id, x!, "quantized", { op: "fakeQuantize", low, high, levels });
  }

  /** A sum of a layer nobody else reads and a number for each of its outputs: the layer with a bias. */
  function withBias(id: number, { op, inputs: [product, bias] }: GraphNode): ExportValue | undefined {
    const layer = recording.producer(product!);
    const outputs = recording.spec(id).shape.at(-1);
    const isBias = recording.constant(bias!)?.shape.join() === `${outputs}`;
    if (layer === undefined || !isBias || recording.users(product!) !== 1) return undefined;
    if (op === "BiasAdd" && isConvolution(layer)) return convolution(id, layer, bias);
    return isProduct(layer) ? linear(id, layer, bias) : undefined;
  }

  function convolution(id: number, node: GraphNode, biasId?: number): ExportValue {
    const dilations = node.attributes["dilations"]?.value as readonly number[] | undefined;
    if (dilations?.some((dilation) => dilation !== 1)) throw refuse(node.outputs[0]!.id)("is dilated");
    const x = lower(node.inputs[0]!);
    const layout = node.op === "DepthwiseConv2dNative" ? "depthwise" : "convolution";
    const { weights, biases, name } = constantsOf(node, x, layout, biasId);
    const [, height, width, channels] = recording.spec(node.inputs[0]!).shape as number[];
    const [, top, left] = node.attributes["strides"]!.value as number[];
    const [, rows, columns] = recording.spec(node.outputs[0]!.id).shape as number[];
    const strides = [top!, left!] as const;
    const pads = padsOf(node, {
      input: [height!, width!],
      output: [rows!, columns!],
      kernel: weights.shape.slice(2) as [number, number],
      strides,
    });
    const groups = channels! / weights.shape[1]!;
    return emit(id, name, { op: "convolution", strides, pads, groups }, [x, weights, ...biases]);
  }

  function linear(id: number, node: GraphNode, biasId?: number): ExportValue {
    const transposed = ["adj_x", "adj_y", "transpose_a", "transpose_b"]
      .some((name) => node.attributes[name]?.value === true);
    if (transposed || recording.spec(node.inputs[0]!).shape.length !== 2) {
      throw refuse(id)("is a product of other matrices than [batch, in] and [in, out]");
    }
    const x = lower(node.inputs[0]!);
    const { weights, biases, name } = constantsOf(node, x, "linear", biasId);
    return emit(id, name, { op: "linear" }, [x, weights, ...biases]);
  }

  /** What a layer reads beside its data `x`: weights `[out, ...]` and, if it has one, a bias; and the layer's name. */
  function constantsOf(
    layer: GraphNode,
    x: ExportValue,
    layout: FilterLayout,
    biasId: number | undefined,
  ): { weights: ExportValue; biases: readonly ExportValue[]; name: string } {
    const bias = biasId === undefined ? undefined : recording.constant(biasId)!;
    const step = stepOf(builder.nodes.find(({ output }) => output.id === x.id));
    const { name: path, values, quantized } = readFilter(layer.inputs[1]!, layout, recording, {
      refuse: refuse(layer.outputs[0]!.id),
      leastScale: (row) => Math.abs(Number(bias?.data[row] ?? 0)) / (step * 2 ** 30),
    });
    const name = path.replace(/^params\//, "").replace(/\.weight$/, "");
    let weights: ExportValue;
    if (quantized === undefined) weights = builder.addConstant(`${name}.weight`, values);
    else {
      const bytes = builder.addConstant(`${name}.weight.int8`, quantized.values);
      const { shape } = quantized.values;
      const operation = { op: "dequantize", scales: quantized.scales } as const;
      weights = builder.add(`${name}.weight`, operation, [bytes], { dtype: "float32", shape });
    }
    const biases = bias === undefined ? [] : [builder.addConstant(`${name}.bias`, alignedTo(1, bias))];
    return { weights, biases, name };
  }

  const result = lower(graph.outputs.find(({ name }) => name === outputName)!.value);
  if (input === undefined) {
    throw new TypeError(`Cannot export ${model}: its logits do not depend on the pictures`);
  }
  // The output has the file's name for it, whatever the last operation is.
  const nodes = builder.nodes.map((node): ExportNode =>
    node.output.id === result.id ? { ...node, output: { ...result, name: outputName } } : node
  );
  return { name: model, input, nodes, output: result.id, outputName };
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
