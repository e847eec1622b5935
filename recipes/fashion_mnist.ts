/**
 * Fine-tunes a network on Fashion-MNIST with its official split: the epoch is chosen on pictures set aside from the
 * official 60,000, the accuracy is that on the official 10,000, which nothing else looks at.
 *
 * @module
 */
import { join } from "node:path";
import { Command } from "npm:commander@15.1.0";
import { fashionMNIST } from "../lib/data/datasets/fashion_mnist.ts";
import { terminalBar } from "../lib/training/readers/terminal_bar.ts";
import { evaluate, fineTune, report } from "../mod.ts";
import { atLeastOne, positive } from "./_flag_values.ts";
import { exitCodes, runProgram } from "./_program.ts";
import { bar, bold, chapter, dim, percent } from "./_terminal.ts";

const command = new Command("deno run -A recipes/fashion_mnist.ts")
  .description("Fine-tunes a network on Fashion-MNIST with its official split.")
  .option("--model <id>", "the network", "tf_efficientnet_lite0")
  .option("--scratch", "from random weights")
  .option("--epochs <n>", "passes over the training pictures", atLeastOne, 5)
  .option("--size <pixels>", "width and height that the pictures are scaled to", atLeastOne, 64)
  .option("--batch-size <n>", "pictures a step", atLeastOne, 64)
  .option("--learning-rate <x>", "learning rate at the start", positive, 0.03)
  .option("--seed <n>", "of the validation pictures and the run", Number, 0)
  .option("--data <folder>", "folder of the four IDX files (default: Debian's dataset-fashion-mnist)")
  .option("--resume", "go on with the run in the output folder, where it was stopped")
  .option("--output <folder>", "where checkpoints and the report go", "outputs/fashion_mnist")
  .parse(["deno", "fashion_mnist", ...Deno.args]);
const options = command.opts<
  {
    model: string;
    scratch?: boolean;
    epochs: number;
    size: number;
    batchSize: number;
    learningRate: number;
    seed: number;
    data?: string;
    resume?: boolean;
    output: string;
  }
>();
const { model, scratch, epochs, size, batchSize, learningRate, seed, output } = options;

await runProgram(async () => {
  const data = await fashionMNIST(options.data, { seed });
  chapter(`Fashion-MNIST, ${model} from ${scratch ? "random" : "ImageNet"} weights`);
  const progress = terminalBar();
  const run = await fineTune(model, data, {
    epochs,
    imageSize: size,
    batchSize,
    learningRate,
    seed,
    outputDir: output,
    onEvent: progress,
    ...(scratch ? { weights: null } : {}),
    ...(options.resume ? { resumeFrom: output } : {}),
  });
  await progress.close();
  if (run.stopped === "interrupted") {
    console.log("Stopped; the same command with --resume goes on.");
    return exitCodes.interrupted;
  }

  chapter("The official 10,000 test pictures");
  const evaluation = await evaluate(run, data.test, { saveMetricsTo: join(output, "metrics.yaml") });
  const [low, high] = evaluation.top1Interval;
  console.log(
    `top-1 ${bold(percent(evaluation.top1))} (${percent(low)} to ${percent(high)} with 95 % confidence)\n`,
  );
  for (const { className, recall } of evaluation.perClass) {
    console.log(`  ${className.padEnd(12)} ${bar(recall, 24)} ${percent(recall).padStart(7)}`);
  }
  const file = join(output, "report.html");
  await report(run, { file, evaluation });
  console.log(dim(`\n${file}`));
  return exitCodes.ok;
});
