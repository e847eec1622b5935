import type { Quantization } from "../models/quantized/quantization.ts";
import { processorFlags } from "../provision/processor_flags.ts";

/**
 * What to tell of weights with 8 bits on a processor that is not made for them: it adds up two products of a weight and a
 * byte in 16 bits, which they can exceed, so that the file computes something else here than where it is meant for.
 *
 * @param flags What the processor can do, in the words of /proc/cpuinfo. @default {this machine's}
 * @returns A warning; nothing where the processor has VNNI, or it is not known.
 */
export function vnniWarning(flags: ReadonlySet<string> | undefined = processorFlags()): string | undefined {
  if (!lacksVNNI(flags)) return undefined;
  return "This processor has no VNNI: the file with weights of 8 bits saturates here, so that its accuracy, and its " +
    "parity when it is exported, can be worse than on the processors it is for";
}

/**
 * Why a quantised file may compute something else on this processor than the model it was made from.
 *
 * @param quantization How the model is quantised, if it is.
 * @param flags What the processor can do, in the words of /proc/cpuinfo. @default {this machine's}
 * @returns The reason; nothing where there is none of this kind, or the processor is not known.
 */
export function saturationReason(
  quantization: Quantization | undefined,
  flags: ReadonlySet<string> | undefined = processorFlags(),
): string | undefined {
  if (quantization?.weightBits !== 8 || !lacksVNNI(flags)) return undefined;
  return "the likely reason: its weights have 8 bits and this processor has no VNNI, so that sums of products saturate";
}

function lacksVNNI(flags: ReadonlySet<string> | undefined): boolean {
  return flags !== undefined && ![...flags].some((flag) => /^(avx512_vnni|avx_vnni)/.test(flag));
}
