import assert from "node:assert/strict";
import type { MimeBundle } from "../../lib/notebook/display.ts";
import { describeQuantization, quantizationProgress } from "../../lib/notebook/quantization_progress.ts";
import type { QuantizationEvent } from "../../lib/quantization/events.ts";
import { exampleQuantization } from "./_example_quantization.ts";

const { drop } = exampleQuantization;
const events: QuantizationEvent[] = [
  { type: "quantization", step: "calibration", done: 16, total: 300 },
  { type: "quantization", step: "calibration", done: 304, total: 300 }, // the last batch is filled up
  { type: "accuracy", floatLayers: [], drop: { ...drop, int8: 0.881, drop: 0.019 } },
  { type: "accuracy", floatLayers: ["blocks.0.0.conv_dw"], drop },
];

Deno.test("describeQuantization() says what is done, and what was measured", () => {
  assert.deepEqual(events.map(describeQuantization), [
    "looking at values between layers: 5 %",
    "looking at values between layers: 100 %",
    "all layers in int8: top-1 88.1 %, in float 90.0 %, on 1000 pictures",
    "1 layer in float, blocks.0.0.conv_dw the last: top-1 89.5 %, in float 90.0 %, on 1000 pictures",
  ]);
  assert.equal(
    describeQuantization({ type: "quantization", step: "statistics", done: 150, total: 300 }),
    "trying ranges, giving layers their means back: 50 %",
  );
  assert.equal(
    describeQuantization({ type: "quantization", step: "layers", done: 0, total: 300 }),
    "comparing layers with float: 0 %",
  );
});

Deno.test("quantizationProgress() redraws one line of a terminal, and measurements stay", async () => {
  let written = "";
  const progress = quantizationProgress(true, {
    terminal: { interactive: true, columns: () => 80, now: () => 0, write: (part) => void (written += part) },
  });
  for (const event of events) await progress.read(event);
  await progress.close();
  assert.equal(
    written,
    "\rlooking at values between layers: 5 %\x1b[K" +
      "\rlooking at values between layers: 100 %\x1b[K" +
      "\r\x1b[2Kall layers in int8: top-1 88.1 %, in float 90.0 %, on 1000 pictures\n" +
      "1 layer in float, blocks.0.0.conv_dw the last: top-1 89.5 %, in float 90.0 %, on 1000 pictures\n",
  );
});

Deno.test("quantizationProgress() changes one output of a notebook, which ends with the tries", async () => {
  const shown: MimeBundle[] = [], ids = new Set<string | undefined>();
  const progress = quantizationProgress(true, {
    display: (bundle, { display_id }) => {
      shown.push(bundle);
      ids.add(display_id);
      return Promise.resolve();
    },
  });
  for (const event of events) await progress.read(event);
  await progress.read({ type: "quantization", step: "layers", done: 300, total: 300 });
  await progress.close();
  assert.equal(ids.size, 1);
  const tries = events.slice(2).map(describeQuantization);
  assert.equal(shown.at(-1)!["text/plain"], tries.join("\n"));
  assert.match(
    shown.at(-1)!["text/html"] as string,
    /^<div style="[^"]+"><div>all layers in int8: .* pictures<\/div><div>1 layer in float, .* pictures<\/div><\/div>$/,
  );
});

Deno.test("quantizationProgress() shows nothing where nothing is to be shown", async () => {
  const refuse = () => {
    throw new Error("it was shown");
  };
  const progress = quantizationProgress(false, { display: refuse, terminal: { write: refuse } });
  for (const event of events) await progress.read(event);
  await progress.close();
});
