import assert from "node:assert/strict";
import { predictionsText, withPredictionsView } from "../../lib/notebook/predictions_view.ts";

const picture = { width: 8, height: 4, channels: 1 as const, data: new Uint8Array(32).fill(90) };
const predictions = () => [
  [{ label: "cat", probability: 0.75 }, { label: "<dog>", probability: 0.25 }],
  [{ label: "<dog>", probability: 1 }, { label: "cat", probability: 0 }],
];

/** What a viewer gets that asks the lists themselves. */
async function bundle(shown: object): Promise<Record<string, string>> {
  // deno-lint-ignore no-explicit-any
  return await (shown as any)[Symbol.for("Jupyter.display")]();
}

Deno.test("withPredictionsView() shows each picture with its likeliest classes", async () => {
  const shown = await bundle(withPredictionsView(predictions(), [picture, picture]));
  const markup = shown["text/html"]!;
  assert.equal(markup.match(/<img src="data:image\/jpeg;base64,/g)?.length, 2);
  assert.match(markup, /title="&lt;dog&gt;">&lt;dog&gt;<\/span>/);
  assert.doesNotMatch(markup, /<dog>/);
  assert.match(markup, /75\.0 %/);
  assert.match(markup, /width:75\.0%/);
  assert.equal(shown["text/plain"], "cat 75.0 %, <dog> 25.0 %\n<dog> 100.0 %, cat 0.0 %");
});

Deno.test("withPredictionsView() leaves plain lists", () => {
  const shown = withPredictionsView(predictions(), [picture, picture]);
  assert.deepEqual(shown, predictions());
  assert.equal(JSON.stringify(shown), JSON.stringify(predictions()));
  assert.equal(Deno.inspect(shown), Deno.inspect(predictions()));
});

Deno.test("withPredictionsView() shows a few of many pictures, and pictures that are gone", async () => {
  const many = Array.from({ length: 30 }, () => predictions()[0]!);
  const images = Array.from({ length: 30 }, (_, i) => i === 0 ? "/nowhere.png" : picture);
  const markup = (await bundle(withPredictionsView(many, images)))["text/html"]!;
  assert.equal(markup.match(/<img /g)?.length, 23);
  assert.match(markup, />no picture<\/div>/);
  assert.match(markup, /and 6 more/);
  assert.match(predictionsText(many), /\n\(and 6 more\)$/);
});
