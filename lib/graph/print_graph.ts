import type { Attribute, Graph, TensorSpec } from "./graph.ts";

/**
 * A graph as text: one line for each input, node and output. Tests compare recordings in this form.
 *
 * ```text
 * graph double_relu
 *   %0 = input x: float32[2,3]
 *   %1 = Const {value: [2]}: float32[]
 *   %2 = Mul(%0, %1): float32[2,3]
 *   %3 = Relu(%2): float32[2,3]
 *   return y: %3
 * ```
 *
 * The types of inputs and outputs follow from the values, so the attributes that only repeat them (`T`, `Tidx` ...)
 * are left out.
 *
 * @param graph Any graph.
 * @returns The text, without a line break at its end.
 */
export function printGraph(graph: Graph): string {
  const lines = [`graph ${graph.name}`];
  for (const input of graph.inputs) lines.push(`  %${input.id} = input ${input.name}: ${printSpec(input)}`);
  for (const node of graph.nodes) {
    const attributes = Object.entries(node.attributes)
      .filter(([, attribute]) => attribute.kind !== "dtype" && attribute.kind !== "dtypes")
      .map(([name, attribute]) => `${name}: ${printAttribute(attribute)}`);
    const call = node.inputs.length > 0 ? `(${node.inputs.map((id) => `%${id}`).join(", ")})` : "";
    lines.push(
      `  ${node.outputs.map((output) => `%${output.id}`).join(", ")} = ${node.op}${call}` +
        `${attributes.length > 0 ? ` {${attributes.join(", ")}}` : ""}: ` +
        node.outputs.map(printSpec).join(", "),
    );
  }
  for (const output of graph.outputs) lines.push(`  return ${output.name}: %${output.value}`);
  return lines.join("\n");
}

/**
 * Dtype and shape as text, e.g. `float32[2,3]`.
 *
 * @param spec A dtype and a shape.
 * @returns The text.
 */
export function printSpec(spec: TensorSpec): string {
  return `${spec.dtype}[${spec.shape.join(",")}]`;
}

const longestPrintedTensor = 8;

function printAttribute(attribute: Attribute): string {
  if (attribute.kind !== "tensor") return JSON.stringify(attribute.value);
  const { data } = attribute.value;
  const shown = Array.from(data.subarray(0, longestPrintedTensor) as ArrayLike<number | bigint>, Number)
    .map((value) => Number(value.toPrecision(7)));
  return `[${shown.join(",")}${data.length > longestPrintedTensor ? ",..." : ""}]`;
}
