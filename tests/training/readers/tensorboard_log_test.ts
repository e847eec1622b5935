import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { encodeEvent } from "../../../lib/training/readers/_tensorboard_event.ts";
import { crc32c } from "../../../lib/training/readers/_tf_record.ts";
import { tensorboardLog } from "../../../lib/training/readers/tensorboard_log.ts";
import oracle from "../../oracles/tensorboard/scalars.json" with { type: "json" };
import { writeRun } from "../../oracles/tensorboard/write_run.ts";
import { exampleRun } from "./example_run.ts";

Deno.test("tensorboardLog() writes the bytes in which TensorBoard found the numbers of the run", async () => {
  const folder = await Deno.makeTempDir();
  writeRun(folder);
  const names = [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
  const hashes = names.map((name) =>
    createHash("sha256").update(Deno.readFileSync(`${folder}/${name}`)).digest("hex")
  );
  assert.deepEqual(hashes, oracle.sha256);
});

Deno.test("tensorboardLog() lets a resumed run replace the steps that it trains again", () => {
  // What TensorBoard read: steps 1 and 2 of the first file, 3 and 4 of the second one, whose losses are halved.
  assert.deepEqual(oracle["step/loss"], [[1, 0.75], [2, 0.65], [3, 0.25], [4, 0.15]]);
  assert.deepEqual(oracle["top1/train"], [[2, 0.5], [4, 0.875]]);
});

Deno.test("tensorboardLog() names its files in the order of the runs, also within a second and after the clock was set back", async () => {
  const folder = await Deno.makeTempDir();
  for (const seconds of [1000, 1000, 900, 2000]) {
    const log = tensorboardLog(folder, { now: () => 1000 * seconds });
    log(exampleRun()[0]!);
    log.close();
  }
  const names = [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
  assert.deepEqual(names.map((name) => name.split(".")[3]), [
    "0000001000",
    "0000001001",
    "0000001002",
    "0000002000",
  ]);
});

Deno.test("tensorboardLog() writes nothing before a run starts", async () => {
  const folder = await Deno.makeTempDir();
  const log = tensorboardLog(folder);
  for (const event of exampleRun().slice(1)) log(event);
  log.close();
  log.close();
  assert.deepEqual([...Deno.readDirSync(folder)], []);
});

Deno.test("crc32c() equals the check value of the algorithm", () => {
  assert.equal(crc32c(new TextEncoder().encode("123456789")), 0xe3069283);
  assert.equal(crc32c(new Uint8Array(0)), 0);
});

Deno.test("encodeEvent() writes steps that need more than 32 bits", () => {
  const bytes = encodeEvent({ wallTime: 0, step: 2 ** 40 + 5 });
  assert.deepEqual([...bytes.slice(9)], [16, 0x85, 0x80, 0x80, 0x80, 0x80, 0x20]);
});
