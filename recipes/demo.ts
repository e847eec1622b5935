/**
 * `deno task demo`: the whole job on real pictures. EfficientNet-Lite0 with its real ImageNet weights learns to sort
 * emoji into six categories; then the same run from random weights shows what the pretrained weights are worth.
 *
 * @module
 */
import { join } from "node:path";
import { Command } from "npm:commander@15.1.0";
import { emojiPictures } from "../lib/data/datasets/emoji.ts";
import { terminalBar } from "../lib/training/readers/terminal_bar.ts";
import {
  type DatasetSplits,
  evaluate,
  type Evaluation,
  fineTune,
  type FineTuneOptions,
  type FineTuneResult,
  inspect,
  predict,
  report,
} from "../mod.ts";
import { atLeastOne, positive } from "./_flag_values.ts";
import { exitCodes, runProgram } from "./_program.ts";
import { bar, bold, chapter, counter, dim, green, percent } from "./_terminal.ts";

const MODEL = "tf_efficientnet_lite0";

/** Categories that are a matter of looks; activities and objects are told apart by use (a ball, a bag). */
const CATEGORIES = [
  "Animals & Nature",
  "Food & Drink",
  "People & Body",
  "Smileys & Emotion",
  "Symbols",
  "Travel & Places",
];

const command = new Command("deno task demo")
  .description(
    "Fine-tunes a pretrained network on real pictures, and the same network from random weights beside it.",
  )
  .option("--epochs <n>", "epochs of each of the two runs", atLeastOne, 3)
  .option("--size <pixels>", "width and height of the pictures", atLeastOne, 128)
  .option("--pictures <n>", "the most pictures of a class", atLeastOne, 240)
  .option("--learning-rate <x>", "learning rate at the start of both runs", positive, 0.01)
  .option("--batch-size <n>", "pictures a step", atLeastOne, 16)
  .option("--quick", "fewer and smaller pictures and two epochs: does it run at all?")
  .option("--output <folder>", "where checkpoints and reports go", "outputs/demo")
  .parse(["deno", "demo", ...Deno.args]);
const options = command.opts<
  {
    epochs: number;
    size: number;
    pictures: number;
    learningRate: number;
    batchSize: number;
    quick?: boolean;
    output: string;
  }
>();
if (options.quick) Object.assign(options, { epochs: 2, size: 64, pictures: 60 });
const { epochs, size, pictures, learningRate, batchSize, output } = options;

await runProgram(async () => {
  const started = performance.now();
  console.log(`${bold("Whittle")} fine-tunes ${MODEL} on pictures that it has never seen.`);

  chapter("1  Pictures");
  const data = await emojiPictures({
    size,
    picturesPerClass: pictures,
    categories: CATEGORIES,
    onProgress: counter("rendering emoji"),
  });
  const characters = await readCharacters(data.folder);
  console.log(
    `Emoji in two styles, ${size} x ${size} pixels: ${data.train.samples.length} to learn from, ` +
      `${data.validation.samples.length} to choose the best epoch by, ${data.test.samples.length} for the exam.\n` +
      `What is in the exam is in neither of the others: in no style, skin tone or gender.\n`,
  );
  for (const [label, className] of data.classNames.entries()) {
    const members = data.train.samples.filter((sample) => sample.label === label);
    const examples = new Set(members.map(({ name }) => characters.get(name)));
    console.log(
      `  ${className.padEnd(18)}${String(members.length).padStart(4)}   ${
        [...examples].slice(0, 16).join(" ")
      }`,
    );
  }
  console.log(dim(`\n  ${data.folder}`));

  chapter("2  Inspection");
  const inspection = await inspect(data);
  console.log(inspection);

  chapter("3  Fine-tuning, from ImageNet weights");
  const pretrained = await train("pretrained", data);

  chapter("4  The same run, from random weights");
  const scratch = await train("scratch", data, { weights: null });

  chapter("5  Exam");
  const evaluation = await evaluate(pretrained, data.test);
  const scratchEvaluation = await evaluate(scratch, data.test);
  console.log(
    `Share of the ${data.test.samples.length} pictures of the exam that are named right (top-1):\n`,
  );
  showAccuracy("ImageNet weights", evaluation);
  showAccuracy("random weights", scratchEvaluation);
  const gain = 100 * (evaluation.top1 - scratchEvaluation.top1);
  console.log(
    `\n  ${bold(green(`${gain.toFixed(1)} points`))} are what the pretrained weights are worth here.\n`,
  );
  console.log("By class, from ImageNet weights (share of its pictures that are found):\n");
  for (const { className, recall } of evaluation.perClass) {
    console.log(`  ${className.padEnd(18)} ${bar(recall, 24)} ${percent(recall).padStart(7)}`);
  }

  chapter("6  Predictions");
  const shown = data.classNames.map((_, label) =>
    data.test.samples.find((sample) => sample.label === label)!
  );
  const predictions = await predict(pretrained, shown.map(({ image }) => image as string));
  for (const [index, [best]] of predictions.entries()) {
    const { name, label } = shown[index];
    const verdict = best.label === data.classNames[label]
      ? green("right")
      : `it is ${data.classNames[label]}`;
    console.log(
      `  ${characters.get(name)}  ${best.label.padEnd(18)} ${
        percent(best.probability).padStart(7)
      }   ${verdict}`,
    );
  }

  chapter("7  What is left behind");
  const reportFile = join(output, "report.html");
  await report(pretrained, { file: reportFile, evaluation, inspection });
  console.log(
    `  ${reportFile}${dim("   curves, confusion matrix, worst mistakes: one file, opens anywhere")}`,
  );
  console.log(`  ${pretrained.checkpoint}${dim("   the weights, under timm's names")}`);
  console.log(dim(`\nIt took ${((performance.now() - started) / 1000).toFixed(0)} s.`));
  return exitCodes.ok;
});

/** One run; the two differ in their weights only. */
async function train(
  name: string,
  data: DatasetSplits,
  start: Pick<FineTuneOptions, "weights"> = {},
): Promise<FineTuneResult> {
  const progress = terminalBar();
  const run = await fineTune(MODEL, data, {
    epochs,
    imageSize: size,
    batchSize,
    learningRate,
    outputDir: join(output, name),
    onEvent: progress,
    ...start,
  }).finally(() => progress.close());
  if (run.stopped === "interrupted") {
    console.log(`Stopped; the best weights so far are in ${run.checkpoint}`);
    Deno.exit(130); // as a shell reports Ctrl-C
  }
  return run;
}

function showAccuracy(name: string, { top1, top1Interval: [low, high] }: Evaluation): void {
  console.log(
    `  ${name.padEnd(18)} ${bar(top1, 24)} ${bold(percent(top1).padStart(7))}` +
      dim(`   ${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)} with 95 % confidence`),
  );
}

/** The emoji themselves, by the name of their picture: a terminal can show them. */
async function readCharacters(folder: string): Promise<Map<string, string>> {
  const manifest: { pictures: { file: string; codePoints: string }[] } = JSON.parse(
    await Deno.readTextFile(join(folder, "manifest.json")),
  );
  return new Map(manifest.pictures.map(({ file, codePoints }) => [
    file,
    String.fromCodePoint(...codePoints.split("-").map((part) => parseInt(part, 16))),
  ]));
}
