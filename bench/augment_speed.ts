/**
 * What augmentation costs: milliseconds a picture of AugMix, cutout, rotation, flip, and all of a recipe, beside timm's
 * AugMix and Pillow, on this machine.
 *
 *     deno run -A bench/augment_speed.ts [--size 224] [--rounds 5] [--seconds 2] [--python path] [--results path]
 *
 * Each measurement is a process of its own with one thread, ours and timm's in turns, on the same pictures of the emoji
 * set. Times are the processor's, so that other work on the machine counts little. Writes medians of the rounds as JSON,
 * and prints a table.
 *
 * @module
 */
import { Command } from "npm:commander@15.1.0";
import { emojiPictures } from "../lib/data/datasets/emoji.ts";
import { writeFile } from "../lib/files/write_file.ts";
import { describeRun } from "./training/results.ts";
import { pythonEnvironment } from "../tests/interop/python_environment.ts";
import { interleave } from "./_interleave.ts";
import { type AugmentationName, augmentations } from "./augment/augmentations.ts";
import { toMarkdown } from "./training/tables.ts";

const options = new Command("augment_speed")
  .option("--size <pixels>", "side of the pictures", "224")
  .option("--rounds <n>", "measurements of each", "5")
  .option("--seconds <s>", "least time of a measurement", "2")
  .option("--python <path>", "a Python with timm")
  .option("--results <path>", "the file", new URL("results/augment.json", import.meta.url).pathname)
  .parse(["deno", "augment_speed", ...Deno.args]).opts<
  { size: string; rounds: string; seconds: string; python?: string; results: string }
>();
const { size, rounds, seconds, results: path } = options;
const python = options.python ?? await pythonEnvironment();
const { folder } = await emojiPictures({ size: Number(size), picturesPerClass: 40 });
const here = new URL(".", import.meta.url).pathname;

const measured: Partial<Record<AugmentationName, Record<string, { milliseconds: number }>>> = {};
for (const [name, steps] of Object.entries(augmentations)) {
  const common = [`${folder}/test`, JSON.stringify(steps), seconds];
  measured[name as AugmentationName] = await interleave<"milliseconds">(
    {
      whittle: new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", `${here}augment/augment_pictures.ts`, ...common],
        stderr: "inherit",
      }),
      timm: new Deno.Command(python, {
        args: [`${here}peers/augment_timm.py`, ...common],
        stderr: "inherit",
      }),
    },
    Number(rounds),
    name,
  );
}
const settings = { size: Number(size), rounds: Number(rounds), seconds: Number(seconds) };
const run = await describeRun(["deno run -A bench/augment_speed.ts", ...Deno.args].join(" "));
await writeFile(path, `${JSON.stringify({ run, settings, measured }, null, 2)}\n`);

const rows = Object.entries(measured).map(([name, { whittle, timm }]) => [
  name,
  `${whittle!.milliseconds.toFixed(2)} ms`,
  `${timm!.milliseconds.toFixed(2)} ms`,
  `${(whittle!.milliseconds / timm!.milliseconds).toFixed(2)}x`,
]);
console.log(toMarkdown(["augmentation", "Whittle", "timm, Pillow", "Whittle to timm"], rows));
