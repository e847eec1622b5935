import assert from "node:assert/strict";
import {
  type DisplayFunction,
  isNotebook,
  jupyterDisplay,
  liveOutput,
  notebookDisplay,
  withLook,
} from "../../lib/notebook/display.ts";

/** A kernel that remembers what it was asked to display. */
function recordingDisplay() {
  const calls: { text: unknown; id: string | undefined; update: boolean }[] = [];
  const display: DisplayFunction = (bundle, options) => {
    calls.push({ text: bundle["text/plain"], id: options.display_id, update: options.update ?? false });
    return Promise.resolve();
  };
  return { calls, display };
}
const text = (content: string) => () => ({ "text/plain": content });
const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("notebookDisplay() is undefined outside a notebook", () => {
  assert.equal(notebookDisplay(), undefined);
  assert.equal(isNotebook(), false);
});

Deno.test("liveOutput() opens one output and updates it in place", async () => {
  const { calls, display } = recordingDisplay();
  const output = liveOutput(display, { interval: 0 });
  for (const content of ["a", "b"]) {
    output.show(text(content));
    await output.flush();
  }
  assert.deepEqual(calls.map((call) => [call.text, call.update]), [["a", false], ["b", true]]);
  assert.equal(calls[0].id, calls[1].id);
});

Deno.test("liveOutput() merges calls that come too fast; flush() sends the latest", async () => {
  const { calls, display } = recordingDisplay();
  let time = 0;
  const output = liveOutput(display, { interval: 200, now: () => time });
  for (; time < 1000; time += 10) {
    output.show(text(`at ${time}`));
    await turn();
  }
  assert.ok(calls.length <= 6, `${calls.length} updates in one second`);
  await output.flush();
  assert.equal(calls.at(-1)!.text, "at 990");
});

Deno.test("liveOutput() gives costly updates only their share of the time", async () => {
  const { calls, display } = recordingDisplay();
  let time = 0;
  const output = liveOutput(display, { interval: 0, effort: 0.1, now: () => time });
  for (let i = 0; i < 50; i++) {
    output.show(() => {
      time += 100; // drawing takes 100 ms
      return { "text/plain": "" };
    });
    await turn();
    time += 50;
  }
  assert.ok(calls.length <= 1 + 50 * 50 / 1000 + 1, `${calls.length} updates`);
});

Deno.test("liveOutput() reports a failed update at flush()", async () => {
  const output = liveOutput(() => Promise.reject(new Error("kernel is gone")));
  output.show(text("a"));
  await turn();
  await assert.rejects(output.flush(), /kernel is gone/);
});

Deno.test("withLook() leaves a result plain data", async () => {
  const plain = { top1: 0.5 };
  const result = withLook(plain, {
    figures: ({ top1 }) => ({ bar: top1 }),
    outputs: () =>
      Promise.resolve([{ "text/html": "<b>first</b>" }, { "image/png": "" }, { "text/html": "<b>last</b>" }]),
    text: () => "as text",
  });
  assert.equal(result, plain);
  assert.deepEqual(Object.keys(result), ["top1"]);
  assert.deepEqual(structuredClone(result), { top1: 0.5 });
  assert.equal(result.figures.bar, 0.5);
  assert.equal(Deno.inspect({ result }), "{ result: as text }");
  const show = (result as unknown as Record<symbol, () => Promise<unknown>>)[jupyterDisplay];
  assert.deepEqual(await show(), { "text/html": "<b>first</b>\n\n<b>last</b>", "text/plain": "as text" });
});
