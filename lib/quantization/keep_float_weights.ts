import { join } from "node:path";
import { parseCheckpointMetadata } from "../models/checkpoint_metadata.ts";
import { readWeightsFile } from "../models/weights/load_weights.ts";
import { bestFileName, CheckpointError } from "../training/checkpoint.ts";

/**
 * Refuses a folder with weights in float, whoever wrote them: those in int8, which have the same name, would replace them.
 *
 * @param outputDir Where those in int8 are to go; it need not exist.
 * @throws {CheckpointError} If there are weights in float.
 */
export async function keepFloatWeights(outputDir: string): Promise<void> {
  const path = join(outputDir, bestFileName);
  const metadata = await readWeightsFile(path).then(({ metadata }) => metadata, () => undefined);
  if (metadata === undefined || parseCheckpointMetadata(metadata)?.quantization !== undefined) return;
  throw new CheckpointError(
    `Cannot write to "${outputDir}": it holds the float weights, and those in int8 would replace them\n` +
      `  help: pass { outputDir: ... }, another folder`,
  );
}
