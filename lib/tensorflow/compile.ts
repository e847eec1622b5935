import type { CompiledFunction } from "../graph/compiled_function.ts";
import type { Graph } from "../graph/graph.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import { CannotLower } from "../onednn/lower.ts";
import { OneDNNFunction } from "../onednn/onednn_function.ts";
import { currentTeam } from "../onednn/team.ts";
import { TensorFlowFunction } from "./tensorflow_function.ts";

/** Options of {@linkcode compile}. */
export interface CompileOptions {
  /**
   * State that stays with the executor between calls, with its first values. Each is an input of the graph; the
   * output of the same name, if there is one, is its next value.
   */
  variables?: Readonly<Record<string, HostTensor>>;
  /**
   * What runs the graph. `auto`: oneDNN if its threads were started and it can run the graph, else TensorFlow.
   * @default {"auto"}
   */
  executor?: "onednn" | "tensorflow" | "auto";
}

/**
 * Makes a graph one native call.
 *
 * @param graph What to run.
 * @param options `variables`: state that stays with the executor between calls.
 * @returns The function. Dispose of it when it is not needed any more.
 * @throws {TypeError} If a variable is no input of the graph, or its dtype or shape differ, or `onednn` is asked for and
 * the graph has operators it does not know.
 * @throws {RangeError} If `onednn` is asked for and the graph needs more memory than there is.
 * @throws {Error} With status code and operator if TensorFlow refuses the graph.
 *
 * @example
 * ```ts
 * import { compile, record } from "whittle/tensorflow";
 *
 * const scalar = (value: number) => ({ dtype: "float32" as const, shape: [], data: new Float32Array([value]) });
 * const graph = record(({ total, x }) => ({ total: total.add(x) }), { total: scalar(0), x: scalar(0) });
 *
 * await using counter = compile(graph, { variables: { total: scalar(0) } });
 * await counter.run({ x: scalar(2) });
 * await counter.run({ x: scalar(3) });
 * console.log((await counter.read()).total.data[0]); // 5
 * ```
 */
export function compile(graph: Graph, options: CompileOptions = {}): CompiledFunction {
  const { variables = {}, executor = "auto" } = options;
  if (executor === "onednn") return new OneDNNFunction(graph, variables, "it was asked for");
  if (executor === "tensorflow") return new TensorFlowFunction(graph, variables, "it was asked for");
  if (executor !== "auto") {
    throw new RangeError(
      `Cannot compile ${graph.name}: executor is ${JSON.stringify(executor)}\n` +
        `  help: wanted "onednn", "tensorflow" or "auto"`,
    );
  }
  if (currentTeam() === undefined) return new TensorFlowFunction(graph, variables, "oneDNN was not started");
  try {
    return new OneDNNFunction(graph, variables, "it is the faster one on CPUs");
  } catch (thrown) {
    if (!(thrown instanceof CannotLower)) throw thrown;
    return new TensorFlowFunction(graph, variables, thrown.message);
  }
}
