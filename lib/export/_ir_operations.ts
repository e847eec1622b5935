import type { Preprocessing } from "../data/preprocessing.ts";
import type { ExportGraph, ExportNode, ExportTensor } from "./export_graph.ts";
import type { IRElementType, IRLayer, IRLayers, IRValue } from "./_ir_layers.ts";
import { fitsHalf } from "./_half_precision.ts";
import { addResize } from "./_ir_resize.ts";

/** What may be decided about a file. */
export interface IROperationsOptions {
  /** Whether weights are stored in half precision. */
  readonly halfPrecision: boolean;
  /** Whether the first axis of what depends on the input may have any length. */
  readonly dynamicBatch: boolean;
  /** How pictures are resized where the file takes them in any size. */
  readonly resize?: Preprocessing;
}

type Node<O extends ExportNode["op"]> = Extract<ExportNode, { readonly op: O }>;

const elementTypes: Record<ExportTensor["dtype"], IRElementType> = {
  float32: "f32",
  int8: "i8",
  int64: "i64",
};

/** Operations of one value that OpenVINO has as one layer without attributes, and since which set. */
const activations = {
  relu: ["ReLU", 1],
  sigmoid: ["Sigmoid", 1],
  sqrt: ["Sqrt", 1],
  swish: ["Swish", 4],
  hardSwish: ["HSwish", 4],
  hardSigmoid: ["HSigmoid", 5],
} as const;

const arithmetic = { add: "Add", multiply: "Multiply", divide: "Divide" } as const;
const reductions = { mean: "ReduceMean", sum: "ReduceSum" } as const;

/**
 * Adds a graph's operations to a model. Constants come right before the first layer that reads them, in the shape in
 * which that wants them.
 *
 * @param graph The graph.
 * @param layers Where to.
 * @param options Precision and batch.
 */
export function addOperations(graph: ExportGraph, layers: IRLayers, options: IROperationsOptions): void {
  const { halfPrecision, dynamicBatch } = options;
  const nodes = new Map(graph.nodes.map((node) => [node.output.id, node]));
  const dependsOnInput = new Set([graph.input.id]);
  const values = new Map<number, IRValue>();
  const weights = new Map<string, IRValue>();

  values.set(graph.input.id, addInput());
  for (const node of graph.nodes) {
    if (node.inputs.some((id) => dependsOnInput.has(id))) dependsOnInput.add(node.output.id);
    if (node.op !== "constant" && node.op !== "dequantize") values.set(node.output.id, addNode(node));
  }
  const output = read(graph.output);
  layers.add({ name: `${graph.outputName}/result`, type: "Result", opset: 1, inputs: [output] });

  function addInput(): IRValue {
    const { name } = graph.input;
    const fixed = shapeOf(graph.input);
    const shape = options.resize === undefined ? fixed : [...fixed.slice(0, 2), -1, -1];
    const data = { shape: shape.map((length) => length < 0 ? "?" : length).join(","), element_type: "f32" };
    const output = { type: "f32", shape, tensorName: name, layout: "[N,C,H,W]" } as const;
    const pictures = layers.add({ name, type: "Parameter", opset: 1, data, output });
    return options.resize === undefined
      ? pictures
      : addResize(layers, pictures, options.resize, `${name}/resize`);
  }

  function shapeOf({ id, shape }: { id: number; shape: readonly number[] }): readonly number[] {
    return dynamicBatch && dependsOnInput.has(id) ? [-1, ...shape.slice(1)] : shape;
  }

  /** The value of that number; a constant is added when it is first read. */
  function read(id: number): IRValue {
    const value = values.get(id) ?? addStored(id, nodes.get(id)!.output.shape, { isWeights: false });
    values.set(id, value);
    return value;
  }

  /** A constant, or an int8 one with its scales, in some shape of the same size. */
  function addStored(id: number, shape: readonly number[], { isWeights }: { isWeights: boolean }): IRValue {
    const node = nodes.get(id)!;
    if (node.op === "dequantize") return addDequantized(node, shape);
    const { name } = node.output;
    const { dtype, data } = (node as Node<"constant">).value;
    if (halfPrecision && isWeights && data instanceof Float32Array && fitsHalf(data)) {
      const stored = layers.addConstant(`${name}/compressed`, "f16", shape, new Float16Array(data));
      return addDecompression(name, stored, true);
    }
    return layers.addConstant(name, elementTypes[dtype], shape, data);
  }

  /** `scale * float(x)`: so NNCF writes it, and so the runtime finds the convolutions it can compute in int8. */
  function addDequantized(node: Node<"dequantize">, shape: readonly number[]): IRValue {
    const { name } = node.output;
    const source = nodes.get(node.inputs[0]!)! as Node<"constant">;
    const quantized = layers.addConstant(source.output.name, "i8", shape, source.value.data);
    const isSplit = shape.length > node.output.shape.length; // the first axis became two
    const perRow = isSplit ? shape.slice(0, 2) : shape.slice(0, 1);
    const scales = layers.addConstant(
      `${name}/scales`,
      "f32",
      shape.map((_, axis) => perRow[axis] ?? 1),
      node.scales,
    );
    return layers.add({
      name,
      type: "Multiply",
      opset: 1,
      data: { auto_broadcast: "numpy" },
      inputs: [addDecompression(`${name}/convert`, quantized, false), scales],
      output: { type: "f32", shape },
    });
  }

  function addDecompression(name: string, stored: IRValue, isDecompression: boolean): IRValue {
    return layers.add({
      name,
      type: "Convert",
      opset: 1,
      data: { destination_type: "f32" },
      isDecompression,
      inputs: [stored],
      output: { type: "f32", shape: stored.shape },
    });
  }

  /** Weights or bias in the shape that a layer wants; what is not stored is brought there when the file is run. */
  function readAs(id: number, shape: readonly number[], isWeights = false): IRValue {
    const key = `${id} ${shape}`;
    let value = weights.get(key);
    if (value === undefined) {
      const isStored = !values.has(id);
      value = isStored
        ? addStored(id, shape, { isWeights })
        : addReshape(read(id), shape, `${id}/as/${shape}`);
      weights.set(key, value);
    }
    return value;
  }

  function addReshape(value: IRValue, shape: readonly number[], name: string): IRValue {
    if (value.shape.join() === shape.join()) return value;
    const target = layers.addConstant(
      `${name}/shape`,
      "i64",
      [shape.length],
      BigInt64Array.from(shape, BigInt),
    );
    const data = { special_zero: false };
    const output = { type: "f32", shape } as const;
    return layers.add({ name, type: "Reshape", opset: 1, data, inputs: [value, target], output });
  }

  function addNode(node: ExportNode): IRValue {
    const { name } = node.output;
    const output = {
      type: "f32" as const,
      shape: shapeOf(node.output),
      tensorName: node.output.id === graph.output ? graph.outputName : name,
    };
    const add = (layer: Omit<IRLayer, "name" | "output">) => layers.add({ name, output, ...layer });

    switch (node.op) {
      case "constant":
      case "dequantize":
        return read(node.output.id);
      case "fakeQuantize": {
        const low = layers.addConstant(`${name}/low`, "f32", [], Float32Array.of(node.low));
        const high = layers.addConstant(`${name}/high`, "f32", [], Float32Array.of(node.high));
        return add({
          type: "FakeQuantize",
          opset: 1,
          data: { levels: node.levels, auto_broadcast: "numpy" },
          inputs: [read(node.inputs[0]!), low, high, low, high],
        });
      }
      case "convolution":
        return addConvolution(node, output);
      case "linear":
        return addLinear(node, output);
      case "add":
      case "multiply":
      case "divide":
        return add({
          type: arithmetic[node.op],
          opset: 1,
          data: { auto_broadcast: "numpy", m_pythondiv: node.op === "divide" ? true : undefined },
          inputs: node.inputs.map(read),
        });
      case "relu":
      case "sigmoid":
      case "swish":
      case "hardSwish":
      case "hardSigmoid":
      case "sqrt": {
        const [type, opset] = activations[node.op];
        return add({ type, opset, inputs: [read(node.inputs[0]!)] });
      }
      case "square": {
        const x = read(node.inputs[0]!);
        return add({ type: "Multiply", opset: 1, data: { auto_broadcast: "numpy" }, inputs: [x, x] });
      }
      case "clamp":
        return add({
          type: "Clamp",
          opset: 1,
          data: { min: node.low, max: node.high },
          inputs: [read(node.inputs[0]!)],
        });
      case "mean":
      case "sum": {
        const x = read(node.inputs[0]!);
        const axes = BigInt64Array.from(node.axes, BigInt);
        return add({
          type: reductions[node.op],
          opset: 1,
          data: { keep_dims: true },
          inputs: [x, layers.addConstant(`${name}/axes`, "i64", [axes.length], axes)],
        });
      }
      case "reshape": {
        const x = read(node.inputs[0]!);
        const target = BigInt64Array.from([0, ...node.rest], BigInt); // 0: the length stays
        return add({
          type: "Reshape",
          opset: 1,
          data: { special_zero: true },
          inputs: [x, layers.addConstant(`${name}/shape`, "i64", [target.length], target)],
        });
      }
    }
  }

  /** OpenVINO's convolutions have no bias: it is added by a layer of its own, which the runtime joins to them. */
  function addConvolution(node: Node<"convolution">, output: NonNullable<IRLayer["output"]>): IRValue {
    const { inputs: [x, kernel, bias], groups, strides, pads: [top, left, bottom, right] } = node;
    const [out, ...rest] = nodes.get(kernel!)!.output.shape;
    const shape = groups === 1 ? [out!, ...rest] : [groups, out! / groups, ...rest];
    const convolution: Omit<IRLayer, "name" | "output"> = {
      type: groups === 1 ? "Convolution" : "GroupConvolution",
      opset: 1,
      data: {
        strides: strides.join(", "),
        dilations: "1, 1",
        pads_begin: `${top}, ${left}`,
        pads_end: `${bottom}, ${right}`,
        auto_pad: "explicit",
      },
      inputs: [read(x!), readAs(kernel!, shape, true)],
    };
    return addWithBias(node, convolution, bias, [1, out!, 1, 1], output);
  }

  function addLinear(node: Node<"linear">, output: NonNullable<IRLayer["output"]>): IRValue {
    const { inputs: [x, matrix, bias] } = node;
    const { shape } = nodes.get(matrix!)!.output;
    const product: Omit<IRLayer, "name" | "output"> = {
      type: "MatMul",
      opset: 1,
      data: { transpose_a: false, transpose_b: true },
      inputs: [read(x!), readAs(matrix!, shape, true)],
    };
    return addWithBias(node, product, bias, [1, shape[0]!], output);
  }

  function addWithBias(
    { output: { name } }: ExportNode,
    layer: Omit<IRLayer, "name" | "output">,
    bias: number | undefined,
    biasShape: readonly number[],
    output: NonNullable<IRLayer["output"]>,
  ): IRValue {
    if (bias === undefined) return layers.add({ name, output, ...layer });
    const { type, shape } = output;
    const product = layers.add({ name: `${name}/without_bias`, output: { type, shape }, ...layer });
    const inputs = [product, readAs(bias, biasShape)];
    return layers.add({ name, type: "Add", opset: 1, data: { auto_broadcast: "numpy" }, inputs, output });
  }
}
