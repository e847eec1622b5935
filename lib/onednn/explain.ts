import type { CompiledFunction } from "../graph/compiled_function.ts";
import { formatBytes } from "../provision/cache.ts";
import { OneDNNFunction } from "./onednn_function.ts";

/** One thing the threads do, in the order of execution. */
export interface ExplainedItem {
  /** Between two phases the threads wait for each other. */
  readonly phase: number;
  /** Operators of the graph it computes, or parts of them. */
  readonly operators: readonly string[];
  /** What computes it; for what oneDNN chooses with its own name of the code, e.g. `jit_dw:avx2`. */
  readonly routine: string;
  /** Sizes of its loops with the whole batch; of a product rows, inner, columns. */
  readonly shape: readonly number[];
  /** Of the thread that needed longest. */
  readonly milliseconds: number;
  /** Of all threads together, 10^9 a second. */
  readonly gigaflops: number;
  /** Read and written, 10^9 bytes a second. */
  readonly gigabytesPerSecond: number;
}

/** How a compiled graph is computed. */
export interface Explanation {
  /** What runs the graph, and why. */
  readonly executor: CompiledFunction["executor"];
  /** Nothing for TensorFlow, which decides for itself. */
  readonly items: readonly ExplainedItem[];
  /** Bytes of memory of the plan. */
  readonly memoryBytes: number;
  /** Threads that compute. */
  readonly threads: number;
  /** Milliseconds that threads waited for each other, of the one that waited longest. */
  readonly waitingMilliseconds: number;
  /** All of it as a table. */
  toString(): string;
}

/**
 * Runs a compiled graph once, on what is in its memory, and tells what was computed by what, and how fast. Its variables
 * take their next values.
 *
 * @param compiled What `compile` returned.
 * @returns One row for each loop, product or convolution.
 *
 * @example
 * ```ts
 * import { compile, explain, record, tf } from "whittle/tensorflow";
 *
 * const graph = record(({ x }) => ({ y: tf.softmax(x) }), { x: { dtype: "float32", shape: [2, 3] } });
 * await using softmax = compile(graph);
 * console.log(`${await explain(softmax)}`);
 * ```
 */
export async function explain(compiled: CompiledFunction): Promise<Explanation> {
  const { executor } = compiled;
  if (!(compiled instanceof OneDNNFunction)) {
    const toString = () => `${compiled.graph.name} is run by ${executor.name}, because ${executor.reason}`;
    return { executor, items: [], memoryBytes: 0, threads: 0, waitingMilliseconds: 0, toString };
  }
  const { plan } = compiled;
  const { milliseconds, implementations } = await compiled.profile();
  const longest = (label: number) => Math.max(...milliseconds.map((times) => times[label]!));
  const items = plan.labels.map(({ phase, operators, routine, shape, operations, bytes }, label) => {
    const time = longest(label);
    return {
      phase,
      operators,
      routine: implementations.has(label) ? `${routine}: ${implementations.get(label)}` : routine,
      shape,
      milliseconds: time,
      gigaflops: operations / time / 1e6,
      gigabytesPerSecond: bytes / time / 1e6,
    };
  }).sort((a, b) => a.phase - b.phase);
  const explanation = {
    executor,
    items,
    memoryBytes: plan.memoryBytes,
    threads: plan.threads,
    waitingMilliseconds: longest(plan.labels.length),
  };
  return { ...explanation, toString: () => printExplanation(compiled.graph.name, explanation) };
}

function printExplanation(name: string, explanation: Omit<Explanation, "toString">): string {
  const { executor, items, memoryBytes, threads, waitingMilliseconds } = explanation;
  const rows = items.map((item) => [
    `${item.phase}`,
    item.operators.join(" "),
    item.routine,
    item.shape.join("x"),
    item.milliseconds.toFixed(3),
    item.gigaflops.toFixed(1),
    item.gigabytesPerSecond.toFixed(1),
  ]);
  const head = ["phase", "operators", "routine", "shape", "ms", "GF/s", "GB/s"];
  const widest = 48;
  const cut = (text: string) => text.length > widest ? `${text.slice(0, widest - 3)}...` : text;
  const table = [head, ...rows.map((row) => row.map(cut))];
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const total = items.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return [
    `${name} is run by ${executor.name} with ${threads} thread${
      threads === 1 ? "" : "s"
    }, because ${executor.reason}`,
    `memory ${formatBytes(memoryBytes)}, computing ${total.toFixed(1)} ms, waiting ${
      waitingMilliseconds.toFixed(1)
    } ms`,
    ...table.map((row) =>
      row.map((cell, column) => column < 4 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))
        .join("  ")
    ),
  ].join("\n");
}
