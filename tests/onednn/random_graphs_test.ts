/**
 * Training steps made of dice, by both executors: with teams of one, two and three threads, and with slices of one
 * picture, of some, and of all.
 */
import assert from "node:assert/strict";
import type { CompiledFunction } from "../../lib/graph/compiled_function.ts";
import type { Graph } from "../../lib/graph/graph.ts";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { prune } from "../../lib/graph/prune.ts";
import { compile } from "../../lib/tensorflow/compile.ts";
import { apart, compileFor } from "./_compare.ts";
import { type RandomGraph, randomGraph } from "./_random_graph.ts";

const ways = [
  { threads: 1, sliceBytes: undefined },
  { threads: 2, sliceBytes: 1 },
  { threads: 3, sliceBytes: 3000 },
];

/** Float32 through a dozen layers and back. */
const tolerance = 1e-4;
const count = Number(Deno.env.get("GRAPHS") ?? 200);
const first = Number(Deno.env.get("SEED") ?? 1);

/** The graph without those of its outputs that are variables. */
function withoutNextValues({ graph, variables }: RandomGraph): Graph {
  return prune({ ...graph, outputs: graph.outputs.filter(({ name }) => !(name in variables)) });
}

/** Runs, reads, and runs on with every third variable overwritten. */
async function use(
  compiled: CompiledFunction,
  { inputs, variables }: RandomGraph,
): Promise<Record<string, HostTensor>[]> {
  const results = [await compiled.run(inputs), await compiled.read(), await compiled.run(inputs)];
  const written = Object.entries(variables).filter((_, index) => index % 3 === 0);
  await compiled.write(Object.fromEntries(written.map(([name, value]) => [name, halved(value)])));
  return [...results, await compiled.run(inputs), await compiled.read()];
}

function halved(value: HostTensor): HostTensor {
  return { ...value, data: (value.data as Float32Array<ArrayBuffer>).map((x) => x / 2) } as HostTensor;
}

for (let from = first; from < first + count; from += 50) {
  const to = Math.min(from + 50, first + count);
  Deno.test(`random graphs ${from} to ${to - 1} are what TensorFlow's are`, async () => {
    const problems: string[] = [];
    for (let seed = from; seed < to; seed++) {
      const random = randomGraph(seed), { variables } = random;
      // One in four keeps its variables, so that what is made of them alone need not be computed in every run.
      const graph = seed % 4 === 0 ? withoutNextValues(random) : random.graph;
      await using tensorflow = compile(graph, { executor: "tensorflow", variables });
      const wanted = await use(tensorflow, random);
      for (const { threads, sliceBytes } of ways) {
        const what = `graph ${seed} with ${threads} threads and slices of ${sliceBytes ?? "all"} bytes`;
        try {
          await using onednn = await compileFor(threads, graph, variables, sliceBytes);
          const found = await use(onednn, random);
          for (const [part, values] of wanted.entries()) {
            assert.deepEqual(Object.keys(found[part]!), Object.keys(values));
            for (const [name, value] of Object.entries(values)) {
              const off = apart(value, found[part]![name]!, 1);
              if (!(off <= tolerance)) {
                problems.push(`${what}: ${name} (${part}) is ${off.toExponential(1)} apart`);
              }
            }
          }
        } catch (thrown) {
          problems.push(`${what}: ${(thrown as Error).stack}`);
        }
      }
    }
    assert.ok(problems.length === 0, `${problems.length} differ:\n  ${problems.slice(0, 20).join("\n  ")}`);
  });
}
