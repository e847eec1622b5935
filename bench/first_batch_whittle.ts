/**
 * One measurement of Whittle, for `bench/first_batch.ts`: prints one line of JSON.
 *
 * `deno run -A bench/first_batch_whittle.ts FOLDER MODEL BATCH SIZE`
 *
 * @module
 */
import { fineTune, imageFolders } from "../mod.ts";

const [folder, model, batch, size] = Deno.args;
const called = performance.now(); // which counts from the start of the process
const outputDir = await Deno.makeTempDir();
await fineTune(model!, await imageFolders(folder!), {
  weights: null,
  batchSize: Number(batch),
  imageSize: Number(size),
  epochs: 1,
  outputDir,
  logs: [],
  onEvent(event) {
    if (event.type !== "step") return;
    const now = performance.now();
    console.log(JSON.stringify({ fromStart: now / 1000, fromCall: (now - called) / 1000 }));
    Deno.removeSync(outputDir, { recursive: true });
    Deno.exit();
  },
});
