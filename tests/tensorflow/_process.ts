import { currentEngine } from "../../lib/tensorflow/engine.ts";
import "../../lib/tensorflow/mod.ts";

/** Folder of the library's modules, as the beginning of a URL. */
export const lib = new URL("../../lib/", import.meta.url).href;

/**
 * Runs code in a process of its own, with this process's libtensorflow and without GPUs.
 *
 * @param code An ES module.
 * @param env Other values of environment variables.
 * @returns What it printed.
 */
export async function runProcess(code: string, env: Record<string, string> = {}): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", code],
    env: { WHITTLE_TENSORFLOW: currentEngine().path, CUDA_VISIBLE_DEVICES: "", NO_COLOR: "1", ...env },
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${decoder.decode(stdout)}${decoder.decode(stderr)}`);
  return decoder.decode(stdout).trimEnd();
}
