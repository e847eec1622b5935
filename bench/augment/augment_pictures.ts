/**
 * Measures an augmentation in a process of its own, for `bench/augment_speed.ts`.
 *
 * `deno run -A bench/augment/augment_pictures.ts FOLDER STEPS SECONDS`: the folder has PNG files in folders; the steps are
 * JSON. Prints the milliseconds of processor time that a picture takes.
 *
 * @module
 */
import process from "node:process";
import sharp from "npm:sharp@0.35.5";
import type { Pixels } from "../../lib/augment/augmentation.ts";
import { createAugmentation } from "../../lib/augment/augmentation_steps.ts";
import { createRng } from "../../lib/augment/rng.ts";
import { imageFolder } from "../../lib/data/image_folder.ts";

const [folder, steps, seconds] = Deno.args as [string, string, string];
const augment = createAugmentation(JSON.parse(steps));
const pictures: Pixels[] = [];
for (const { image } of (await imageFolder(folder)).samples) {
  const { data, info } = await sharp(image as string).removeAlpha().raw().toBuffer({
    resolveWithObject: true,
  });
  pictures.push({ width: info.width, height: info.height, data: new Uint8Array(data) });
}

let pass = 0;
const once = () => {
  pictures.forEach((picture, index) => augment(picture, createRng(0, "augmentation", pass, index)));
  pass++;
};
for (let count = 0; count < 3; count++) once(); // warms up
const before = process.cpuUsage(), passesBefore = pass;
while (processorSeconds() < Number(seconds)) once();
const milliseconds = 1000 * processorSeconds() / ((pass - passesBefore) * pictures.length);
console.log(JSON.stringify({ milliseconds }));
Deno.exit();

function processorSeconds(): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
