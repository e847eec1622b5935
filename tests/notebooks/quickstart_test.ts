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

const path = join(repository, "notebooks", "01_quickstart.ipynb");
const text = "display_data: text/html, text/plain";
const figure = "display_data: application/vnd.plotly.v1+json, image/png, text/plain";
const value = "execute_result: text/html, text/plain";

/** What each cell of code puts out. */
const forms: Record<string, string[]> = {
  imports: [],
  pictures: ["stream: stdout"],
  open: [text, value],
  train: [text, figure],
  evaluate: [text, figure, figure, text, value],
  predict: [text, "execute_result: text/plain"],
  stopped: ["stream: stdout"],
  resumed: [text, figure, "stream: stdout"],
  report: ["stream: stdout"],
  load: ["stream: stdout"],
};

function assertForms(notebook: Notebook): void {
  const found = codeCells(notebook).map(({ id, outputs }) => [id, outputs?.map(form)]);
  assert.deepEqual(Object.fromEntries(found), forms);
}

/** The accuracy on the exam, 0..1. */
function accuracy(notebook: Notebook): number {
  const [, percent] =
    /^top-1 accuracy +([\d.]+) %/.exec(shown(byId(notebook, "evaluate"), 0, "text/plain")) ?? [];
  return Number(percent) / 100;
}

function assertStory(notebook: Notebook): void {
  assertForms(notebook);
  assert.match(printed(byId(notebook, "pictures")), /^train\/Animals & Nature\/\S+\.png and 111 more\n/);
  assert.match(
    shown(byId(notebook, "open"), 0, "text/plain"),
    /672 training, 144 validation, 144 test; 6 classes/,
  );
  assert.match(shown(byId(notebook, "open"), 0, "text/html"), /<img src="data:image\/jpeg;base64,/);
  assert.match(shown(byId(notebook, "train"), 0, "text/plain"), /epoch 4 of 4, .* state Done after/);
  assert.ok(accuracy(notebook) > 2 / 6, `top-1 is ${accuracy(notebook)}, chance is 1/6`);
  assert.equal(shown(byId(notebook, "predict"), 0, "text/html").match(/<img /g)?.length, 6);
  assert.equal(printed(byId(notebook, "stopped")), "interrupted, 2 epochs are done\n");
  assert.equal(printed(byId(notebook, "resumed")), "the same losses, to the last bit\n");
  assert.match(printed(byId(notebook, "report")), /^outputs\/quickstart\/report\.html: \d\.\d MB\n$/);
  assert.match(printed(byId(notebook, "load")), /^[\d.]+ %, as before\n$/);
}

Deno.test("the quickstart is stored with its outputs, small and without names of the machine", async () => {
  const notebook = await readNotebook(path);
  assertStory(notebook);
  await assertStored(path, notebook);
});

Deno.test("the quickstart runs from top to bottom in the Deno kernel and gives what is stored", async () => {
  await assertRuns(path, async ({ executed, stored, folder }) => {
    assertStory(executed);
    // Other processors round differently, so that numbers may differ, but not much.
    assert.ok(Math.abs(accuracy(executed) - accuracy(stored)) < 0.15);
    for (const id of ["pictures", "stopped", "resumed"]) {
      assert.equal(printed(byId(executed, id)), printed(byId(stored, id)));
    }
    assert.equal(
      shown(byId(executed, "open"), 0, "text/plain"),
      shown(byId(stored, "open"), 0, "text/plain"),
    );
    const outputs = [
      "quickstart/best.safetensors",
      "quickstart/resume.safetensors",
      "quickstart/history.csv",
      "quickstart/events.jsonl",
      "quickstart/report.html",
      "quickstart/confusion_matrix.svg",
      "stopped/best.safetensors",
    ];
    for (const file of outputs) {
      const { size } = await Deno.stat(join(folder, "outputs", file));
      assert.ok(size > 100, `${file} has ${size} bytes`);
    }
  });
});
