import type { ExportGraph, ExportNode } from "../../lib/export/export_graph.ts";

/**
 * A graph as text: a line for each operation, with its settings and the names of what it reads.
 *
 * @param graph Any graph.
 */
export function printExportGraph({ name, input, nodes, output, outputName }: ExportGraph): string {
  const names = new Map([input, ...nodes.map((node) => node.output)].map((value) => [value.id, value.name]));
  const lines = nodes.map((node) => {
    const inputs = node.inputs.map((id) => names.get(id)).join(", ");
    return `  ${node.output.name} = ${node.op}(${inputs})${
      settingsOf(node)
    }: ${node.output.dtype}[${node.output.shape}]`;
  });
  return [
    `${name}: ${input.name} [${input.shape}] to ${names.get(output)}, called ${outputName}`,
    ...lines,
  ].join("\n");
}

function settingsOf({ inputs: _, output: __, op: ___, ...settings }: ExportNode): string {
  const shown = Object.entries(settings).filter(([name]) => name !== "value").map(([name, value]) => {
    const numbers = ArrayBuffer.isView(value) ? Array.from(value as Float32Array) : value;
    return `${name} ${JSON.stringify(numbers, (_, x) => typeof x === "number" ? +x.toPrecision(6) : x)}`;
  });
  return shown.length === 0 ? "" : ` {${shown.join(", ")}}`;
}
