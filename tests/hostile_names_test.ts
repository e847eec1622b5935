/** Folders and files may have any name; what reads them must show each as text, on one line. */
import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "npm:sharp@0.35.5";
import { parse } from "npm:yaml@2.9.1";
import { createRng } from "../lib/augment/rng.ts";
import { imageFolders } from "../lib/data/image_folder.ts";
import { evaluate } from "../lib/evaluate.ts";
import { fineTune } from "../lib/fine_tune.ts";
import { inspect } from "../lib/inspect.ts";
import { predict } from "../lib/predict.ts";
import { report } from "../lib/report.ts";
import { drawShape, shapeNames } from "./training/_shapes.ts";

const classNames = [
  "\x1b[31mred",
  "<img src=x onerror=alert(1)>",
  "a \"dog\"\n'ü' & </script><script>alert(2)</script>",
];
const fileNames = [
  "new\nline \"quoted\" 'single'.png",
  "<script>alert(3)<\\script>.png",
  "\x1b]0;title\x07.png",
];

/** Pictures in folders and files of such names. */
async function writePictures(folder: string): Promise<void> {
  for (const [set, seed] of [["train", 1], ["val", 2]] as const) {
    for (const [label, className] of classNames.entries()) {
      // A slash cannot be in a name.
      const path = join(folder, set, className.replaceAll("/", "\\"));
      await Deno.mkdir(path, { recursive: true });
      for (const [index, name] of fileNames.entries()) {
        const rng = createRng(seed, "split", label, index);
        const { data, width, height } = drawShape(shapeNames[label]!, 32, rng);
        await sharp(data, { raw: { width, height, channels: 3 } }).png().toFile(join(path, name));
      }
    }
  }
}

/** Fails where a name would be more than text on a page. */
function assertSafeHtml(page: string, where: string): void {
  assert.doesNotMatch(page, /<img src=x|<script>alert|<\/script><script>alert/i, where);
}

/** Fails where a name would break a line or reach the terminal as a command. */
function assertSafeText(text: string, where: string): void {
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/, where);
  assert.doesNotMatch(text, /^'ü'|^line "quoted/m, where);
}

async function show(result: object): Promise<Record<string, string>> {
  return await (result as Record<symbol, () => Promise<Record<string, string>>>)[
    Symbol.for("Jupyter.display")
  ]!();
}

Deno.test("names with line breaks, quotes, HTML and escape codes stay text from the pictures to the report", async () => {
  const root = await Deno.makeTempDir();
  try {
    const folder = join(root, `line\nbreak "<b>'`);
    const pictures = join(folder, "pictures");
    await writePictures(pictures);
    const data = await imageFolders(pictures);
    assert.equal(data.train.samples.length, 9);

    const inspection = await inspect(data);
    assertSafeText(Deno.inspect(inspection), "inspection");
    assertSafeHtml((await show(inspection))["text/html"]!, "inspection");

    const run = await fineTune("mobilenetv3_small_100", data, {
      weights: null,
      imageSize: 32,
      epochs: 1,
      batchSize: 9,
      outputDir: join(folder, "run"),
      view: false,
    });
    assertSafeText(Deno.inspect(run), "run");
    assertSafeHtml((await show(run))["text/html"] ?? "", "run");

    // A picture under a wrong class is a mistake at least once.
    const wrong = {
      ...data.validation,
      samples: data.validation.samples.flatMap((sample) => [0, 1, 2].map((label) => ({ ...sample, label }))),
    };
    const saveMetricsTo = join(folder, "metrics.yaml");
    const evaluation = await evaluate(run, wrong, { saveMetricsTo });
    assert.ok(evaluation.mistakes.length >= 18);
    assertSafeText(Deno.inspect(evaluation), "evaluation");
    const { "text/plain": text, ...shown } = await show(evaluation);
    assertSafeText(text!, "evaluation");
    for (const [type, output] of Object.entries(shown)) assertSafeHtml(JSON.stringify(output), type);
    for (const figure of [evaluation.figures.confusionMatrix, evaluation.figures.perClass]) {
      assertSafeHtml(await figure.svg(), "figure as SVG");
      assertSafeHtml((await figure.html()).replace(/<script>[^]*?<\/script>/, ""), "figure as HTML");
    }
    assert.equal(parse(await Deno.readTextFile(saveMetricsTo)).files[0].source, run.checkpoint);

    const { file } = await report(run, { evaluation, inspection });
    assertSafeHtml(await Deno.readTextFile(file), "report");

    const names = data.classNames;
    const [[best]] = await predict(run.checkpoint, data.validation.samples[0]!.image);
    assert.ok(names.includes(best!.label));
    const all = await predict(run.checkpoint, join(pictures, "val", names[0]!));
    assert.equal(all.length, 3);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
