/**
 * tfjs at native speed in Deno, with the `tf.function` that tfjs never had. Importing this module finds libtensorflow
 * (and downloads it once if need be), opens it and makes it tfjs's backend.
 *
 * @example
 * ```ts
 * import { compile, printGraph, record, tf } from "whittle/tensorflow";
 *
 * tf.matMul(tf.eye(2), tf.ones([2, 2])).print(); // op by op
 *
 * const graph = record(({ x }) => ({ y: tf.softmax(x) }), { x: { dtype: "float32", shape: [2, 3] } });
 * console.log(printGraph(graph)); // plain data that prints itself
 * const softmax = compile(graph); // one native call
 * const { y } = await softmax.run({ x: { dtype: "float32", shape: [2, 3], data: new Float32Array(6) } });
 * console.log(y.data);
 * ```
 *
 * @module
 */
import { terminalProgress } from "../provision/terminal_progress.ts";
import { startBackend } from "./backend.ts";

export { rawOperator } from "./backend.ts";
export type { CompiledFunction, Executor, Precision } from "../graph/compiled_function.ts";
export { compile, type CompileOptions } from "./compile.ts";
export { explain, type ExplainedItem, type Explanation } from "../onednn/explain.ts";
export { record, type SpecTree, type TensorsOf, type TensorTree } from "./record.ts";
export { tf } from "./tf.ts";
export type { Attribute, Graph, GraphInput, GraphNode, GraphOutput, GraphValue } from "../graph/graph.ts";
export type { TensorSpec } from "../graph/graph.ts";
export type { DType, HostData, HostTensor } from "../graph/host_tensor.ts";
export { printGraph } from "../graph/print_graph.ts";

await startBackend({ onProgress: terminalProgress() });
