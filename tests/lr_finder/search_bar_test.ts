import assert from "node:assert/strict";
import { searchBar } from "../../lib/lr_finder/search_bar.ts";
import { exampleSearchEvents } from "./_example_search.ts";

Deno.test("searchBar() writes what a search costs, a line a trial and the answer where the output is not a terminal", () => {
  let text = "";
  const bar = searchBar({ interactive: false, write: (part) => text += part });
  for (const event of exampleSearchEvents()) bar(event);
  bar.close();
  assert.equal(
    text,
    `mobilenetv3_small_100.lamb_in1k on cpu (oneDNN 3.2.0): 8 training and 200 validation pictures, batch 4
Looking for the learning rate: 5 trials. It takes at most 10 epochs
trial 1/5  rate 0.0025    top-1 70.0 % after 2 epochs, left 1:00  * best
trial 2/5  rate 0.005     top-1 85.0 % after 2 epochs, left 0:50  * best
trial 3/5  rate 0.0015    pruned after 1 epoch, top-1 40.0 %, left 0:40
trial 4/5  rate 0.005     tried before, left 0:30
trial 5/5  rate 0.0075    failed after 1 epoch: the loss is no number, left 0:20
warning: 1 picture was skipped
learning rate 0.005, found in 1:15 (clear). Its top-1 of 85.0 % is 15.0 points above the other's.
`,
  );
});

Deno.test("searchBar() redraws one line in place on a terminal and keeps it inside the columns", () => {
  for (const columns of [30, 60, 80, 200]) {
    let text = "", time = 0;
    const bar = searchBar({
      interactive: true,
      write: (part) => text += part,
      columns: () => columns,
      now: () => time += 1000,
    });
    for (const event of exampleSearchEvents()) bar(event);
    bar.close();
    const drawn = text.split("\r").filter((part) => part.endsWith("\x1b[K"));
    assert.equal(drawn.length, 8);
    for (const line of drawn) assert.ok(line.replace("\x1b[K", "").length < columns, line);
    if (columns === 200) {
      assert.equal(
        drawn[1],
        "trial 1/5 epoch 1/2 ━━━━━━━━━━━━━━━━━━━━━━━━ 2/2  rate 0.0025  loss 0.7500  46.1 img/s  left 1:10\x1b[K",
      );
    }
  }
});

Deno.test("searchBar() says why no rate is suggested", () => {
  let text = "";
  const bar = searchBar({ interactive: false, write: (part) => text += part });
  bar({
    type: "search-end",
    stopped: "completed",
    suggestion: undefined,
    verdict: "flat",
    rule: "the steepest",
    reason: "The loss does not fall.",
    elapsedSeconds: 61,
  });
  assert.equal(text, "no learning rate is suggested after 1:01 (flat). The loss does not fall.\n");
});
