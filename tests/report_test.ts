import assert from "node:assert/strict";
import { report } from "../lib/report.ts";
import { inspectData } from "../lib/data/inspect_data.ts";
import { exampleSearch } from "./lr_finder/_example_search.ts";
import { exampleEvaluation, exampleRunSummary } from "./notebook/_example_evaluation.ts";

/** The page after a real browser has run its scripts, and what the browser complained about. */
async function browse(file: string): Promise<{ page: string; complaints: string[] }> {
  const profile = await Deno.makeTempDir();
  const flags = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking " +
    "--disable-component-update --disable-sync --enable-logging=stderr --virtual-time-budget=20000 --dump-dom";
  try {
    const { stdout, stderr } = await new Deno.Command("chromium", {
      args: [...flags.split(" "), `--user-data-dir=${profile}`, `file://${file}`],
    }).output();
    const log = new TextDecoder().decode(stderr).split("\n");
    return {
      page: new TextDecoder().decode(stdout),
      complaints: log.filter((line) => line.includes("CONSOLE")),
    };
  } finally {
    await Deno.remove(profile, { recursive: true });
  }
}

/** A data set with a picture that cannot be read. */
async function inspection() {
  const grey = { width: 40, height: 40, channels: 1 as const, data: new Uint8Array(1600) };
  return await inspectData({
    name: "pets",
    classNames: ["cat", "<b>dog</b>", "owl"],
    samples: [{ name: "a", image: grey, label: 0 }, { name: "<u>b", image: new Uint8Array([1]), label: 1 }],
  });
}

Deno.test("report() writes one page that a browser draws without complaint and without a network", async () => {
  const file = `${await Deno.makeTempDir()}/new/report.html`;
  const written = await report(exampleRunSummary(), {
    evaluation: exampleEvaluation(),
    inspection: await inspection(),
    file,
  });
  assert.deepEqual(written, { file, sizeBytes: (await Deno.stat(file)).size });
  const source = await Deno.readTextFile(file);
  assert.doesNotMatch(source, /<(script|link|img|iframe)[^>]+(src|href)="(?!data:)/);
  assert.match(source, /default-src 'none'/);

  const { page, complaints } = await browse(file);
  assert.deepEqual(complaints, []);
  assert.equal(page.match(/ class="plot-container plotly"/g)?.length, 5, "five figures are drawn");
  const titles = [...page.matchAll(/<h2>(.*?)<\/h2>/g)].map((match) => match[1]);
  assert.deepEqual(titles, [
    "Training",
    "Which class is taken for which",
    "Worst mistakes",
    "Quality of each class",
    "Can its confidence be believed",
    "Data",
    "Recipe",
    "Environment",
  ]);
});

Deno.test("report() shows names as text", async () => {
  const file = `${await Deno.makeTempDir()}/report.html`;
  await report(exampleRunSummary(), {
    evaluation: exampleEvaluation(),
    inspection: await inspection(),
    file,
  });
  const source = await Deno.readTextFile(file);
  assert.doesNotMatch(source, /<b>dog|<i>3|<u>b/);
  assert.match(source, /&lt;b&gt;dog&lt;\/b&gt;/);
});

Deno.test("report() needs nothing but a run, and writes beside its checkpoint", async () => {
  const folder = await Deno.makeTempDir();
  const { file } = await report({ ...exampleRunSummary(), checkpoint: `${folder}/best.safetensors` });
  assert.equal(file, `${folder}/report.html`);
  const source = await Deno.readTextFile(file);
  assert.match(source, /<h1>mobilenetv3_small_100<\/h1>/);
  assert.match(source, /<dt>classWeights<\/dt>\s*<dd>\{&quot;cat&quot;:1\}<\/dd>/);
  assert.match(source, /<dt>seed<\/dt>\s*<dd>7<\/dd>/);
});

Deno.test("report() tells of a run that was stopped before an epoch was finished", async () => {
  const { model } = exampleRunSummary();
  const file = `${await Deno.makeTempDir()}/report.html`;
  await report({ model, history: [], stopped: "interrupted" }, { file });
  assert.match(await Deno.readTextFile(file), /No epoch was finished\./);
});

Deno.test("report() tells of the search for the learning rate", async () => {
  const file = `${await Deno.makeTempDir()}/report.html`;
  await report({ ...exampleRunSummary(), lr: exampleSearch }, { file });
  const source = await Deno.readTextFile(file);
  assert.match(
    source,
    /<h2>Learning rate<\/h2><p>The search suggested 0\.005\. Its top-1 of 85\.0 % is 15\.0 points/,
  );
  assert.match(source, /top-1 85\.0 % after 2 epochs \(suggestion\)/);
});

Deno.test("report() refuses what is no run", async () => {
  await assert.rejects(report(undefined as never), {
    name: "TypeError",
    message: "Cannot report: found no run, wanted what fineTune() returned\n" +
      "  help: write for example report(run, { evaluation })",
  });
});

Deno.test("report() refuses options it does not know", async () => {
  await assert.rejects(report(exampleRunSummary(), { path: "report.html" } as never), {
    name: "TypeError",
    message: 'Cannot run report(): 1 option is not known\n  "path"\n' +
      "  help: the options of report() are evaluation, file, inspection",
  });
});
