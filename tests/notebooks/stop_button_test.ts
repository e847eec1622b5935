import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { notebooksFolder, runPython } from "./_notebook.ts";

Deno.test("fineTune() returns a usable model when Stop is pressed, and the kernel lives", async () => {
  const folder = await notebooksFolder();
  // Many epochs: only Stop ends this within the test.
  const train = `
    import { fineTune, predict } from "../mod.ts";
    const pixels = (label, i) => ({
      width: 32, height: 32, channels: 3, data: Uint8Array.from({ length: 3072 }, (_, k) => (k * (label + 2) + i) % 256),
    });
    const samples = (count) => Array.from({ length: count }, (_, i) => (
      { image: pixels(i % 2, i), label: i % 2, name: String(i) }
    ));
    const classNames = ["even", "odd"];
    const run = await fineTune("mobilenetv3_small_100", {
      classNames,
      train: { name: "train", classNames, samples: samples(16) },
      validation: { name: "validation", classNames, samples: samples(4) },
    }, { weights: null, imageSize: 32, batchSize: 8, epochs: 100000, outputDir: "run" });
  `;
  const use = `
    const [[best]] = await predict(run, pixels(0, 1));
    console.log(run.stopped, run.history.length < 100000, run.best !== undefined, classNames.includes(best.label));
  `;
  const answer = await runPython("_stop_kernel.py", [
    folder,
    join(folder, "run", "best.safetensors"),
    train,
    use,
  ]);
  assert.deepEqual(JSON.parse(answer), {
    cells: [
      { status: "ok", error: null, text: "" },
      { status: "ok", error: null, text: "interrupted true true true\n" },
    ],
    lives: true,
  });
  await Deno.remove(dirname(folder), { recursive: true });
});
