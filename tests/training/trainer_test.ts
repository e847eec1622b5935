import assert from "node:assert/strict";
import { join } from "node:path";
import { type Moment, smallData, stepsPerEpoch, trainAndDie, trainSmall } from "./_killed_run.ts";
import { readRunFolder } from "./_run_folder.ts";

const root = await Deno.realPath(await Deno.makeTempDir());
addEventListener("unload", () => Deno.removeSync(root, { recursive: true }));

/** The run that nobody interrupts, trained once. */
let whole: Promise<Awaited<ReturnType<typeof readRunFolder>>> | undefined;
function uninterrupted() {
  return whole ??= (async () => {
    const outputDir = join(root, "whole");
    await trainSmall({ outputDir });
    return await readRunFolder(outputDir);
  })();
}

const moments: [string, Moment[]][] = [
  ["in the first steps", [{ at: "step", epoch: 0, step: 2 }]],
  ["at a random step", [{ at: "step", epoch: 1, step: Math.floor(Math.random() * stepsPerEpoch) }]],
  ["while its state was being written", [{ at: "writing", epoch: 1, step: 3 }]],
  ["between the row of an epoch and its files", [{ at: "epoch", epoch: 0 }]],
  ["between the best weights and the state, and again in validation's epoch", [
    { at: "best", epoch: 0 },
    { at: "step", epoch: 2, step: stepsPerEpoch - 1 },
  ]],
  ["while it was validated", [{ at: "validation" }]],
];

for (const [index, [when, kills]] of moments.entries()) {
  Deno.test(`train() killed ${when} and resumed ends as if it never was, bit for bit`, async () => {
    const outputDir = join(root, `killed ${index}`);
    for (const [count, moment] of kills.entries()) {
      await trainAndDie({ outputDir, ...(count === 0 ? {} : { resumeFrom: outputDir }) }, moment);
    }
    const left = [...Deno.readDirSync(outputDir)].map(({ name }) => name);
    const halfWritten = left.filter((name) => name.endsWith(".tmp"));
    assert.equal(halfWritten.length, kills[0]!.at === "writing" ? 1 : 0, left.join());
    const run = await trainSmall({ resumeFrom: outputDir });
    assert.equal(run.stopped, "completed");
    assert.equal(run.outputDir, outputDir);
    assert.deepEqual(await readRunFolder(outputDir), await uninterrupted());
  });
}
void smallData;
