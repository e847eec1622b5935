import assert from "node:assert/strict";
import { terminalBar } from "../../../lib/training/readers/terminal_bar.ts";
import { exampleFrozenRun, exampleRun } from "./example_run.ts";

Deno.test("terminalBar() writes one line an epoch where the output is not a terminal", () => {
  let text = "";
  const bar = terminalBar({ interactive: false, write: (part) => text += part });
  for (const event of exampleRun()) bar(event);
  bar.close();
  assert.equal(
    text,
    `mobilenetv3_small_100 on cpu, libtensorflow 2.21.0: 8 training and 4 validation pictures, 2 classes, batch 4, 2 epochs
epoch 1/2  train loss 0.7000 top-1  50.0 %  validation loss 0.6000 top-1  75.0 %  0:01, left 0:01  * best
warning: class "dog" has only 2 pictures
epoch 2/2  train loss 0.4000 top-1  87.5 %  validation loss 0.5000 top-1  75.0 %  0:01, left 0:00
done in 0:02, best epoch 1: top-1 75.0 %
`,
  );
});

Deno.test("terminalBar() tells where a run goes on, and that nothing is left of it", () => {
  const [start] = exampleRun();
  assert.ok(start!.type === "start");
  const begin = (at: { epoch: number; step: number }) => {
    let text = "";
    const bar = terminalBar({ interactive: false, write: (part) => text += part });
    bar({ ...start, ...at });
    bar.close();
    return text.trimEnd();
  };
  assert.match(begin({ epoch: 1, step: 1 }), /, 2 epochs, resumed at epoch 2 step 2$/);
  assert.match(begin({ epoch: 2, step: 0 }), /, 2 epochs, all done before$/);
});

Deno.test("terminalBar() redraws one line in place on a terminal and keeps it inside the columns", () => {
  for (const columns of [30, 60, 80, 200]) {
    let text = "";
    let time = 0;
    const bar = terminalBar({
      interactive: true,
      write: (part) => text += part,
      columns: () => columns,
      now: () => time += 1000,
    });
    for (const event of exampleRun()) bar(event);
    bar.close();
    const drawn = text.split("\r").filter((part) => part.includes("/2 ") && part.endsWith("\x1b[K"));
    assert.equal(drawn.length, 4); // four steps
    for (const line of drawn) assert.ok(line.replace("\x1b[K", "").length < columns, line);
    if (columns === 80) assert.ok(drawn[0].startsWith("epoch 1/2 ━"), drawn[0]);
  }
});

Deno.test("terminalBar() tells which epochs are frozen, and how many pictures have features", () => {
  const write = (interactive: boolean, columns = 80) => {
    let text = "", time = 0;
    const bar = terminalBar({
      interactive,
      write: (part) => text += part,
      columns: () => columns,
      now: () => time += 1000,
    });
    for (const event of exampleFrozenRun()) bar(event);
    bar.close();
    return text;
  };
  const [start, first, , second] = write(false).split("\n");
  assert.ok(start!.endsWith(", batch 4, 2 epochs, the first frozen"), start);
  assert.ok(first!.endsWith("  0:01, left ?  frozen  * best"), first);
  assert.ok(second!.endsWith("  0:01, left 0:00"), second);
  const drawn = write(true).split("\r").filter((part) => part.startsWith("features"));
  assert.deepEqual(drawn, [
    "features ━━━━━━━━━━────────────────────  4/12  left 0:02\x1b[K",
    "features ━━━━━━━━━━━━━━━━━━━━──────────  8/12  left 0:01\x1b[K",
    "features ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 12/12  left 0:00\x1b[K",
  ]);
  const narrow = write(true, 20).split("\r").filter((part) => part.startsWith("features"));
  assert.equal(narrow[0], "features 4/12  left\x1b[K");
});

Deno.test("terminalBar() draws at most ten lines a second, and always the last step of an epoch", () => {
  let text = "";
  const bar = terminalBar({
    interactive: true,
    write: (part) => text += part,
    columns: () => 80,
    now: () => 0,
  });
  for (const event of exampleRun()) if (event.type === "step") bar(event);
  assert.equal(text.split("\x1b[K").length - 1, 3); // the first step, and two last steps
});

Deno.test("terminalBar() says how a run ended", () => {
  const end = (stopped: "early-stopping" | "interrupted", bestEpoch: number) => {
    let text = "";
    terminalBar({ interactive: false, write: (part) => text += part })(
      { type: "end", stopped, bestEpoch, bestTop1: 0.5, elapsedSeconds: 3725 },
    );
    return text;
  };
  assert.equal(end("early-stopping", 4), "stopped early in 1:02:05, best epoch 5: top-1 50.0 %\n");
  assert.equal(end("interrupted", -1), "interrupted after 1:02:05, no epoch was finished\n");
});
