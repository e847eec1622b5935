import type { Graph } from "./graph.ts";
import type { HostTensor } from "./host_tensor.ts";

/**
 * What products of matrices and convolutions are computed in. `bf16`: their factors are rounded to bfloat16 (8 bits of
 * mantissa) and added up in float32; variables and all else stay float32. It needs a processor with AMX.
 */
export type Precision = "float32" | "bf16";

/** The precisions, for checking an option. */
export const precisions = ["float32", "bf16"] as const satisfies readonly Precision[];

/** What runs a compiled graph, and why it does. */
export interface Executor {
  /** `onednn`: fused loops and oneDNN on the CPU. `tensorflow`: libtensorflow, any graph on any device. */
  readonly name: "onednn" | "tensorflow";
  /** As the end of a sentence, e.g. `the graph has operators that oneDNN's executor does not know`. */
  readonly reason: string;
}

/** A graph that runs as one native call. */
export interface CompiledFunction {
  /** What it runs. */
  readonly graph: Graph;
  /** What runs it. */
  readonly executor: Executor;
  /**
   * Runs it once; calls made while one is running wait for their turn. JavaScript goes on meanwhile.
   *
   * @param inputs A tensor for each input that is not a variable, under its name in the graph. They are copied at once,
   * so the caller may overwrite their data while the call waits.
   * @returns The outputs that are not variables, under their names in the graph.
   * @throws {TypeError} If an input is missing, unknown, or of another dtype or shape, or the function was disposed.
   * @throws {Error} With the operator and its input shapes, where the executor knows them, if it fails. The variables
   * keep their values; where it was overwriting them, it refuses to go on until they are written.
   */
  run(inputs: Readonly<Record<string, HostTensor>>): Promise<Record<string, HostTensor>>;
  /**
   * Copies variables to JavaScript.
   *
   * @param prefix Names to read: those that begin with it; all if it is left out.
   * @returns The variables, with the prefix taken off their names.
   * @throws {TypeError} If the function was disposed.
   */
  read(prefix?: string): Promise<Record<string, HostTensor>>;
  /**
   * Overwrites variables.
   *
   * @param values New values under the variables' names; variables left out keep theirs. Copied at once.
   * @throws {TypeError} If a name is no variable, or a dtype or shape differs; then none is overwritten.
   */
  write(values: Readonly<Record<string, HostTensor>>): Promise<void>;
  /** Frees the native function and its variables, after the calls made before. Disposing twice does nothing. */
  dispose(): Promise<void>;
  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}
