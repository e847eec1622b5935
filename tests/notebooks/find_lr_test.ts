import assert from "node:assert/strict";
import { join } from "node:path";
import {
  assertRuns,
  assertStored,
  byId,
  codeCells,
  form,
  type Notebook,
  printed,
  readNotebook,
  repository,
  shown,
} from "./_notebook.ts";

const path = join(repository, "notebooks", "02_find_lr.ipynb");
const text = "display_data: text/html, text/plain";
const figure = "display_data: application/vnd.plotly.v1+json, image/png, text/plain";
const value = "execute_result: text/html, text/plain";

/** What each cell of code puts out. */
const forms: Record<string, string[]> = {
  imports: [],
  open: ["stream: stdout"],
  trials: [text, figure],
  result: [figure, text, value],
  range: [text, figure, "stream: stdout"],
  flat: ["stream: stdout"],
  resume: ["stream: stdout"],
  train: [text, figure, "stream: stdout"],
};

function assertStory(notebook: Notebook): void {
  const found = codeCells(notebook).map(({ id, outputs }) => [id, outputs?.map(form)]);
  assert.deepEqual(Object.fromEntries(found), forms);
  assert.equal(printed(byId(notebook, "open")), "448 to train on, 96 to validate\n");
  assert.match(
    shown(byId(notebook, "trials"), 0, "text/plain"),
    /^Looking for the learning rate: 6 trials of 2 epochs at rates from 0\.001 to 0\.1 in steps of 0\.003, chosen by TPE\. It takes at most 12 epochs of 448 pictures, about \d+:\d\d, less if trials are pruned\n/,
  );
  assert.match(
    shown(byId(notebook, "result"), 1, "text/plain"),
    /^tf_efficientnet_lite0\.pypi_in1k, TPE: suggestion 0\.\d+ \((clear|flat)\), in .*\nrule: the rate of the trial/,
  );
  assert.match(printed(byId(notebook, "range")), /^0\.0\d+ clear\n$/);
  assert.match(printed(byId(notebook, "flat")), /^undefined flat\nThe loss does not fall: .*\n$/);
  assert.equal(
    printed(byId(notebook, "resume")),
    "interrupted after 1 of 3 trials\nthe same trials, to the last bit\n",
  );
  const [, top1] = /^0\.\d+: top-1 ([\d.]+) %\n$/.exec(printed(byId(notebook, "train"))) ?? [];
  assert.ok(Number(top1) > 35, `top-1 is ${top1} %, chance is 25 %`);
}

Deno.test("the notebook about learning rates is stored with its outputs, small and without names of the machine", async () => {
  const notebook = await readNotebook(path);
  assertStory(notebook);
  await assertStored(path, notebook);
});

Deno.test("the notebook about learning rates runs in the Deno kernel and finds what is stored", async () => {
  await assertRuns(path, async ({ executed, folder }) => {
    assertStory(executed);
    for (const file of ["find_lr/find_lr.json", "range_test/curve.svg", "with_found_rate/best.safetensors"]) {
      assert.ok((await Deno.stat(join(folder, "outputs", file))).size > 100, file);
    }
  });
});
