import assert from "node:assert/strict";
import type { MimeBundle } from "../../lib/notebook/display.ts";
import { notebookView } from "../../lib/notebook/training_view.ts";
import { exampleFrozenRun, exampleRun } from "../training/readers/example_run.ts";

const isStatus = (bundle: MimeBundle) => String(bundle["text/plain"]).includes("best top-1");

Deno.test("notebookView() shows the run's state as text too", async () => {
  const bundles: MimeBundle[] = [];
  const view = notebookView({ display: (bundle) => Promise.resolve(void bundles.push(bundle)) });
  const events = exampleRun();
  for (const event of events.slice(0, 7)) await view(event);
  await view.close();
  const status = bundles.filter(isStatus).at(-1)!;
  assert.equal(
    status["text/plain"],
    "mobilenetv3_small_100: epoch 2 of 2, step 1 of 2, loss 0.5000, best top-1 75.0 % (epoch 1), " +
      'speed 46.1 img/s, left 0:01\nwarning: class "dog" has only 2 pictures',
  );
  assert.match(status["text/html"] as string, /width:75\.0%/);
});

Deno.test("notebookView() shows that features are computed, and which epochs are frozen", async () => {
  const textAfter = async (events: number) => {
    const bundles: MimeBundle[] = [];
    const view = notebookView({ display: (bundle) => Promise.resolve(void bundles.push(bundle)) });
    for (const event of exampleFrozenRun().slice(0, events)) await view(event);
    await view.close();
    return bundles.filter(isStatus).at(-1)!["text/plain"];
  };
  const name = "mobilenetv3_small_100: ";
  assert.equal(
    await textAfter(3),
    `${name}epoch 1 of 2 (frozen), features 8 of 12, loss ?, best top-1 none yet, speed ?, left ?`,
  );
  assert.equal(
    await textAfter(5),
    `${name}epoch 1 of 2 (frozen), step 1 of 2, loss 0.7500, best top-1 none yet, speed 46.1 img/s, left ?`,
  );
  assert.match(await textAfter(10) as string, /^mobilenetv3_small_100: epoch 2 of 2, step 1 of 2, /);
});

Deno.test("notebookView() has shown everything when the run's end is read", async () => {
  const bundles: MimeBundle[] = [];
  const view = notebookView({ display: (bundle) => Promise.resolve(void bundles.push(bundle)) });
  for (const event of exampleRun()) await view(event);
  const count = bundles.length;
  assert.match(
    bundles.filter(isStatus).at(-1)!["text/plain"] as string,
    /state Done after 0:02/,
  );
  const curves = bundles.filter((bundle) => bundle["image/png"]).at(-1)!;
  const { data } = curves["application/vnd.plotly.v1+json"] as { data: { y: number[] }[] };
  assert.deepEqual(data[0].y, [0.75, 0.65, 0.5, 0.3]); // the losses of the steps
  await view.close();
  assert.equal(bundles.length, count);
});

Deno.test("notebookView() sends curves as SVG while they grow, and as plotly's figure in the end", async () => {
  const bundles: MimeBundle[] = [];
  const view = notebookView({ display: (bundle) => Promise.resolve(void bundles.push(bundle)) });
  for (const event of exampleRun()) await view(event);
  const growing = bundles.filter((bundle) => bundle["text/plain"] === "training curves");
  assert.ok(growing.length >= 1);
  for (const bundle of growing) assert.match(bundle["text/html"] as string, /^<svg/);
  const figures = bundles.filter((bundle) => bundle["application/vnd.plotly.v1+json"]);
  assert.equal(figures.length, 1);
  assert.match(figures[0]!["image/png"] as string, /^iVBOR/);
});

Deno.test("notebookView() shows the whole history of a run that goes on", async () => {
  const bundles: MimeBundle[] = [];
  const history = [0.25, 0.9].map((validationTop1, epoch) => ({
    epoch,
    trainLoss: 1,
    trainTop1: 0.5,
    validationLoss: 1,
    validationTop1,
    validationTop5: 1,
    learningRate: 0.01,
  }));
  const view = notebookView({ history, display: (bundle) => Promise.resolve(void bundles.push(bundle)) });
  for (const event of exampleRun().slice(0, 3)) await view(event);
  await view.close();
  assert.match(bundles.filter(isStatus).at(-1)!["text/plain"] as string, /best top-1 90\.0 % \(epoch 2\)/);
  const { data } = bundles.at(-1)!["application/vnd.plotly.v1+json"] as { data: { y: number[] }[] };
  assert.ok(data.some(({ y }) => y.includes(0.25) && y.includes(0.9)));
});

Deno.test("notebookView() refuses to open outside a notebook", () => {
  assert.throws(() => notebookView(), {
    message: "Cannot open the notebook view: this is not a notebook kernel\n" +
      "  help: use terminalBar() in a terminal",
  });
});
