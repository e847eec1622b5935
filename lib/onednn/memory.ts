import { formatBytes } from "../provision/cache.ts";
import type { Plan } from "./plan.ts";

/** What one WebAssembly memory can hold. */
const addressSpace = 2 ** 32 - 65536;

/**
 * Checks that there is enough memory for a plan before it is taken.
 *
 * @param name What the graph is called.
 * @param plan The plan.
 * @param batchSize Images of its batch.
 * @param available Bytes that are free on this machine.
 * @throws {RangeError} If there is not; it says which batch size fits.
 */
export function requireMemory(
  name: string,
  { memoryBytes, batchBytes }: Pick<Plan, "memoryBytes" | "batchBytes">,
  batchSize: number,
  available: number = Deno.systemMemoryInfo().available,
): void {
  const limit = Math.min(addressSpace, available);
  if (memoryBytes <= limit) return;
  const perImage = batchBytes / batchSize;
  const fits = batchSize > 1 ? Math.floor((limit - (memoryBytes - batchBytes)) / perImage) : 0;
  const what = limit === addressSpace ? "can be addressed" : "are free on this machine";
  throw new RangeError(
    `Cannot compile ${name} for oneDNN: it needs ${formatBytes(memoryBytes)} for a batch of ${batchSize}, ` +
      `and ${formatBytes(limit)} ${what}\n  help: ` +
      (fits >= 1 ? `{ batchSize: ${fits} } fits` : "use smaller pictures, or a machine with more memory") +
      `; { executor: "tensorflow" } has no such limit but needs more`,
  );
}
