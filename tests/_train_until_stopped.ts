/** Trains until a signal comes, telling what happens; after the last step `slow` waits, so that a second one can. */
import { fineTune } from "../lib/fine_tune.ts";
import { shapeSplits } from "./training/_shapes.ts";

const [outputDir, slow] = Deno.args;
const run = await fineTune("mobilenetv3_small_100", shapeSplits({ train: 12, validation: 2 }), {
  weights: null,
  imageSize: 32,
  batchSize: 4,
  epochs: 1000,
  outputDir,
  async onEvent(event) {
    if (event.type === "step") console.log("step");
    if (event.type === "end" && slow === "slow") {
      console.log("saved");
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    }
  },
});
console.log(run.stopped, run.history.length, run.checkpoint);
