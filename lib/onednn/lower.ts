import type { Graph, GraphNode } from "../graph/graph.ts";
import { printSpec } from "../graph/print_graph.ts";
import { valueSpecs } from "../graph/value_specs.ts";
import { Builder, NotLowered } from "./builder.ts";
import type { Value } from "./operations.ts";
import { elementType, rules } from "./rules.ts";

/** A graph that cannot be computed by this executor; the message tells what in it. */
export class CannotLower extends TypeError {
  override name = "CannotLower";
}

/** A graph as values, see `operations.ts`. */
export interface Lowered {
  readonly inputs: ReadonlyMap<string, Value>;
  readonly outputs: ReadonlyMap<string, Value>;
  /** Images of the batch that threads may share out among them; 1 if the graph has no batch that can be split. */
  readonly batchSize: number;
}

/**
 * Reduces a graph to maps, reductions and calls by the rules.
 *
 * @param graph Any graph.
 * @param variables Names of its inputs that are state, and so no batch.
 * @returns The values of its inputs and outputs.
 * @throws {CannotLower} If an operator has no rule, or is used in a way its rule does not cover; all of them are named.
 */
export function lower(graph: Graph, variables: ReadonlySet<string>): Lowered {
  const batchSize = commonBatch(graph, variables);
  if (batchSize > 1) {
    try {
      return lowerWith(graph, variables, batchSize);
    } catch (thrown) {
      if (!(thrown instanceof NotLowered)) throw thrown;
      // What mixes the rows of its batch is computed whole.
    }
  }
  return lowerWith(graph, variables, 1);
}

/** Length of the first axis all inputs of a call share; 1 if they share none. */
function commonBatch(graph: Graph, variables: ReadonlySet<string>): number {
  const lengths = new Set(
    graph.inputs.filter(({ name, shape }) => !variables.has(name) && shape.length > 0).map(({ shape }) =>
      shape[0]!
    ),
  );
  return lengths.size === 1 ? [...lengths][0]! : 1;
}

function lowerWith(graph: Graph, variables: ReadonlySet<string>, batchSize: number): Lowered {
  const b = new Builder();
  const specs = valueSpecs(graph);
  const values = new Map<number, Value>();
  const constants = new Map<number, number[]>();
  const inputs = new Map<string, Value>();
  const problems: string[] = [], failed = new Set<number>();
  const fail = (node: GraphNode) => node.outputs.forEach(({ id }) => failed.add(id));
  for (const { id, name, shape, dtype } of graph.inputs) {
    const batch = batchSize > 1 && !variables.has(name) && shape.length > 0;
    try {
      const value = b.input(name, shape, elementType(dtype), batch);
      inputs.set(name, value);
      values.set(id, value);
    } catch (thrown) {
      if (!(thrown instanceof NotLowered)) throw thrown;
      problems.push(`input ${name}: ${thrown.message}`);
      failed.add(id);
    }
  }
  for (const node of graph.nodes) {
    const what = () =>
      `${node.op}(${node.inputs.map((id) => printSpec(specs.get(id)!)).join(", ")}): ${
        printSpec(node.outputs[0]!)
      }`;
    const rule = rules[node.op];
    b.origin = node.op;
    if (rule === undefined) {
      problems.push(`${what()}: there is no rule for it`);
      fail(node);
      continue;
    }
    const attribute = node.attributes["value"];
    if (node.op === "Const" && attribute?.kind === "tensor" && attribute.value.dtype !== "float32") {
      const data = attribute.value.data as ArrayLike<number | bigint>;
      constants.set(node.outputs[0]!.id, Array.from(data, Number));
    }
    if (node.inputs.some((id) => failed.has(id))) {
      fail(node); // what it reads is among the problems
      continue;
    }
    try {
      const made = rule({
        b,
        node,
        inputs: node.inputs.map((id) => values.get(id)!),
        constant: (index) => {
          const numbers = constants.get(node.inputs[index]!);
          if (numbers === undefined) throw new NotLowered(`its input ${index} is no constant`);
          return numbers;
        },
      });
      made.forEach((value, index) => {
        const { id, dtype } = node.outputs[index]!;
        // A constant may be of another dtype as long as it is only axes or lengths.
        const type = node.op === "Const" ? value.type : elementType(dtype);
        values.set(id, value.type === type ? value : b.mapTo(type, "copy", value));
      });
    } catch (thrown) {
      if (!(thrown instanceof NotLowered)) throw thrown;
      if (batchSize > 1) throw thrown; // tried again without
      problems.push(`${what()}: ${thrown.message}`);
      fail(node);
    }
  }
  for (const { name, value } of graph.outputs) {
    if (specs.get(value)!.dtype === "int64" && !failed.has(value)) {
      problems.push(`output ${name}: int64 is not supported`);
    }
  }
  if (problems.length > 0) {
    throw new CannotLower(
      `Cannot compile ${graph.name} for oneDNN: it has what this executor does not know\n  ${
        problems.slice(0, 5).join("\n  ")
      }${problems.length > 5 ? `\n  (and ${problems.length - 5} more)` : ""}\n` +
        `  help: pass { executor: "tensorflow" } or { executor: "auto" }`,
    );
  }
  // What is returned has memory of its own.
  const returned = (value: Value) =>
    ["map", "combination", "reduce", "call", "assembly"].includes(value.source.kind)
      ? value
      : b.map("copy", value);
  const outputs = new Map(graph.outputs.map(({ name, value }) => [name, returned(values.get(value)!)]));
  return { inputs, outputs, batchSize };
}
