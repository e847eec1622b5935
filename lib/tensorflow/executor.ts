import type { CompiledFunction, Executor, Precision } from "../graph/compiled_function.ts";
import type { Graph } from "../graph/graph.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import { onednnUnavailable, requirePrecision } from "../onednn/availability.ts";
import { CannotLower } from "../onednn/lower.ts";
import { OneDNNFunction } from "../onednn/onednn_function.ts";
import { startTeam } from "../onednn/team.ts";
import type { ProvisionListener } from "../provision/events.ts";
import { LibraryError } from "../provision/library_error.ts";
import { type Device, openEngine } from "./engine.ts";
import { openLibrary } from "./library.ts";
import { symbols } from "./symbols.ts";
import { GPU_PACKAGE } from "./_wheels.ts";
import { TensorFlowFunction } from "./tensorflow_function.ts";

/** What a user can ask for: `auto` takes oneDNN on a CPU it supports, and TensorFlow elsewhere. */
export type ExecutorChoice = "auto" | Executor["name"];

/** The choices, for checking an option. */
export const executorChoices = ["auto", "onednn", "tensorflow"] as const satisfies readonly ExecutorChoice[];

/** What {@linkcode openExecutor} is asked for. */
export interface ExecutorOptions {
  /**
   * What runs graphs.
   * @default {"auto"}
   */
  readonly executor?: ExecutorChoice;
  /**
   * What to compute on; `gpu` is TensorFlow's.
   * @default {"auto"}
   */
  readonly device?: Device;
  /**
   * What will be asked of it; refused before anything is fetched.
   * @default {"float32"}
   */
  readonly precision?: Precision;
  /** Told about the progress of a download. */
  readonly onProgress?: ProvisionListener;
  /** Stops a download. */
  readonly signal?: AbortSignal;
}

/** What runs the graphs of this process. */
export interface OpenExecutor extends Executor {
  /** Library, version and instructions, e.g. `oneDNN 3.2.0 (AVX2)`. */
  readonly library: string;
  /** Where it computes. */
  readonly device: "cpu" | "gpu";
  /** Threads it computes with. */
  readonly threads: number;
  /** Whether it was asked for by name, so that nothing else may take its place. */
  readonly demanded: boolean;
}

let current: OpenExecutor | undefined;

/**
 * Opens what runs graphs, and fetches its library first if need be. Without a wish it is what was opened before.
 *
 * @param options Executor, device, and who is told.
 * @returns The executor.
 * @throws {LibraryError} If its library can be neither found nor fetched.
 * @throws {RangeError} If oneDNN is asked to compute on a GPU, or nothing here computes in the precision.
 */
export async function openExecutor(options: ExecutorOptions = {}): Promise<OpenExecutor> {
  const { executor = "auto", device = "auto", precision = "float32" } = options;
  if (executor === "tensorflow" || device === "gpu") {
    requireFloat32(precision, executor === "tensorflow" ? "it was asked for" : "a GPU was asked for");
  }
  requirePrecision(precision);
  if (executor === "onednn" && device === "gpu") {
    throw new RangeError(
      'Cannot compute on device "gpu" with executor "onednn": it is for CPUs\n' +
        '  help: pass { executor: "tensorflow" } or { executor: "auto" }',
    );
  }
  const fits = current !== undefined && (executor === "auto" || executor === current.name) &&
    (device === "auto" || device === current.device);
  if (current !== undefined && fits) return current;
  if (executor === "onednn") return current = await openOneDNN(options, "it was asked for", true);
  if (executor === "tensorflow") return current = await openTensorFlow(options, "it was asked for", true);
  const reason = await reasonAgainstOneDNN(options);
  if (reason !== undefined) return current = await openTensorFlow(options, reason, false);
  return current = await openOneDNN(options, "it is the faster one on CPUs", false);
}

/** Why graphs are not run by oneDNN; `undefined` if they are, and its team has started. */
async function reasonAgainstOneDNN(options: ExecutorOptions): Promise<string | undefined> {
  const { device = "auto", onProgress, signal } = options;
  if (device === "gpu") return "a GPU was asked for";
  if (device === "auto" && Deno.env.get("WHITTLE_TENSORFLOW_PACKAGE") === GPU_PACKAGE) {
    return "WHITTLE_TENSORFLOW_PACKAGE asks for the build for GPUs";
  }
  if (device === "auto" && await hasGPU()) return "there is a GPU, and a TensorFlow that computes on it";
  const unavailable = onednnUnavailable();
  if (unavailable !== undefined) return unavailable;
  try {
    await startTeam({ onProgress, signal });
    return undefined;
  } catch (thrown) {
    // Who names a library wants that one.
    if (!(thrown instanceof LibraryError) || Deno.env.get("WHITTLE_ONEDNN")) throw thrown;
    return thrown.message.split("\n")[0]!;
  }
}

/** Whether this machine has a GPU and a TensorFlow that can use it; nothing is downloaded to find out. */
async function hasGPU(): Promise<boolean> {
  try {
    await Deno.stat("/dev/nvidiactl");
    await openLibrary(symbols, { download: false });
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound || thrown instanceof LibraryError) return false;
    throw thrown;
  }
  return (await openEngine()).device === "gpu";
}

async function openOneDNN(
  options: ExecutorOptions,
  reason: string,
  demanded: boolean,
): Promise<OpenExecutor> {
  const team = await startTeam(options);
  return {
    name: "onednn",
    reason,
    library: team.description,
    device: "cpu",
    threads: team.threads,
    demanded,
  };
}

async function openTensorFlow(
  options: ExecutorOptions,
  reason: string,
  demanded: boolean,
): Promise<OpenExecutor> {
  const { version, device } = await openEngine(options);
  const threads = navigator.hardwareConcurrency;
  return { name: "tensorflow", reason, library: `TensorFlow ${version}`, device, threads, demanded };
}

/**
 * Compiles a graph for the executor of this process, which is opened if it is not yet. What oneDNN cannot run is run by
 * TensorFlow, unless oneDNN was asked for by name or the precision is only oneDNN's.
 *
 * @param graph What to run.
 * @param variables State that stays with the executor between calls.
 * @param precision What products and convolutions are computed in.
 * @returns The function.
 * @throws {TypeError} If a variable does not fit the graph, or oneDNN must and cannot run it.
 * @throws {RangeError} If oneDNN must run it and there is not enough memory, or nothing here computes in the precision.
 * @throws {LibraryError} If a library can be neither found nor fetched.
 */
export async function compileForExecutor(
  graph: Graph,
  variables: Readonly<Record<string, HostTensor>> = {},
  precision: Precision = "float32",
): Promise<CompiledFunction> {
  const { name, reason, demanded } = await openExecutor();
  if (name === "tensorflow") {
    requireFloat32(precision, reason);
    return new TensorFlowFunction(graph, variables, reason);
  }
  let made: OneDNNFunction | undefined;
  try {
    made = new OneDNNFunction(graph, variables, reason, { precision });
    await made.prepare();
    return made;
  } catch (thrown) {
    await made?.dispose();
    const instead = demanded || precision !== "float32" ? undefined : reasonForTensorFlow(thrown, made);
    if (instead === undefined) throw thrown;
    await openEngine({ device: "cpu" });
    return new TensorFlowFunction(graph, variables, instead);
  }
}

/**
 * Why TensorFlow runs a graph that oneDNN has failed at.
 *
 * @param thrown What compiling it for oneDNN threw.
 * @param made The function, if only getting it ready failed.
 * @returns The reason; `undefined` if it is the caller's mistake, which TensorFlow would not run either.
 */
export function reasonForTensorFlow(thrown: unknown, made?: OneDNNFunction): string | undefined {
  const oneDNNs = made !== undefined || thrown instanceof CannotLower || thrown instanceof RangeError;
  return oneDNNs && thrown instanceof Error ? thrown.message.split("\n  help:")[0]! : undefined;
}

/**
 * Refuses a precision where TensorFlow computes.
 *
 * @param precision What is asked for.
 * @param reason Why TensorFlow computes.
 * @throws {RangeError} If it is not `float32`.
 */
export function requireFloat32(precision: Precision, reason: string): void {
  if (precision === "float32") return;
  throw new RangeError(
    `Cannot compute in ${precision}: only oneDNN does here, and TensorFlow computes because ${reason}\n` +
      `  help: leave { precision } out`,
  );
}
