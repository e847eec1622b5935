/** A program in another folder, without this repository's deno.json, imports `mod.ts` by its path. */
import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "npm:sharp@0.35.5";
import { drawShape, shapeNames } from "./training/_shapes.ts";
import { createRng } from "../lib/augment/rng.ts";

const program = `
import { evaluate, fineTune, imageFolders, predict } from ${
  JSON.stringify(new URL("../mod.ts", import.meta.url).href)
};
import { compile, record, tf } from ${
  JSON.stringify(new URL("../lib/tensorflow/mod.ts", import.meta.url).href)
};

const data = await imageFolders("pictures");
const run = await fineTune("mobilenetv3_small_100", data, {
  weights: null, imageSize: 32, epochs: 1, batchSize: 6, outputDir: "run", view: false,
});
const { top1Interval } = await evaluate(run.checkpoint, data.validation);
const [[best]] = await predict("run/best.safetensors", "pictures/val/disc/0.png");

const double = compile(record(({ x }) => ({ y: tf.mul(x, 2) }), { x: { dtype: "float32", shape: [2] } }));
const { y } = await double.run({ x: { dtype: "float32", shape: [2], data: new Float32Array([1, 2]) } });
console.log(JSON.stringify({
  classNames: run.model.classNames, stopped: run.stopped, top1Interval, best, y: Array.from(y.data, Number),
}));
`;

Deno.test("mod.ts imported by path trains, evaluates and predicts in a folder outside the clone", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const [set, count] of [["train", 4], ["val", 2]] as const) {
      for (const [label, className] of shapeNames.entries()) {
        await Deno.mkdir(join(folder, "pictures", set, className), { recursive: true });
        for (let index = 0; index < count; index++) {
          const { data, width, height } = drawShape(className, 32, createRng(count, "split", label, index));
          await sharp(data, { raw: { width, height, channels: 3 } }).toFile(
            join(folder, "pictures", set, className, `${index}.png`),
          );
        }
      }
    }
    await Deno.writeTextFile(join(folder, "main.ts"), program);
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--check", "-A", "main.ts"],
      cwd: folder,
      env: { NO_COLOR: "1" },
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    const { classNames, stopped, top1Interval, best, y } = JSON.parse(new TextDecoder().decode(stdout));
    assert.deepEqual(classNames, ["cross", "disc", "square"]);
    assert.equal(stopped, "completed");
    assert.equal(top1Interval.length, 2);
    assert.ok(classNames.includes(best.label) && best.probability > 0 && best.probability <= 1, best);
    assert.deepEqual(y, [2, 4]);
    const written = Array.from(Deno.readDirSync(join(folder, "run")), ({ name }) => name).sort();
    assert.deepEqual(written, [
      "best.safetensors",
      "events.jsonl",
      "history.csv",
      "resume.safetensors",
      "tensorboard",
    ]);
    const left = Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
    assert.deepEqual(left, ["main.ts", "pictures", "run"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
