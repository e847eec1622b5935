import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const demo = fileURLToPath(new URL("../../recipes/demo.ts", import.meta.url));

async function runDemo(...args: string[]): Promise<{ code: number; output: string; errors: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", demo, ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, output: text(stdout), errors: text(stderr) };
}

Deno.test("demo tells the story from pictures to predictions, and leaves weights and a report", async () => {
  const folder = await Deno.makeTempDir({ prefix: "whittle_demo_" });
  try {
    const { code, output, errors } = await runDemo(
      ...["--epochs", "1", "--size", "32", "--pictures", "20", "--output", folder],
    );
    assert.equal(code, 0, errors);
    const chapters = [...output.matchAll(/^(\d) {2}(.+?) ─+$/gm)].map(([, number, title]) =>
      `${number} ${title}`
    );
    assert.deepEqual(chapters, [
      "1 Pictures",
      "2 Inspection",
      "3 Fine-tuning, from ImageNet weights",
      "4 The same run, from random weights",
      "5 Exam",
      "6 Predictions",
      "7 What is left behind",
    ]);
    assert.match(output, /84 to learn from, 18 to choose the best epoch by, 18 for the exam/);
    assert.match(output, /ImageNet weights .* \d+\.\d % {3}\d+\.\d to \d+\.\d with 95 % confidence/);
    assert.match(output, /random weights .* \d+\.\d %/);
    assert.match(output, /-?\d+\.\d points are what the pretrained weights are worth here/);
    assert.equal(output.match(/^ {2}\S+ .* % {3}(right|it is .*)$/gm)?.length, 6); // one picture of each class

    assert.match(await Deno.readTextFile(`${folder}/report.html`), /<html/);
    for (const run of ["pretrained", "scratch"]) {
      assert.ok((await Deno.stat(`${folder}/${run}/best.safetensors`)).size > 10_000_000);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("demo refuses what is no number", async () => {
  const { code, errors } = await runDemo("--epochs", "many");
  assert.equal(code, 1);
  assert.match(
    errors,
    /option '--epochs <n>' argument 'many' is invalid. wanted a whole number of at least 1/,
  );
});
