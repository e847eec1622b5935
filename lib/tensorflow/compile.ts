import { type CompiledFunction, type Precision, precisions } from "../graph/compiled_function.ts";
import type { Graph } from "../graph/graph.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import { OneDNNFunction } from "../onednn/onednn_function.ts";
import { currentTeam } from "../onednn/team.ts";
import { type ExecutorChoice, executorChoices, reasonForTensorFlow, requireFloat32 } from "./executor.ts";
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
  executor?: ExecutorChoice;
  /**
   * What products and convolutions are computed in; `bf16` is for oneDNN on processors with AMX.
   * @default {"float32"}
   */
  precision?: Precision;
}

/**
 * Makes a graph one native call.
 *
 * @param graph What to run.
 * @param options Variables, executor and precision.
 * @returns The function. Dispose of it when it is not needed any more.
 * @throws {TypeError} If a variable is no input of the graph, or its dtype or shape differ, or `onednn` is asked for and
 * the graph has operators it does not know.
 * @throws {RangeError} If `onednn` is asked for and the graph needs more memory than there is, or nothing here computes
 * in the precision.
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
  const { variables = {}, executor = "auto", precision = "float32" } = options;
  const refuse = (option: "executor" | "precision", wanted: string) => {
    throw new RangeError(
      `Cannot compile ${graph.name}: ${option} is ${
        JSON.stringify(options[option])
      }\n  help: wanted ${wanted}`,
    );
  };
  if (!executorChoices.includes(executor)) refuse("executor", '"onednn", "tensorflow" or "auto"');
  if (!precisions.includes(precision)) refuse("precision", '"float32" or "bf16"');
  const withTensorFlow = (reason: string) => {
    requireFloat32(precision, reason);
    return new TensorFlowFunction(graph, variables, reason);
  };
  if (executor === "tensorflow") return withTensorFlow("it was asked for");
  if (executor === "onednn") return new OneDNNFunction(graph, variables, "it was asked for", { precision });
  if (currentTeam() === undefined) return withTensorFlow("oneDNN was not started");
  try {
    return new OneDNNFunction(graph, variables, "it is the faster one on CPUs", { precision });
  } catch (thrown) {
    const instead = precision === "float32" ? reasonForTensorFlow(thrown) : undefined;
    if (instead === undefined) throw thrown;
    return withTensorFlow(instead);
  }
}
