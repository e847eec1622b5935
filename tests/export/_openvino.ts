import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { OpenVINOFiles } from "../../lib/export/openvino_ir.ts";
import { pythonEnvironment } from "../interop/python_environment.ts";
import type { Values } from "./compute_graph.ts";

/** What OpenVINO says of an input or output. */
export interface ReportedPort {
  readonly names: readonly string[];
  readonly shape: string;
  readonly type: string;
  readonly layout: string;
}

/** What came of running a model in OpenVINO. */
export interface OpenVINORun {
  readonly output: Values;
  readonly inputs: readonly ReportedPort[];
  readonly outputs: readonly ReportedPort[];
  /** What the runtime made of the model. `from`: names of the layers that one of its own stands for. */
  readonly layers: readonly {
    readonly type: string;
    readonly from: string;
    readonly precision: string;
    readonly kernel: string;
  }[];
}

/** OpenVINO and what opens its files by what they say of themselves, from PyPI. */
export function openvinoPython(): Promise<string> {
  return pythonEnvironment(["openvino==2026.4.1", "numpy", "openvino-model-api==0.4.7"], "test-openvino");
}

/**
 * Runs a Python script beside this file.
 *
 * @param name Its name.
 * @param input What it reads as JSON.
 * @returns What it writes as JSON.
 */
export async function runScript(name: string, input: unknown): Promise<unknown> {
  const script = fileURLToPath(new URL(name, import.meta.url));
  const child = new Deno.Command(await openvinoPython(), {
    args: [script],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(input)));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  if (!success) throw new Error(`${name}: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/**
 * Runs models in OpenVINO, in 32 bits.
 *
 * @param runs Files and what to feed them.
 * @returns What each gives.
 */
export async function runOpenVINO(
  runs: readonly { readonly files: OpenVINOFiles; readonly input: Values }[],
): Promise<OpenVINORun[]> {
  const folder = await Deno.makeTempDir();
  try {
    const wanted = runs.map(({ input }, index) => ({
      xml: join(folder, `${index}.xml`),
      input: join(folder, `${index}.input`),
      output: join(folder, `${index}.output`),
      shape: input.shape,
    }));
    for (const [index, { files, input }] of runs.entries()) {
      await Deno.writeTextFile(wanted[index]!.xml, files.xml);
      await Deno.writeFile(join(folder, `${index}.bin`), files.bin);
      await Deno.writeFile(wanted[index]!.input, new Uint8Array(input.data.slice().buffer));
    }
    const reports = await runScript("run_openvino.py", wanted) as (OpenVINORun & { shape: number[] })[];
    return await Promise.all(reports.map(async ({ shape, ...report }, index) => {
      const { buffer } = await Deno.readFile(wanted[index]!.output);
      return { ...report, output: { shape, data: new Float32Array(buffer) } };
    }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
