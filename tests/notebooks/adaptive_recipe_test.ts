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

const path = join(repository, "notebooks", "03_adaptive_recipe.ipynb");
const text = "display_data: text/html, text/plain";
const figure = "display_data: application/vnd.plotly.v1+json, image/png, text/plain";

/** What each cell of code puts out. */
const forms: Record<string, string[]> = {
  imports: [],
  pictures: ["stream: stdout"],
  adaptive: [text, figure],
  recipe: ["stream: stdout"],
  epochs: ["stream: stdout"],
  augmentation: ["execute_result: text/html"],
  baseline: [text, figure],
  compare: ["stream: stdout"],
  mutual: [text, figure, "stream: stdout"],
  errors: ["stream: stdout"],
};

function assertStory(notebook: Notebook): void {
  const found = codeCells(notebook).map(({ id, outputs }) => [id, outputs?.map(form)]);
  assert.deepEqual(Object.fromEntries(found), forms);
  assert.equal(printed(byId(notebook, "pictures")), "280 pictures to learn from, 4 classes\n");
  const recipe = JSON.parse(printed(byId(notebook, "recipe")));
  assert.deepEqual([recipe.name, recipe.loss, recipe.sam], ["adaptive", "amSoftmax", { rho: 0.05 }]);
  const epochs = printed(byId(notebook, "epochs")).trimEnd().split("\n");
  assert.equal(epochs.length, 8);
  assert.match(
    epochs[0]!,
    /^epoch 1 {2}rate 0\.0010 {2}loss \d\.\d+ {2}weights +[\d.]+ % {2}average +[\d.]+ %$/,
  );
  assert.equal(shown(byId(notebook, "augmentation"), 0, "text/html").match(/<img /g)?.length, 12);
  const [adaptive, baseline] = [...printed(byId(notebook, "compare")).matchAll(/top-1 +([\d.]+) %/g)]
    .map(([, top1]) => Number(top1));
  assert.ok(adaptive! > 30 && baseline! > 30, `top-1 ${adaptive} and ${baseline} %, chance is 25 %`);
  assert.match(printed(byId(notebook, "mutual")), /^auxiliary_1\.safetensors\nbest\.safetensors\n/);
  const [first, ...problems] = printed(byId(notebook, "errors")).split("\n");
  assert.equal(first, "Cannot run fineTune(): 4 options have values that cannot be used");
  for (const name of ["augmentation[0].kind", "augmentation[1].degrees", "ema.decay", ".marign"]) {
    assert.ok(problems.some((line) => line.includes(name)), name);
  }
}

Deno.test("the notebook about recipes is stored with its outputs, small and without names of the machine", async () => {
  const notebook = await readNotebook(path);
  assertStory(notebook);
  await assertStored(path, notebook);
});

Deno.test("the notebook about recipes runs in the Deno kernel", async () => {
  await assertRuns(path, ({ executed }) => assertStory(executed));
});
