/** The shape rules say what TensorFlow says: about single nodes, and about every network of the registry. */
import assert from "node:assert/strict";
import { constantValues } from "../../lib/graph/constant_values.ts";
import type { Attribute, Graph, GraphNode, TensorSpec } from "../../lib/graph/graph.ts";
import type { DType, HostTensor } from "../../lib/graph/host_tensor.ts";
import { inferShapes } from "../../lib/graph/infer_shapes.ts";
import { printSpec } from "../../lib/graph/print_graph.ts";
import { definitionLines, signatureOf } from "../../lib/graph/shape_rules/signatures.ts";
import { shapeRules } from "../../lib/graph/shape_rules/table.ts";
import { recordInference } from "../../lib/models/inference.ts";
import { createNetwork, modelIds, modelRecord } from "../../lib/models/registry.ts";
import { currentBackend } from "../../lib/tensorflow/backend.ts";
import { dataTypes, toTypedArray } from "../../lib/tensorflow/dtypes.ts";
import { currentEngine } from "../../lib/tensorflow/engine.ts";
import { rawOperator, tf } from "../../lib/tensorflow/mod.ts";
import { NativeGraph } from "../../lib/tensorflow/native_graph.ts";
import { recordTrainStep } from "../../lib/training/train_step.ts";
import { readOperatorDefinitions } from "./_operator_definitions.ts";
import { accepted, refused } from "./_shape_cases.ts";

/** A node to try: its inputs are specs, or constants. */
interface Case {
  readonly op: string;
  readonly inputs: readonly (TensorSpec | HostTensor)[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

function parseCases(line: string): Case[] {
  // Not at spaces within quotes or between attributes' own.
  const [ops, ...words] = line.match(/(?:"[^"]*"|\S)+/g)!;
  return ops!.split("|").map((op) => ({
    op,
    inputs: words.filter((word) => !/^\w+=/.test(word)).map((word) => parseInput(op, word)),
    attributes: Object.fromEntries(
      words.filter((word) => /^\w+=/.test(word)).map((word) => parseAttribute(op, word)),
    ),
  }));
}

function parseInput(op: string, word: string): TensorSpec | HostTensor {
  const symbolic = /^([a-z]\w*|T)\[([\d,]*)\]$/.exec(word);
  if (symbolic === null) return parseConstant(word);
  const [, dtype, shape] = symbolic;
  return {
    dtype: (dtype === "T" ? firstDtype(op) : dtype) as DType,
    shape: shape === "" ? [] : shape!.split(",").map(Number),
  };
}

/** The first dtype that the operator's first input allows. */
function firstDtype(op: string): string {
  const signature = signatureOf(op)!, { type } = signature.inputs[0]!;
  const definition = signature.attributes.get(type);
  return definition === undefined ? type : definition.allowed?.[0] ?? "float32";
}

function parseConstant(word: string): HostTensor {
  const [, dtype, json] = /^(?:([a-z]\w+):)?(.*)$/.exec(word)!;
  const value = JSON.parse(json!);
  const shape: number[] = [];
  for (let level = value; Array.isArray(level); level = level[0]) shape.push(level.length);
  const values = [value].flat(9);
  const type = (dtype ?? "int32") as DType;
  return { dtype: type, shape, data: toTypedArray(dataTypes[type], values) };
}

function parseAttribute(op: string, word: string): [string, Attribute] {
  const [, name, json] = /^(\w+)=(.*)$/.exec(word)!;
  const kind = signatureOf(op)!.attributes.get(name!)?.kind;
  if (kind === "tensor") return [name!, { kind, value: parseConstant(json!) }];
  const value = JSON.parse(json!);
  const own = typeof value === "string" && kind !== "dtype" ? "string" : kind ?? "int";
  return [name!, { kind: own, value } as Attribute];
}

const isConstant = (input: TensorSpec | HostTensor): input is HostTensor => "data" in input;

function infer({ op, inputs, attributes }: Case): TensorSpec[] {
  return inferShapes({ op, inputs, attributes }, (index) => {
    const input = inputs[index]!;
    return isConstant(input) ? Array.from(input.data as ArrayLike<number>, Number) : undefined;
  });
}

/** What TensorFlow infers of as many outputs as are wanted. */
function inferNatively({ op, inputs, attributes }: Case, outputs: number): TensorSpec[] {
  const native = new NativeGraph(currentEngine());
  try {
    inputs.forEach((input, id) => {
      if (!isConstant(input)) return native.addInput({ ...input, id });
      native.addNode({
        op: "Const",
        inputs: [],
        attributes: { dtype: { kind: "dtype", value: input.dtype }, value: { kind: "tensor", value: input } },
      }, [id]);
    });
    const ids = Array.from({ length: outputs }, (_, index) => inputs.length + index);
    return native.addNode({ op, inputs: inputs.map((_, id) => id), attributes }, ids);
  } finally {
    native.dispose();
  }
}

/** Whether TensorFlow refuses a node, at the latest when it runs it on zeros. */
function refusesNatively(node: Case): boolean {
  try {
    inferNatively(node, 1);
  } catch {
    return true;
  }
  const { binding } = currentBackend();
  return tf.tidy(() => {
    try {
      const inputs = node.inputs.map((input) => {
        const size = input.shape.reduce((a, b) => a * b, 1);
        const values = isConstant(input) ? input.data as Float32Array : new Float32Array(size);
        return tf.tensor(
          values,
          [...input.shape],
          input.dtype === "int64" ? "int32" : input.dtype as "int32",
        );
      });
      rawOperator(node.op, inputs, node.attributes);
      return false;
    } catch (error) {
      assert.doesNotMatch((error as Error).message, /NOT_FOUND/, print(node));
      return true;
    } finally {
      assert.equal(binding.recording, undefined);
    }
  });
}

function print({ op, inputs, attributes }: Case): string {
  const given = inputs.map((input) => isConstant(input) ? `[${input.data}]` : printSpec(input));
  return `${op}(${given.join(", ")}) ${JSON.stringify(attributes)}`;
}

/** Checks that both infer the same, or both refuse. */
function compare(node: Case): "same" | "refused" {
  let specs: TensorSpec[];
  try {
    specs = infer(node);
  } catch (error) {
    assert.equal((error as Error).name, "TypeError", `${(error as Error).stack}`);
    assert.ok(refusesNatively(node), `TensorFlow accepts ${print(node)}\n${(error as Error).message}`);
    return "refused";
  }
  assert.deepEqual(specs, inferNatively(node, specs.length), print(node));
  return "same";
}

const lines = (text: string) => text.trim().split("\n");
const acceptedCases = lines(accepted).flatMap(parseCases);
const refusedCases = lines(refused).map((line) => {
  const [given, reason] = line.split(" -> ") as [string, string];
  return { given, reason, nodes: parseCases(given) };
});

Deno.test("each shape rule has a case and a signature, and each signature a rule", () => {
  const tried = new Set(
    [...acceptedCases, ...refusedCases.flatMap(({ nodes }) => nodes)].map(({ op }) => op),
  );
  assert.deepEqual([...shapeRules.keys()].filter((op) => !tried.has(op)), []);
  assert.deepEqual([...shapeRules.keys()].toSorted(), [...definitionLines.keys()].toSorted());
});

Deno.test("signatures are those of TensorFlow", () => {
  const definitions = readOperatorDefinitions();
  for (const [op, line] of definitionLines) assert.equal(line, definitions.get(op));
});

Deno.test("inferShapes() infers what TensorFlow infers", () => {
  const problems = acceptedCases.flatMap((node) => {
    try {
      const found = infer(node);
      assert.deepEqual(found, inferNatively(node, found.length));
      return [];
    } catch (error) {
      return [`${print(node)}: ${(error as Error).message}`];
    }
  });
  assert.deepEqual(problems, []);
});

for (const { given, reason, nodes } of refusedCases) {
  Deno.test(`inferShapes() refuses ${given}`, () => {
    for (const node of nodes) {
      assert.throws(() => infer(node), (error: Error) => {
        const call = `Cannot record ${node.op}(${node.inputs.map(printSpec).join(", ")}): `;
        assert.equal(error.message.split("\n")[0], call + reason);
        assert.equal(error.name, "TypeError");
        return true;
      });
      assert.equal(compare(node), "refused");
    }
  });
}

/** Every combination of one element of each list. */
function* product<T extends readonly unknown[][]>(...lists: T): Generator<{ [K in keyof T]: T[K][number] }> {
  if (lists.length === 0) yield [] as never;
  else {for (const first of lists[0]!) {
      for (const rest of product(...lists.slice(1))) yield [first, ...rest] as never;
    }}
}

const float = (...shape: number[]): TensorSpec => ({ dtype: "float32", shape });
const constant = (values: number[], shape = [values.length]): HostTensor => ({
  dtype: "int32",
  shape,
  data: Int32Array.from(values),
});
const ints = (...value: number[]): Attribute => ({ kind: "ints", value });
const int = (value: number): Attribute => ({ kind: "int", value });
const string = (value: string): Attribute => ({ kind: "string", value });
const shapes = [[], [1], [2], [3], [0], [1, 3], [2, 1], [2, 3], [3, 2], [2, 0], [1, 1, 1], [4, 2, 3]];

Deno.test("inferShapes() broadcasts as TensorFlow does", () => {
  for (const [a, b] of product(shapes, shapes)) {
    compare({ op: "Add", inputs: [float(...a), float(...b)], attributes: {} });
    compare({ op: "BroadcastTo", inputs: [float(...a), constant(b)], attributes: {} });
    compare({ op: "MatMul", inputs: [float(...a), float(...b)], attributes: {} });
    compare({ op: "BatchMatMulV2", inputs: [float(...a), float(...b)], attributes: {} });
    compare({
      op: "Select",
      inputs: [{ dtype: "bool", shape: a }, float(...b), float(...b)],
      attributes: {},
    });
    compare({ op: "ConcatV2", inputs: [float(...a), float(...b), constant([0], [])], attributes: {} });
  }
});

Deno.test("inferShapes() slides filters as TensorFlow does", () => {
  const found = { same: 0, refused: 0 };
  const paddings = ["SAME", "VALID", "EXPLICIT"];
  for (
    const [length, kernel, stride, dilation, padding] of product(
      [1, 2, 4, 5, 7, 8],
      [1, 2, 3, 5],
      [1, 2, 3],
      [1, 2],
      paddings,
    )
  ) {
    const explicit: Record<string, Attribute> = padding === "EXPLICIT"
      ? { explicit_paddings: ints(0, 0, 1, 0, 2, 1, 0, 0) }
      : {};
    const attributes = { strides: ints(1, stride, stride, 1), padding: string(padding), ...explicit };
    const dilations = ints(1, dilation, dilation, 1);
    const image = float(2, length, 9, 4), filter = float(kernel, 3, 4, 6);
    found[compare({ op: "Conv2D", inputs: [image, filter], attributes: { ...attributes, dilations } })]++;
    found[
      compare({
        op: "DepthwiseConv2dNative",
        inputs: [image, float(kernel, 3, 4, 2)],
        attributes: { ...attributes, dilations },
      })
    ]++;
    if (dilation === 1) {
      const ksize = ints(1, kernel, 2, 1);
      found[compare({ op: "MaxPool", inputs: [image], attributes: { ...attributes, ksize } })]++;
      if (padding !== "EXPLICIT") {
        compare({ op: "AvgPool", inputs: [image], attributes: { ...attributes, ksize } });
      }
    }
  }
  assert.ok(found.same > 500 && found.refused > 50, JSON.stringify(found));
});

Deno.test("inferShapes() slices as TensorFlow does", () => {
  const found = { same: 0, refused: 0 };
  const positions = [-7, -2, 0, 1, 4, 9];
  for (
    const [begin, end, stride, mask] of product(positions, positions, [-3, -1, 1, 2], [0, 1, 2, 4, 8, 16, 24])
  ) {
    const bits = (name: string, bit: number): Record<string, Attribute> =>
      (mask & bit) === 0 ? {} : { [name]: int(1) };
    found[
      compare({
        op: "StridedSlice",
        inputs: [float(5, 3), constant([begin, 0]), constant([end, 2]), constant([stride, 1])],
        attributes: {
          ...bits("begin_mask", 1),
          ...bits("end_mask", 2),
          ...bits("ellipsis_mask", 4),
          ...bits("new_axis_mask", 8),
          ...bits("shrink_axis_mask", 16),
        },
      })
    ]++;
    found[
      compare({
        op: "Slice",
        inputs: [float(5, 3), constant([begin, 0]), constant([end, 2])],
        attributes: {},
      })
    ]++;
  }
  assert.ok(found.same > 500 && found.refused > 200, JSON.stringify(found));
});

Deno.test("inferShapes() counts axes as TensorFlow does", () => {
  for (const [shape, axis, keep] of product(shapes, [-3, -1, 0, 1, 2], [true, false])) {
    const x = float(...shape);
    compare({
      op: "Sum",
      inputs: [x, constant([axis])],
      attributes: { keep_dims: { kind: "bool", value: keep } },
    });
    if (shape.length > 0 && !shape.includes(0)) {
      compare({ op: "ArgMax", inputs: [x, constant([axis], [])], attributes: {} });
    }
    compare({ op: "ExpandDims", inputs: [x, constant([axis], [])], attributes: {} });
    compare({ op: "Squeeze", inputs: [x], attributes: { squeeze_dims: ints(axis) } });
    compare({ op: "Pack", inputs: [x, x], attributes: { axis: int(axis) } });
    compare({ op: "Unpack", inputs: [x], attributes: { axis: int(axis), num: int(2) } });
    compare({ op: "Split", inputs: [constant([axis], []), x], attributes: { num_split: int(2) } });
    compare({ op: "ReverseV2", inputs: [x, constant([axis])], attributes: {} });
    for (const indices of [[], [2], [2, 3]]) {
      const input: TensorSpec = { dtype: "int32", shape: indices };
      for (const batch of keep ? [0] : [1, -1]) {
        compare({
          op: "GatherV2",
          inputs: [x, input, constant([axis], [])],
          attributes: { batch_dims: int(batch) },
        });
      }
    }
  }
});

Deno.test("constantValues() computes what shapes are computed with", () => {
  const graph: Pick<Graph, "nodes"> & { specs: Map<number, TensorSpec> } = { nodes: [], specs: new Map() };
  const source = {
    producer: (id: number) => graph.nodes.find(({ outputs }) => outputs[0]!.id === id),
    spec: (id: number) => graph.specs.get(id)!,
  };
  const add = (op: string, inputs: number[], attributes: Record<string, Attribute> = {}) => {
    const id = graph.specs.size;
    const [spec] = inferShapes(
      { op, inputs: inputs.map(source.spec), attributes },
      (input) => constantValues(inputs[input]!, source),
    );
    graph.specs.set(id, spec!);
    (graph.nodes as GraphNode[]).push({ op, inputs, attributes, outputs: [{ id, ...spec! }] });
    return id;
  };
  const value = (values: number[], shape?: number[]) =>
    add("Const", [], {
      dtype: { kind: "dtype", value: "int32" },
      value: { kind: "tensor", value: constant(values, shape) },
    });
  const read = (id: number) => constantValues(id, source);
  graph.specs.set(0, float(2, 3)); // an input
  assert.equal(read(0), undefined);
  const a = value([7, -4]), two = value([2], []);
  assert.deepEqual(read(add("Shape", [0])), [2, 3]);
  assert.deepEqual(read(add("Size", [0])), [6]);
  assert.deepEqual(read(add("Rank", [0])), [2]);
  assert.deepEqual(read(add("Add", [a, two])), [9, -2]);
  assert.deepEqual(read(add("AddV2", [two, a])), [9, -2]);
  assert.deepEqual(read(add("Sub", [two, a])), [-5, 6]);
  assert.deepEqual(read(add("Mul", [a, a])), [49, 16]);
  assert.deepEqual(read(add("FloorDiv", [a, value([3, 3])])), [2, -2]);
  assert.deepEqual(read(add("Maximum", [a, two])), [7, 2]);
  assert.deepEqual(read(add("Minimum", [a, two])), [2, -4]);
  assert.deepEqual(read(add("Neg", [a])), [-7, 4]);
  assert.deepEqual(read(add("Identity", [a])), [7, -4]);
  assert.deepEqual(read(add("Pack", [two, two])), [2, 2]);
  assert.equal(read(add("Pack", [a, a])), undefined);
  assert.deepEqual(read(add("ConcatV2", [a, a, value([0], [])])), [7, -4, 7, -4]);
  assert.deepEqual(read(add("ExpandDims", [two, value([0], [])])), [2]);
  assert.deepEqual(read(add("Squeeze", [value([5], [1, 1])])), [5]);
  assert.deepEqual(read(add("Reshape", [a, value([2, 1])])), [7, -4]);
  const cast = add("Cast", [a], { DstT: { kind: "dtype", value: "int64" } });
  assert.deepEqual(read(cast), [7, -4]);
  assert.equal(read(add("Cast", [a], { DstT: { kind: "dtype", value: "float32" } })), undefined);
  assert.equal(read(add("Mul", [value([2 ** 16]), value([2 ** 15])])), undefined);
  assert.equal(read(add("Add", [value([1, 2], [1, 2]), value([1, 2], [2, 1])])), undefined);
  assert.equal(read(value(Array<number>(1025).fill(0))), undefined);
});

/** Checks every value of a graph against TensorFlow's own inference. */
function compareGraph(graph: Graph): void {
  const native = new NativeGraph(currentEngine());
  try {
    for (const input of graph.inputs) native.addInput(input);
    for (const node of graph.nodes) {
      const specs = native.addNode(node, node.outputs.map(({ id }) => id));
      assert.deepEqual(node.outputs.map(({ dtype, shape }) => ({ dtype, shape })), specs, node.op);
    }
  } finally {
    native.dispose();
  }
}

for (const id of modelIds) {
  Deno.test(`record() of training and inference with ${id} has TensorFlow's shapes`, () => {
    const { preprocessing, ...record } = modelRecord(id);
    const network = createNetwork(record as ReturnType<typeof modelRecord>, { numClasses: 5 });
    for (const side of [224, 75]) {
      const settings = { ...preprocessing, size: { height: side, width: side } };
      compareGraph(recordTrainStep({
        network,
        preprocessing: settings,
        batchSize: 3,
        loss: { labelSmoothing: 0.1, classWeights: [1, 2, 3, 4, 5] },
        optimizer: { momentum: 0.9, weightDecay: 5e-4 },
      }));
      compareGraph(recordInference(network, settings, 3));
    }
  });
}
