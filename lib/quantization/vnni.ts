import { processorFlags } from "../provision/processor_flags.ts";

/**
 * What to tell of weights with 8 bits on a processor that is not made for them: it adds up two products of a weight and a
 * byte in 16 bits, which they can exceed, so that the file computes something else here than where it is meant for.
 *
 * @param flags What the processor can do, in the words of /proc/cpuinfo. @default {this machine's}
 * @returns A warning; nothing where the processor has VNNI, or it is not known.
 */
export function vnniWarning(flags: ReadonlySet<string> | undefined = processorFlags()): string | undefined {
  if (flags === undefined || [...flags].some((flag) => /^(avx512_vnni|avx_vnni)/.test(flag))) {
    return undefined;
  }
  return "This processor has no VNNI: the file with weights of 8 bits saturates here, so that its accuracy, and its " +
    "parity when it is exported, can be worse than on the processors it is for";
}
