/**
 * What the processor can do, in the words of /proc/cpuinfo, e.g. `avx2`.
 *
 * @returns The words; `undefined` where they cannot be read.
 *
 * @example
 * ```ts
 * import { processorFlags } from "./processor_flags.ts";
 * console.log(processorFlags()?.has("avx2")); // true, on most machines
 * ```
 */
export function processorFlags(): ReadonlySet<string> | undefined {
  try {
    const flags = /^flags\s*:\s*(.+)$/m.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1];
    return flags === undefined ? undefined : new Set(flags.split(" "));
  } catch {
    return undefined;
  }
}
