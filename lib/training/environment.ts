import { processorFlags } from "../provision/processor_flags.ts";
import type { OpenExecutor } from "../tensorflow/executor.ts";

/** What the bits of a run depend on besides recipe, data and seed. */
export interface Environment {
  /** The library that computes and its version. */
  readonly library: string;
  /** What computes. */
  readonly device: "cpu" | "gpu";
  /** Threads the library computes with. */
  readonly threads: number;
  /** Model of the processor, where the system tells. */
  readonly processor: string;
  /** Operating system and architecture. */
  readonly platform: string;
  /** Variables of the process's environment that change how the library computes, e.g. `OMP_NUM_THREADS=1`. */
  readonly variables: string;
  /** Deno's version. */
  readonly deno: string;
}

/** Variables that change the number of threads, or which kernels compute. */
const variables = [
  "OMP_NUM_THREADS",
  "TF_NUM_INTRAOP_THREADS",
  "TF_NUM_INTEROP_THREADS",
  "TF_ENABLE_ONEDNN_OPTS",
  "TF_DETERMINISTIC_OPS",
  "ONEDNN_MAX_CPU_ISA",
  "ONEDNN_DEFAULT_FPMATH_MODE",
] as const;

/**
 * Describes this machine.
 *
 * @param executor What computes.
 * @returns The description.
 */
export function describeEnvironment(executor: OpenExecutor): Environment {
  return {
    library: executor.library,
    device: executor.device,
    threads: executor.threads,
    processor: processorName(),
    platform: `${Deno.build.os}-${Deno.build.arch}`,
    variables: variables.map((name) => [name, Deno.env.get(name)]).filter(([, value]) => value !== undefined)
      .map((pair) => pair.join("=")).join(" "),
    deno: Deno.version.deno,
  };
}

/**
 * Tells in words how two environments differ.
 *
 * @returns One line for each value that differs; Deno's version does not matter.
 */
export function compareEnvironments(before: Environment, now: Environment): string[] {
  const keys = ["library", "device", "threads", "processor", "platform", "variables"] as const;
  return keys.filter((key) => before[key] !== now[key]).map((key) =>
    `${key}: was ${before[key] || "not set"}, is ${now[key] || "not set"}`
  );
}

function processorName(): string {
  if (Deno.build.os !== "linux") return Deno.build.arch;
  try {
    const text = Deno.readTextFileSync("/proc/cpuinfo");
    const model = /^model name\s*:\s*(.+)$/m.exec(text)?.[1] ?? Deno.build.arch;
    const flags = processorFlags();
    const features = ["avx2", "avx512f", "avx512_bf16", "amx_tile"].filter((flag) => flags?.has(flag));
    return [model, ...features].join(" ");
  } catch {
    return Deno.build.arch;
  }
}
