import assert from "node:assert/strict";
import { withStopSignal } from "../../lib/notebook/stop_signal.ts";

const library = new URL("../../lib/notebook/stop_signal.ts", import.meta.url).href;

/** Runs a script in a process of its own, sends it SIGINT at the times it asks for, and returns how it ended. */
async function interrupt(script: string, times: number[]) {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(
    file,
    `import { withStopSignal } from ${JSON.stringify(library)};
     const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
     ${script}`,
  );
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", file],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = process.stdout.getReader();
  await reader.read(); // the script says "ready" first
  for (const time of times) {
    await new Promise((resolve) => setTimeout(resolve, time));
    process.kill("SIGINT");
  }
  let text = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += new TextDecoder().decode(part.value);
  }
  const { code, signal } = await process.status;
  return { text, code, signal };
}

const run = `const result = await withStopSignal(async (signal) => {
  console.log("ready");
  while (!signal.aborted) await sleep(5);
  await sleep(2000); // saving takes a while
  return "saved";
});
console.log(result);`;

Deno.test("withStopSignal() lets a run finish after one Ctrl-C", async () => {
  assert.deepEqual(await interrupt(run, [50]), { text: "saved\n", code: 0, signal: null });
});

Deno.test("withStopSignal() takes two signals of one key press for one", async () => {
  assert.deepEqual(await interrupt(run, [50, 100]), { text: "saved\n", code: 0, signal: null });
});

Deno.test("withStopSignal() ends the process on a second Ctrl-C", async () => {
  assert.deepEqual(await interrupt(run, [50, 700]), { text: "", code: 130, signal: null });
});

Deno.test("withStopSignal() gives SIGINT back its meaning afterwards, also after an error", async () => {
  const script = `await withStopSignal(() => Promise.reject(new Error("no"))).catch(() => {});
    console.log("ready");
    await sleep(5000);
    console.log("alive");`;
  const { text, signal } = await interrupt(script, [50]);
  assert.equal(text, "");
  assert.equal(signal, "SIGINT");
});

Deno.test("withStopSignal() passes on the user's own signal with its reason", async () => {
  const controller = new AbortController();
  const reason = await withStopSignal((signal) => {
    controller.abort(new Error("enough"));
    return Promise.resolve(signal.reason);
  }, { signal: controller.signal });
  assert.equal(reason.message, "enough");
});
