import { processorFlags } from "../provision/processor_flags.ts";
import type { Precision } from "../graph/compiled_function.ts";
import { LibraryError, reasonOf } from "../provision/library_error.ts";

/** What oneDNN needs of a machine. */
export interface Machine {
  /** As `Deno.build.os` names it. */
  readonly os: string;
  /** As `Deno.build.arch` names it. */
  readonly arch: string;
  /** What the processor can do, in the words of /proc/cpuinfo; missing where that cannot be read. */
  readonly processorFlags?: ReadonlySet<string>;
  /** Why libgomp.so.1 cannot be opened, in the loader's words; missing where it can. */
  readonly openMPFailure?: string;
}

/** The OpenMP library that libdnnl needs. It belongs to the system, like the C library. */
const OPENMP = "libgomp.so.1";

let here: Machine | undefined;

/**
 * Tells whether oneDNN can compute on this machine, so that an executor can be chosen. Downloads nothing and does not
 * look for libdnnl.
 *
 * @param machine What to judge instead of this machine.
 * @returns Why it cannot, as the end of a sentence; `undefined` if it can.
 *
 * @example
 * ```ts
 * import { onednnUnavailable } from "./availability.ts";
 * const reason = onednnUnavailable();
 * console.log(reason === undefined ? "oneDNN" : `TensorFlow, because oneDNN cannot be used: ${reason}`);
 * ```
 */
export function onednnUnavailable(machine: Machine = thisMachine()): string | undefined {
  return findObstacle(machine)?.reason;
}

/**
 * Throws where oneDNN cannot compute on this machine.
 *
 * @param machine What to judge instead of this machine.
 * @throws {LibraryError} With the reason, and what to do.
 */
export function requireOneDNN(machine: Machine = thisMachine()): void {
  const obstacle = findObstacle(machine);
  if (obstacle === undefined) return;
  const { reason, details, help } = obstacle;
  throw new LibraryError(`Cannot use oneDNN: ${reason}`, { details, help });
}

/**
 * Tells whether oneDNN computes in bf16 on this machine.
 *
 * @param machine What to judge instead of this machine.
 * @returns Why it does not, as the end of a sentence; `undefined` if it does.
 */
export function bf16Unavailable({ processorFlags: flags }: Machine = thisMachine()): string | undefined {
  if (flags === undefined) return "what this processor can do could not be read";
  if (flags.has("amx_bf16")) return undefined;
  return flags.has("avx512_bf16")
    ? "this processor has no AMX, and its AVX-512 multiplies bf16 no faster than float32"
    : "this processor has no AMX, and it would have to imitate bf16";
}

/**
 * Throws where oneDNN does not compute in a precision.
 *
 * @param precision What is asked for.
 * @param machine What to judge instead of this machine.
 * @throws {RangeError} If it is `bf16` and the processor has no AMX.
 */
export function requirePrecision(precision: Precision, machine: Machine = thisMachine()): void {
  const reason = precision === "float32" ? undefined : bf16Unavailable(machine);
  if (reason === undefined) return;
  throw new RangeError(`Cannot compute in bf16: ${reason}\n  help: leave { precision } out`);
}

function findObstacle(
  machine: Machine,
): { reason: string; details?: readonly string[]; help: string } | undefined {
  const { os, arch, processorFlags, openMPFailure } = machine;
  const help = 'pass { executor: "tensorflow" }';
  if (os !== "linux" || arch !== "x86_64") {
    return { reason: `there is no build for ${os}-${arch}, only for linux-x86_64`, help };
  }
  if (processorFlags !== undefined && !processorFlags.has("avx2")) {
    return { reason: "this processor has no AVX2, and oneDNN's kernels without it are slow", help };
  }
  if (openMPFailure !== undefined) {
    return {
      reason: `the system's loader does not open ${OPENMP}, which it needs`,
      details: [openMPFailure],
      help: `install libgomp1 (Debian, Ubuntu) or libgomp (Fedora), or ${help}`,
    };
  }
}

/** This machine; looked at once. */
function thisMachine(): Machine {
  return here ??= readMachine();
}

function readMachine(): Machine {
  const { os, arch } = Deno.build;
  if (os !== "linux" || arch !== "x86_64") return { os, arch };
  return { os, arch, processorFlags: processorFlags(), openMPFailure: tryOpenMP() };
}

function tryOpenMP(): string | undefined {
  try {
    Deno.dlopen(OPENMP, {}).close();
    return undefined;
  } catch (thrown) {
    return reasonOf(thrown);
  }
}
