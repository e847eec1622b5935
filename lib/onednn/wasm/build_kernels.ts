import { assembleModule, type MemoryLimits } from "./assembler.ts";
import {
  type DepthwiseFilterGradient,
  depthwiseFilterGradientFunction,
} from "./depthwise_filter_gradient.ts";
import { loopFunction } from "./loop_function.ts";
import { checkKernel, type LoopKernel } from "./loop_kernel.ts";

/**
 * Compiles kernels to one WebAssembly module that imports a shared memory as `env.memory` and exports kernel number `i`
 * as `k<i>`, which takes the byte address of its arguments and returns nothing.
 *
 * @param kernels What to compile.
 * @param memory Limits of the memory the module will be given.
 * @returns The bytes of the module.
 * @throws {RangeError} If a kernel has a rank out of 1..6 or a step that reads what does not come before it.
 */
export function buildKernels(
  kernels: readonly (LoopKernel | DepthwiseFilterGradient)[],
  memory: MemoryLimits,
): Uint8Array<ArrayBuffer> {
  for (const kernel of kernels) if ("rank" in kernel) checkKernel(kernel);
  const functions = kernels.map((kernel, index) => [
    `k${index}`,
    "rank" in kernel ? loopFunction(kernel) : depthwiseFilterGradientFunction(kernel),
  ]);
  return assembleModule(memory, Object.fromEntries(functions));
}
