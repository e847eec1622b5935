/**
 * Time from starting the program, and from the call that trains, to the end of the first step, beside timm on PyTorch
 * with its own data loader. Both import their library, list a folder of JPEG files of 500 x 375 pixels, make a network
 * with random weights, decode and augment a batch, and take a step.
 *
 * `deno run -A bench/first_batch.ts [--model efficientnet_lite0] [--batch 32] [--size 224] [--rounds 5]`
 *
 * @module
 */
import { join } from "node:path";
import { Command } from "npm:commander@15.1.0";
import sharp from "npm:sharp@0.35.5";
import { interleave } from "./_interleave.ts";
import { pythonEnvironment } from "../tests/interop/python_environment.ts";

const command = new Command("first_batch")
  .option("--model <id>", "timm id", "efficientnet_lite0")
  .option("--batch <n>", "pictures a step", "32")
  .option("--size <pixels>", "side of the pictures", "224")
  .option("--rounds <n>", "measurements of each", "5")
  .option("--python <path>", "a Python with torch and timm; made in the cache if left out")
  .parse(["deno", "first_batch", ...Deno.args]);
const { model, batch, size, rounds, python: given } = command.opts<Record<string, string>>();
const python = given ?? await pythonEnvironment();
const here = new URL(".", import.meta.url).pathname;

const folder = await Deno.makeTempDir();
try {
  await writePictures(folder, 4 * Number(batch));
  const results = await interleave<"fromStart" | "fromCall">(
    {
      "Whittle": new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", `${here}first_batch_whittle.ts`, folder, model!, batch!, size!],
        stderr: "null",
      }),
      "PyTorch": new Deno.Command(python, {
        args: [`${here}peers/first_batch_timm.py`, folder, model!, batch!, size!],
        stderr: "null",
      }),
    },
    Number(rounds),
    model!,
  );
  console.log(
    `${model}, batch ${batch}, ${size} px, seconds to the end of the first step, medians of ${rounds}\n`,
  );
  for (const [name, { fromStart, fromCall }] of Object.entries(results)) {
    console.log(
      `${name.padEnd(8)} from the start ${fromStart.toFixed(1)}, from the call ${fromCall.toFixed(1)}`,
    );
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}

/** Two classes of noise, half of the pictures each, in `train`; a few in `val`. */
async function writePictures(folder: string, count: number): Promise<void> {
  const noise = crypto.getRandomValues(new Uint8Array(65536));
  for (const [split, each] of [["train", count / 2], ["val", 2]] as const) {
    for (const name of ["a", "b"]) {
      await Deno.mkdir(join(folder, split, name), { recursive: true });
      for (let i = 0; i < each; i++) {
        const pixels = Uint8Array.from({ length: 25 * 19 * 3 }, (_, at) => noise[(at + 977 * i) % 65536]!);
        await sharp(pixels, { raw: { width: 25, height: 19, channels: 3 } }).resize(500, 375)
          .jpeg({ quality: 88 }).toFile(join(folder, split, name, `${i}.jpg`));
      }
    }
  }
}
