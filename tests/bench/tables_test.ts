import assert from "node:assert/strict";
import { replaceSection } from "../../bench/training/document.ts";
import { trainingFigure } from "../../bench/training/figure.ts";
import { finished, type Measured, type Results, withMeasured } from "../../bench/training/results.ts";
import { compactTable, detailedTable, provenance, summarySentence } from "../../bench/training/tables.ts";

const outcome = (seconds: number, gigabytes: number, versions: Record<string, string> = {}) => ({
  rounds: [0, 1, 2].map((index) => ({
    trainingSeconds: [seconds * (1 + index / 4)],
    evaluationSeconds: [seconds / 4 * (1 + index / 4)],
    ...(index === 0 ? { firstStepSeconds: 3 + seconds, peakMemoryBytes: gigabytes * 1e9 } : {}),
  })),
  versions,
});

const b0: Measured = {
  model: "efficientnet_b0",
  batchSize: 32,
  size: 224,
  threads: 2,
  busy: false,
  run: 0,
  loadBefore: 0.1,
  outcomes: {
    "onednn": outcome(1, 1, { deno: "2.9.6", library: "oneDNN 3.2.0" }),
    "pytorch": outcome(4, 4, { torch: "2.13.0" }),
    "pytorch-tuned": outcome(2, 5, { torch: "2.13.0" }),
    "keras": { rounds: [], versions: {}, failure: "ended with SIGKILL: " },
  },
};
const lite0: Measured = {
  ...b0,
  model: "efficientnet_lite0",
  outcomes: { "onednn": outcome(0.5, 0.5), "pytorch": outcome(1.5, 2), "pytorch-tuned": outcome(1, 2) },
};
const results: Results = {
  set: "main",
  runs: [{
    date: "2026-01-02T03:04:05.678Z",
    command: "deno task bench:training",
    machine: { processor: "A processor", cores: 2, memoryBytes: 25e9, system: "linux 6" },
    commit: "0123abc",
  }],
  measured: [b0, lite0],
};

Deno.test("detailedTable() has a row for each contestant of each network", () => {
  assert.deepEqual(detailedTable(results).split("\n"), [
    "| model |  | training img/s | to PyTorch | to PyTorch, tuned malloc | evaluation img/s | to PyTorch | " +
    "to PyTorch, tuned malloc | first step | peak memory |",
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    "| `efficientnet_b0` | Whittle, oneDNN | 25.6 (21.3 to 32.0) | 4.00x | 2.00x | 102 (85 to 128) | 4.00x | " +
    "2.00x | 4.0 s | 1.00 GB |",
    "|  | PyTorch | 6.4 (5.3 to 8.0) |  | 0.50x | 25.6 (21.3 to 32.0) |  | 0.50x | 7.0 s | 4.00 GB |",
    "|  | PyTorch, tuned malloc | 12.8 (10.7 to 16.0) | 2.00x |  | 51.2 (42.7 to 64.0) | 2.00x |  | 5.0 s | " +
    "5.00 GB |",
    "|  | Keras (failed) |  |  |  |  |  |  |  |  |",
    "| `efficientnet_lite0` | Whittle, oneDNN | 51.2 (42.7 to 64.0) | 3.00x | 2.00x | 205 (171 to 256) | " +
    "3.00x | 2.00x | 3.5 s | 0.50 GB |",
    "|  | PyTorch | 17.1 (14.2 to 21.3) |  | 0.67x | 68.3 (56.9 to 85.3) |  | 0.67x | 4.5 s | 2.00 GB |",
    "|  | PyTorch, tuned malloc | 25.6 (21.3 to 32.0) | 1.50x |  | 102 (85 to 128) | 1.50x |  | 4.0 s | " +
    "2.00 GB |",
  ]);
});

Deno.test("compactTable() has a row for each configuration, with failures and gaps", () => {
  const rows = compactTable({ ...results, measured: [b0, { ...lite0, batchSize: 8 }] }).split("\n");
  assert.deepEqual(rows.slice(2), [
    "| `efficientnet_b0` | 32 | 25.6 (21.3 to 32.0) | 6.4 (5.3 to 8.0) | 12.8 (10.7 to 16.0) | failed | 4.00x | " +
    "2.00x | 4.00x | 2.00x | 0.25x | 0.20x |",
    "| `efficientnet_lite0` | 8 | 12.8 (10.7 to 16.0) | 4.3 (3.6 to 5.3) | 6.4 (5.3 to 8.0) |  | 3.00x | " +
    "2.00x | 3.00x | 2.00x | 0.25x | 0.25x |",
  ]);
});

Deno.test("summarySentence() tells the least and the greatest ratio", () => {
  assert.equal(
    summarySentence(results),
    "Whittle with oneDNN trains 3.00 to 4.00 times as fast as PyTorch, 2.00 times as fast as PyTorch with tuned " +
      "malloc. It evaluates 3.00 to 4.00 times as fast as PyTorch, 2.00 times as fast as PyTorch with tuned malloc. " +
      "Its peak memory is 0.25 times that of PyTorch, 0.20 to 0.25 times that of PyTorch with tuned malloc.",
  );
  assert.equal(summarySentence({ ...results, measured: [] }), "");
});

Deno.test("provenance() says when, on what and with which versions", () => {
  assert.equal(
    provenance(results, "bench/results/training_main.json"),
    "224 px, 2 threads; medians (least to greatest) of 3 rounds, ratios taken round by round. A processor, 2 cores, " +
      "25 GB; 2026-01-02; Whittle 0123abc; oneDNN 3.2.0, deno 2.9.6, torch 2.13.0 " +
      "(`bench/results/training_main.json`).",
  );
});

Deno.test("trainingFigure() leaves a gap where a contestant lacks a network, and says so", () => {
  const measured = [{ ...b0, outcomes: { ...b0.outcomes, keras: outcome(4, 3) } }, lite0];
  const { data, layout } = trainingFigure({ ...results, measured });
  const heights = (name: string) => data.filter((trace) => trace["name"] === name).map(({ y }) => y);
  assert.deepEqual(heights("Whittle, oneDNN"), [[2, 2], [1, 0.5]]);
  assert.deepEqual(heights("Keras"), [[0.5, null], [3, null]]);
  assert.match(JSON.stringify(layout["title"]), /Keras has no efficientnet_lite0/);
});

Deno.test("finished() wants all rounds of all contestants", () => {
  const { run: _run, loadBefore: _load, outcomes: _outcomes, ...configuration } = b0;
  assert.equal(finished(results, configuration, ["onednn", "pytorch"], 3), b0);
  assert.equal(finished(results, configuration, ["onednn", "pytorch"], 4), undefined);
  assert.equal(finished(results, configuration, ["onednn", "keras"], 3), undefined);
  assert.equal(finished(results, { ...configuration, threads: 1 }, ["onednn"], 3), undefined);
  assert.equal(finished(undefined, configuration, ["onednn"], 3), undefined);
});

Deno.test("withMeasured() replaces a measurement of the same configuration, or adds one", () => {
  const order = (measured: Measured) =>
    withMeasured(results, measured).measured.map(({ model, threads, run }) => [model, threads, run]);
  assert.deepEqual(order({ ...b0, run: 1 }), [["efficientnet_b0", 2, 1], ["efficientnet_lite0", 2, 0]]);
  assert.deepEqual(order({ ...b0, threads: 1, run: 1 }), [
    ["efficientnet_b0", 2, 0],
    ["efficientnet_lite0", 2, 0],
    ["efficientnet_b0", 1, 1],
  ]);
});

Deno.test("replaceSection() puts a text between the marks", () => {
  const document = "a\n<!-- training busy: begin -->\nold\n<!-- training busy: end -->\nb\n";
  const replaced = "a\n<!-- training busy: begin -->\n\nnew\n\n<!-- training busy: end -->\nb\n";
  assert.equal(replaceSection(document, "training busy", "new"), replaced);
  assert.equal(replaceSection(replaced, "training busy", "new"), replaced);
  assert.throws(() => replaceSection(document, "training main", "new"), {
    name: "RangeError",
    message: 'Cannot write the section "training main": the document has no marks for it\n' +
      "  help: add the lines <!-- training main: begin --> and <!-- training main: end -->",
  });
});
