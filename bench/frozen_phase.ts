/**
 * What a first phase with a frozen backbone costs and brings: seconds of a frozen epoch beside an ordinary one, and
 * accuracy after as many epochs with and without it, on the emoji set with EfficientNet-Lite0.
 *
 *     deno run -A bench/frozen_phase.ts [--size 96] [--pictures 60] [--seeds 3] [--epochs 3] [--frozen 1,10]
 *
 * `--frozen`: so many frozen epochs before one epoch less than without. Prints a table.
 *
 * @module
 */
import { Command } from "npm:commander@15.1.0";
import { emojiPictures } from "../lib/data/datasets/emoji.ts";
import { evaluate, fineTune, type FineTuneOptions, type TrainingEvent } from "../mod.ts";

const options = new Command("frozen_phase")
  .option("--size <pixels>", "side of the pictures", "96")
  .option("--pictures <n>", "pictures of each class", "120")
  .option("--seeds <n>", "runs of each kind", "3")
  .option("--epochs <n>", "epochs of each run", "3")
  .option("--frozen <n>", "frozen epochs, several numbers separated by commas", "1,10")
  .option("--rate <factor>", "their learning rate, as a multiple of the recipe's", "1")
  .parse(["deno", "frozen_phase", ...Deno.args]).opts<Record<string, string>>();
const [size, pictures, seeds, epochs] = ["size", "pictures", "seeds", "epochs"].map((name) =>
  Number(options[name])
) as [number, number, number, number];
const data = await emojiPictures({ size, picturesPerClass: pictures });
const learningRate = 0.003 * 32 / 64; // the recipe's for EfficientNet in batches of 32
const mean = (values: readonly number[]) => values.reduce((sum, each) => sum + each) / values.length;

/** What is measured of the runs of one kind. */
interface Measured {
  frozenSeconds: number[];
  featureSeconds: number[];
  otherSeconds: number[];
  frozenTop1: number[];
  top1: number[];
}
const kinds: Record<string, FineTuneOptions> = {
  [`${epochs} epochs`]: { epochs },
};
for (const freezeEpochs of options["frozen"]!.split(",").map(Number)) {
  kinds[`${freezeEpochs} frozen + ${epochs - 1} epochs`] = {
    epochs: epochs - 1,
    freezeEpochs,
    freezeLearningRate: learningRate * Number(options["rate"]),
  };
}
const outputDir = await Deno.makeTempDir();
const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;
const rows: string[][] = [];
const measured: Record<string, Measured> = {};
for (let seed = 0; seed < seeds; seed++) {
  for (const [name, kind] of Object.entries(kinds)) {
    const found = measured[name] ??= {
      frozenSeconds: [],
      featureSeconds: [],
      otherSeconds: [],
      frozenTop1: [],
      top1: [],
    };
    let started = 0, last = 0;
    const onEvent = (event: TrainingEvent) => {
      if (event.type === "start") started = performance.now();
      if (event.type === "features" && event.done === event.total) {
        last = performance.now();
        found.featureSeconds.push((last - started) / 1000);
      }
      if (event.type !== "epoch") return;
      const seconds = (performance.now() - last) / 1000;
      last = performance.now();
      if (event.phase === "frozen") found.frozenSeconds.push(seconds);
      else if (event.epoch > 0) found.otherSeconds.push(event.durationSeconds); // the first one reads the pictures
    };
    const run = await fineTune("tf_efficientnet_lite0.pypi_in1k", data, {
      ...kind,
      learningRate,
      imageSize: size,
      batchSize: 32,
      seed,
      outputDir,
      logs: [],
      onEvent,
    });
    const frozen = run.history.findLast(({ phase }) => phase === "frozen");
    if (frozen) found.frozenTop1.push(frozen.validationTop1);
    found.top1.push((await evaluate(run, data.test!)).top1);
    console.error(
      name,
      seed,
      JSON.stringify(run.history.map(({ validationTop1 }) => validationTop1)),
      found.top1.at(-1),
    );
    await run.model.dispose();
  }
}
for (
  const [name, { top1, frozenTop1, frozenSeconds, featureSeconds, otherSeconds }] of Object.entries(measured)
) {
  const seconds = (values: number[]) => values.length === 0 ? "" : median(values).toFixed(2);
  rows.push([
    name,
    frozenTop1.length === 0 ? "" : `${(100 * mean(frozenTop1)).toFixed(1)} %`,
    `${(100 * mean(top1)).toFixed(1)} %`,
    top1.map((each) => (100 * each).toFixed(1)).join(", "),
    seconds(featureSeconds),
    seconds(frozenSeconds),
    seconds(otherSeconds),
  ]);
}
const head = [
  "run",
  "validation top-1 after the frozen epochs",
  "test top-1",
  "of each seed",
  "features (s)",
  "frozen epoch (s)",
  "ordinary epoch (s)",
];
console.log(
  `${data.train.samples.length} training, ${data.validation.samples.length} validation, ` +
    `${data.test!.samples.length} test pictures, ${data.classNames.length} classes`,
);
console.log([head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n"));
await Deno.remove(outputDir, { recursive: true });
Deno.exit(); // the threads that compute would keep the process
