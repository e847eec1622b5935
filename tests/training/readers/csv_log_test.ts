import assert from "node:assert/strict";
import type { EpochEvent, StartEvent } from "../../../lib/training/events.ts";
import { csvLog } from "../../../lib/training/readers/csv_log.ts";
import { exampleRun } from "./example_run.ts";

const names = "epoch,trainLoss,trainTop1,validationLoss,validationTop1,validationTop5,learningRate";
const start = exampleRun()[0] as StartEvent;
const epochs = exampleRun().filter((event) => event.type === "epoch") as EpochEvent[];

Deno.test("csvLog() writes a line of names and a row an epoch, each at once", async () => {
  const path = `${await Deno.makeTempDir()}/new folder/history.csv`;
  const log = csvLog(path);
  log(start);
  assert.equal(await Deno.readTextFile(path), names + "\n");
  log(epochs[0]);
  assert.equal(await Deno.readTextFile(path), `${names}\n0,0.7,0.5,0.6,0.75,1,0.01\n`);
  log(epochs[1]);
  log.close();
  log.close();
  assert.equal(
    await Deno.readTextFile(path),
    `${names}\n0,0.7,0.5,0.6,0.75,1,0.01\n1,0.4,0.875,0.5,0.75,1,0.005\n`,
  );
});

Deno.test("csvLog() cuts the rows that a resumed run trains again, and a row cut off by a crash", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, `${names}\n0,0.7,0.5,0.6,0.75,1,0.01\n1,9,9,9,9,9,9\n2,9,9`);
  const log = csvLog(path);
  log({ ...start, epoch: 1, step: 1 });
  log(epochs[1]);
  log.close();
  assert.equal(
    await Deno.readTextFile(path),
    `${names}\n0,0.7,0.5,0.6,0.75,1,0.01\n1,0.4,0.875,0.5,0.75,1,0.005\n`,
  );
});

Deno.test("csvLog() of a run with frozen epochs has a column for the phase, which a resumed run keeps", async () => {
  const path = await Deno.makeTempFile();
  const frozen: StartEvent = { ...start, freezeEpochs: 1 };
  for (const [index, event] of [{ ...epochs[0]!, phase: "frozen" } as const, epochs[1]!].entries()) {
    const log = csvLog(path);
    log({ ...frozen, epoch: index });
    log(event);
    log.close();
  }
  assert.equal(
    await Deno.readTextFile(path),
    `${names},phase\n0,0.7,0.5,0.6,0.75,1,0.01,frozen\n1,0.4,0.875,0.5,0.75,1,0.005,\n`,
  );
});

Deno.test("csvLog() starts anew for a new run, and where the file of a resumed run is gone", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, "something old\n");
  const log = csvLog(path);
  log(start);
  assert.equal(await Deno.readTextFile(path), names + "\n");
  log.close();
  await Deno.remove(path);
  log({ ...start, epoch: 1 });
  log.close();
  assert.equal(await Deno.readTextFile(path), names + "\n");
});
