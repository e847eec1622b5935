import assert from "node:assert/strict";
import type { StartEvent, TrainingEvent } from "../../../lib/training/events.ts";
import { jsonlLog } from "../../../lib/training/readers/jsonl_log.ts";
import { exampleRun } from "./example_run.ts";

const now = () => new Date("2026-01-02T03:04:05.678Z");
const linesOf = (path: string) =>
  Deno.readTextFileSync(path).trimEnd().split("\n").map((line) => JSON.parse(line) as TrainingEvent);

Deno.test("jsonlLog() writes every event as one line, as soon as it happens", async () => {
  const path = `${await Deno.makeTempDir()}/events.jsonl`;
  const log = jsonlLog(path, { now });
  for (const [i, event] of exampleRun().entries()) {
    log(event);
    assert.equal(linesOf(path).length, i + 1);
  }
  log.close();
  const withTime = exampleRun().map((event) => ({ time: "2026-01-02T03:04:05.678Z", ...event }));
  assert.deepEqual(linesOf(path), withTime);
});

Deno.test("jsonlLog() cuts what a resumed run trains again, and a line cut off by a crash", async () => {
  const path = await Deno.makeTempFile();
  const events = exampleRun();
  const lines = events.map((event) => JSON.stringify(event));
  await Deno.writeTextFile(path, lines.slice(0, 8).join("\n") + '\n{"type":"ste');
  const log = jsonlLog(path, { now });
  log({ ...events[0] as StartEvent, epoch: 1, step: 0 }); // before the eighth line, step 0 of epoch 1
  log.close();
  const kinds = linesOf(path).map((event) => event.type);
  assert.deepEqual(kinds, ["start", "step", "step", "epoch", "checkpoint", "warning", "start"]);
});

Deno.test("jsonlLog() keeps warnings that come before the start, after it has put the old file away", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, '{"type":"end"}\n');
  const log = jsonlLog(path, { now });
  const [start] = exampleRun();
  log({ type: "warning", message: "class sizes differ" });
  log(start);
  log.close();
  assert.deepEqual(linesOf(path).map((event) => event.type), ["warning", "start"]);
});

Deno.test("jsonlLog() writes a loss that is not a number as null", async () => {
  const path = await Deno.makeTempFile();
  const log = jsonlLog(path, { now });
  log({ ...exampleRun()[1] as TrainingEvent & { type: "step" }, loss: NaN });
  log.close();
  assert.match(await Deno.readTextFile(path), /"loss":null/);
});
