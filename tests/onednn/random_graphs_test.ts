/**
 * Training steps made of dice, by both executors: with teams of one, two and three threads, and with slices of one
 * picture, of some, and of all.
 */
import assert from "node:assert/strict";
import { compile } from "../../lib/tensorflow/compile.ts";
import { apart, compileFor } from "./_compare.ts";
import { randomGraph } from "./_random_graph.ts";

const ways = [
  { threads: 1, sliceBytes: undefined },
  { threads: 2, sliceBytes: 1 },
  { threads: 3, sliceBytes: 3000 },
];

/** Float32 through a dozen layers and back. */
const tolerance = 1e-4;
const count = Number(Deno.env.get("GRAPHS") ?? 200);
const first = Number(Deno.env.get("SEED") ?? 1);

for (let from = first; from < first + count; from += 50) {
  const to = Math.min(from + 50, first + count);
  Deno.test(`random graphs ${from} to ${to - 1} are what TensorFlow's are`, async () => {
    const problems: string[] = [];
    for (let seed = from; seed < to; seed++) {
      const { graph, inputs, variables } = randomGraph(seed);
      await using tensorflow = compile(graph, { executor: "tensorflow", variables });
      const wanted = [await tensorflow.run(inputs), await tensorflow.read(), await tensorflow.run(inputs)];
      for (const { threads, sliceBytes } of ways) {
        const what = `graph ${seed} with ${threads} threads and slices of ${sliceBytes ?? "all"} bytes`;
        try {
          await using onednn = await compileFor(threads, graph, variables, sliceBytes);
          const found = [await onednn.run(inputs), await onednn.read(), await onednn.run(inputs)];
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
