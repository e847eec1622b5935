import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pythonEnvironment } from "../interop/python_environment.ts";
import type { Values } from "./compute_graph.ts";

/** What came of checking a file with onnx and running it in Python's onnxruntime. */
export interface ONNXRun {
  readonly output: Values;
  readonly opset: number;
  readonly inputs: readonly { name: string; shape: (number | string)[]; type: string }[];
  readonly outputs: readonly { name: string; shape: (number | string)[]; type: string }[];
  /** Values of which the file does not say what they are. */
  readonly untyped: readonly string[];
  /** Values of which the file says something else than onnx finds out. */
  readonly otherwise: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
  readonly operations: readonly string[];
}

/**
 * Checks files with onnx (everything, shapes strictly) and runs them in Python's onnxruntime.
 *
 * @param runs Files and what to feed them.
 * @returns What each gives.
 * @throws {Error} If onnx or onnxruntime refuses one.
 */
export async function runONNX(
  runs: readonly { readonly onnx: Uint8Array; readonly input: Values }[],
): Promise<ONNXRun[]> {
  const python = await pythonEnvironment(["onnx==1.23.2", "onnxruntime==1.30.0", "numpy"], "test-onnx");
  const folder = await Deno.makeTempDir();
  try {
    const wanted = runs.map(({ input }, index) => ({
      onnx: join(folder, `${index}.onnx`),
      input: join(folder, `${index}.input`),
      output: join(folder, `${index}.output`),
      shape: input.shape,
    }));
    for (const [index, { onnx, input }] of runs.entries()) {
      await Deno.writeFile(wanted[index]!.onnx, onnx);
      await Deno.writeFile(wanted[index]!.input, new Uint8Array(input.data.slice().buffer));
    }
    const child = new Deno.Command(python, {
      args: [fileURLToPath(new URL("./run_onnx.py", import.meta.url))],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(JSON.stringify(wanted)));
    await writer.close();
    const { success, stdout, stderr } = await child.output();
    if (!success) throw new Error(`run_onnx.py: ${new TextDecoder().decode(stderr)}`);
    const reports: (ONNXRun & { shape: number[] })[] = JSON.parse(new TextDecoder().decode(stdout));
    return await Promise.all(reports.map(async ({ shape, ...report }, index) => {
      const { buffer } = await Deno.readFile(wanted[index]!.output);
      return { ...report, output: { shape, data: new Float32Array(buffer) } };
    }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
