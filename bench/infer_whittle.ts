/**
 * Whittle as a contestant of `bench/inference_speed.ts`: prints the median milliseconds of a batch as JSON.
 *
 * `deno run -A bench/infer_whittle.ts WEIGHTS BATCH SECONDS onednn|tensorflow LOGITS`
 *
 * @module
 */
import { createInference } from "../lib/models/inference.ts";
import { openModel } from "../lib/models/open_model.ts";

const [path, batchText, secondsText, chosen, logitsPath] = Deno.args;
const batchSize = Number(batchText), least = Number(secondsText) * 1000;
const executor = chosen === "tensorflow" ? "tensorflow" : "onednn";

const { network, weights, preprocessing } = await openModel(path!, { executor, device: "cpu" });
const inference = await createInference(network, weights, preprocessing, batchSize);
const { height, width } = preprocessing.size;
// The bytes of peers/infer_openvino.py.
const pixels = Uint8Array.from({ length: batchSize * height * width * 3 }, (_, i) => i * i % 251);
const run = () => inference.logits(pixels, batchSize);

const logits = await run();
await Deno.writeFile(
  logitsPath!,
  new Uint8Array(Float32Array.from(logits.flatMap((row) => [...row])).buffer),
);
await run();
const milliseconds: number[] = [];
for (const start = performance.now(); milliseconds.length < 5 || performance.now() - start < least;) {
  const began = performance.now();
  await run();
  milliseconds.push(performance.now() - began);
}
console.log(JSON.stringify({ milliseconds: milliseconds.sort((a, b) => a - b)[milliseconds.length >> 1] }));
Deno.exit(); // the threads that compute would keep the process
