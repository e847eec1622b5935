/**
 * Trains one run of the ablation in a process of its own, for `bench/recipe_beside_torch.ts`: what
 * `bench/peers/ablation_torch.py` prints, of Whittle.
 *
 * `deno run -A bench/beside_torch/train_whittle.ts DATA FOLDER`: the folder has `job.json` with the model, the recipe and
 * the seed.
 *
 * @module
 */
import { join } from "node:path";
import process from "node:process";
import { evaluate, fineTune, type FineTuneOptions } from "../../mod.ts";
import { openData } from "../ablation/data.ts";
import { type DataName, sizes } from "../ablation/runs.ts";

const [name, folder] = Deno.args as [DataName, string];
const { model, recipe, seed } = JSON.parse(await Deno.readTextFile(join(folder, "job.json")));
const data = await openData(name);
const times = () => {
  const { user, system } = process.cpuUsage();
  return { processorSeconds: (user + system) / 1e6, seconds: performance.now() / 1000 };
};
const epochs: unknown[] = [];
let ready: unknown;
const onEvent: FineTuneOptions["onEvent"] = (event) => {
  if (event.type === "start") ready = times();
  if (event.type !== "epoch") return;
  epochs.push({ validationTop1: event.validationTop1, trainLoss: event.trainLoss, ...times() });
};
const outputDir = join(folder, `whittle_${seed}`);
const trained = await fineTune(model, data, {
  recipe,
  seed,
  outputDir,
  imageSize: sizes.imageSize,
  logs: [],
  view: false,
  onEvent,
});
const done = times();
const { top1 } = await evaluate(trained, data.test);
await Deno.remove(outputDir, { recursive: true });
const status = Deno.readTextFileSync("/proc/self/status");
console.log(JSON.stringify({
  testTop1: top1,
  bestEpoch: trained.best!.epoch,
  ready,
  done,
  epochs,
  peakMemoryBytes: 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)![1]),
  versions: { deno: Deno.version.deno, library: trained.environment.library },
}));
Deno.exit(); // the threads that compute would keep the process
