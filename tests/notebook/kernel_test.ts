import assert from "node:assert/strict";
import { startKernel } from "./kernel_client.ts";

const library = (path: string) => JSON.stringify(new URL(`../../lib/${path}`, import.meta.url).href);

Deno.test("startKernel() runs cells of a real kernel", async () => {
  await using kernel = await startKernel(await Deno.makeTempDir());
  const { status, outputs } = await kernel.run("1 + 1");
  assert.equal(status, "ok");
  assert.deepEqual(outputs.map(({ type, content }) => [type, content.data["text/plain"]]), [[
    "execute_result",
    "2",
  ]]);
});

Deno.test("withStopSignal() lets the Stop button end nested runs while the kernel lives and keeps its state", async () => {
  await using kernel = await startKernel(await Deno.makeTempDir());
  await kernel.run(`import { withStopSignal } from ${library("notebook/stop_signal.ts")}; let steps = 0;`);
  const running = kernel.run(`await withStopSignal((outer) => withStopSignal(async (inner) => {
    while (!inner.aborted) { steps++; await new Promise((resolve) => setTimeout(resolve, 10)); }
    return [inner.aborted, outer.aborted, inner.reason.message];
  }))`);
  await new Promise((resolve) => setTimeout(resolve, 800));
  kernel.stopButton();
  await new Promise((resolve) => setTimeout(resolve, 400));
  const { status, outputs } = await running;
  assert.equal(status, "ok");
  assert.equal(outputs[0].content.data["text/plain"], '[ true, true, "Stopped by the user" ]');
  const after = await kernel.run("steps > 10");
  assert.equal(after.outputs[0].content.data["text/plain"], "true");
});

Deno.test("notebookView() updates a progress bar and curves in place, the final state last", async () => {
  await using kernel = await startKernel(await Deno.makeTempDir());
  const { status, outputs } = await kernel.run(`
    import { notebookView } from ${library("notebook/training_view.ts")};
    import { exampleRun } from ${
    JSON.stringify(new URL("../training/readers/example_run.ts", import.meta.url).href)
  };
    const view = notebookView();
    for (const event of exampleRun()) { await view(event); await new Promise((resolve) => setTimeout(resolve, 250)); }
    await view.close();
  `);
  assert.equal(status, "ok", JSON.stringify(outputs));
  const ids = new Set(outputs.map(({ content }) => content.transient.display_id));
  assert.equal(ids.size, 2);
  for (const id of ids) {
    const own = outputs.filter(({ content }) => content.transient.display_id === id);
    assert.equal(own[0].type, "display_data");
    assert.ok(own.slice(1).every(({ type }) => type === "update_display_data"));
  }
  const bars = outputs.filter(({ content }) => content.data["text/plain"].includes("best top-1"));
  assert.ok(bars.length > 5);
  assert.match(bars.at(-1)!.content.data["text/html"], /width:100.0%.*Done after 0:02/s);
  assert.match(bars.at(-1)!.content.data["text/html"], /class &quot;dog&quot; has only 2 pictures/);
  const curves = outputs.filter(({ content }) => content.data["application/vnd.plotly.v1+json"]);
  const last = curves.at(-1)!.content.data;
  assert.deepEqual(last["application/vnd.plotly.v1+json"].data[2].y, [0.6, 0.5]); // validation loss
  assert.match(last["image/png"], /^iVBOR/);
});

Deno.test("an evaluation shows its numbers, figures with a PNG beside them, mistakes and a hint in a notebook", async () => {
  await using kernel = await startKernel(await Deno.makeTempDir());
  const { status, outputs } = await kernel.run(`
    import { createEvaluation } from ${library("metrics/evaluation.ts")};
    import { withEvaluationView } from ${library("notebook/evaluation_view.ts")};
    withEvaluationView(createEvaluation({
      logits: [[2, 0], [0, 1], [3, 0]], labels: [0, 1, 1], classNames: ["cat", "<dog>"],
      samples: [0, 1, 1].map((label, i) => ({ name: "val/" + i, label, image: {
        width: 4, height: 4, channels: 3 as const, data: new Uint8Array(48).fill(100),
      } })),
    }))
  `);
  assert.equal(status, "ok", JSON.stringify(outputs));
  assert.deepEqual(outputs.map(({ type }) => type), [...Array(4).fill("display_data"), "execute_result"]);
  const data = outputs.map(({ content }) => content.data);
  assert.match(data[0]["text/html"], /66\.7 %/);
  assert.match(data[0]["text/plain"], /top-1 accuracy +66\.7 %/);
  for (const figure of [data[1], data[2]]) {
    assert.deepEqual(Object.keys(figure), ["application/vnd.plotly.v1+json", "image/png", "text/plain"]);
  }
  assert.match(data[3]["text/html"], /data:image\/jpeg;base64,/);
  assert.match(data[3]["text/html"], /is <b[^>]*>&lt;dog&gt;/);
  assert.match(
    data[4]["text/plain"],
    /^figures: \.figures\.confusionMatrix, \.figures\.reliability, \.figures\.perClass$/,
  );
});
