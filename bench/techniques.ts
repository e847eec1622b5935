/**
 * What each technique of the adaptive recipes costs: seconds a step and memory beside a plain step of SGD with momentum,
 * on this machine.
 *
 *     deno run -A bench/techniques.ts [--models ids] [--batch 32] [--size 224] [--rounds 3] [--results path]
 *       [--only plain,int8] [--executor tensorflow]
 *
 * Every measurement is a process of its own, and they take turns. Writes medians as JSON, and prints a table. Mutual
 * learning is with a `mobilenetv3_large_100`, so that it is compared with the sum of two plain steps too.
 *
 * @module
 */
import { Command } from "npm:commander@15.1.0";
import { writeFile } from "../lib/files/write_file.ts";
import { interleave } from "./_interleave.ts";
import { type Technique, techniques } from "./training/techniques.ts";

const options = new Command("techniques")
  .option("--models <ids>", "timm's ids, separated by commas", "mobilenetv3_small_100,efficientnet_lite0")
  .option("--batch <n>", "pictures a step", "32")
  .option("--size <pixels>", "side of the pictures", "224")
  .option("--rounds <n>", "measurements of each", "3")
  .option("--seconds <s>", "least time of a measurement", "4")
  .option("--executor <name>", "onednn or tensorflow", "onednn")
  .option("--only <names>", "some of the techniques")
  .option("--results <path>", "the file", new URL("results/techniques.json", import.meta.url).pathname)
  .parse(["deno", "techniques", ...Deno.args]).opts<Record<string, string>>();
const { batch, size, rounds, seconds, executor, results: path } = options as Record<string, string>;
const only = options["only"]?.split(",");
const here = new URL(".", import.meta.url).pathname;
const auxiliary = "mobilenetv3_large_100";

/** Median milliseconds a step, and most megabytes of the process, by technique. */
type Measured = Record<string, { milliseconds: number; megabytes: number }>;

const measure = (id: string, names: readonly string[]): Promise<Measured> =>
  interleave<"milliseconds" | "megabytes">(
    Object.fromEntries(names.map((name) => [
      name,
      new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "-A",
          "--no-check",
          `${here}technique_step.ts`,
          id,
          batch!,
          size!,
          seconds!,
          name,
          executor!,
        ],
        stderr: "inherit",
      }),
    ])),
    Number(rounds),
    id,
  );

const isAsked = (name: string) => only?.includes(name) ?? true;
const all: Record<string, Measured> = isAsked("mutual learning")
  ? { [auxiliary]: await measure(auxiliary, ["plain"]) }
  : {};
for (const id of options["models"]!.split(",")) {
  const entries = Object.entries<Technique>(techniques);
  const fitting = entries.filter(([, technique]) =>
    id.startsWith("mobilenet")
      ? technique.loss === undefined || technique.sam === undefined
      : !technique.auxiliary
  );
  all[id] = await measure(id, fitting.map(([name]) => name).filter(isAsked));
}
const settings = {
  batch: Number(batch),
  size: Number(size),
  rounds: Number(rounds),
  executor,
  cores: navigator.hardwareConcurrency,
};
await writeFile(path!, new TextEncoder().encode(`${JSON.stringify({ settings, steps: all }, null, 2)}\n`));

const other = all[auxiliary]?.["plain"]?.milliseconds ?? NaN;
const rows = Object.entries(all).flatMap(([id, measured]) => {
  const plain = measured["plain"]!;
  return Object.entries(measured).map(([name, { milliseconds, megabytes }]) => [
    id,
    name,
    `${milliseconds.toFixed(0)} ms`,
    `${(milliseconds / plain.milliseconds).toFixed(2)}x`,
    name === "mutual learning" ? `${(milliseconds / (plain.milliseconds + other)).toFixed(2)}x` : "",
    `${megabytes.toFixed(0)} MB`,
    `${(megabytes / plain.megabytes).toFixed(2)}x`,
  ]);
});
const head = [
  "model",
  "step",
  "time",
  "of a plain step",
  "of both plain steps",
  "peak memory",
  "of a plain step",
];
console.log([head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n"));
