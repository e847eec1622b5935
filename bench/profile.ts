/**
 * Where the time of a training step goes, by operator: runs the recorded step node by node and adds up. Fusions that
 * TensorFlow makes when it runs the graph as a whole are not in these times.
 *
 * `deno run -A bench/profile.ts MODEL BATCH SIZE`
 *
 * @module
 */
import { currentBackend, startBackend } from "../lib/tensorflow/backend.ts";
import { dataTypes } from "../lib/tensorflow/dtypes.ts";
import { attributeTypes } from "../lib/tensorflow/attributes.ts";
import type { Attribute } from "../lib/graph/graph.ts";
import type { HostTensor } from "../lib/graph/host_tensor.ts";
import { createBenchmarkStep } from "./training/step.ts";

const [id = "mobilenetv3_large_100", batchText = "32", sizeText = "224"] = Deno.args;
const batchSize = Number(batchText), size = Number(sizeText), repeats = 3;
await startBackend();
const { binding } = currentBackend();
const { graph, variables, inputs } = createBenchmarkStep(id, batchSize, size);
const given: Record<string, HostTensor> = { ...variables, ...inputs };

const lastUse = new Map<number, number>();
graph.nodes.forEach((node, index) => node.inputs.forEach((value) => lastUse.set(value, index)));
const milliseconds = new Map<string, { total: number; count: number }>();
for (let repeat = 0; repeat <= repeats; repeat++) {
  const ids = new Map<number, number>();
  for (const input of graph.inputs) ids.set(input.id, createTensor(given[input.name]!));
  graph.nodes.forEach((node, index) => {
    if (node.op === "Const") {
      ids.set(node.outputs[0]!.id, createTensor(node.attributes["value"]!.value as HostTensor));
      return;
    }
    const began = performance.now();
    const outputs = binding.executeOp(
      node.op,
      Object.entries(node.attributes).map(toTfjs),
      node.inputs.map((value) => ids.get(value)!),
      node.outputs.length,
    );
    const took = performance.now() - began;
    outputs.forEach((output, i) => ids.set(node.outputs[i]!.id, output.id));
    for (const value of node.inputs) {
      if (lastUse.get(value) === index && ids.has(value)) binding.deleteTensor(ids.get(value)!);
    }
    if (repeat === 0) return; // warm-up
    const sum = milliseconds.get(node.op) ?? { total: 0, count: 0 };
    sum.total += took / repeats;
    sum.count++;
    milliseconds.set(node.op, sum);
  });
  for (const id of ids.values()) binding.deleteTensor(id);
}
const rows = [...milliseconds].sort(([, a], [, b]) => b.total - a.total);
const total = rows.reduce((sum, [, { total }]) => sum + total, 0);
console.log(`${id}, batch ${batchSize}, ${size} px: ${total.toFixed(0)} ms a step op by op\n`);
for (const [op, row] of rows.slice(0, 20)) {
  const share = (100 * row.total / total).toFixed(1);
  console.log(
    `${op.padEnd(38)} ${row.total.toFixed(1).padStart(8)} ms ${share.padStart(6)} %  ${
      row.count / repeats
    } nodes`,
  );
}

function createTensor({ shape, dtype, data }: HostTensor): number {
  return binding.createTensor([...shape], dataTypes[dtype], data as unknown as ArrayLike<number>);
}

function toTfjs([name, attribute]: [string, Attribute]): { name: string; type: number; value: unknown } {
  const { kind, value } = attribute;
  if (kind === "dtype") return { name, type: attributeTypes.type, value: dataTypes[value] };
  if (kind === "dtypes") return { name, type: attributeTypes.type, value: value.map((d) => dataTypes[d]) };
  const types = {
    string: attributeTypes.string,
    int: attributeTypes.int,
    ints: attributeTypes.int,
    float: attributeTypes.float,
    floats: attributeTypes.float,
    bool: attributeTypes.bool,
    bools: attributeTypes.bool,
    shape: attributeTypes.shape,
    tensor: -1,
  };
  return { name, type: types[kind], value };
}
