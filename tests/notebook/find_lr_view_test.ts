import assert from "node:assert/strict";
import type { MimeBundle } from "../../lib/notebook/display.ts";
import { withFindLRView } from "../../lib/notebook/find_lr_view.ts";
import { runText } from "../../lib/notebook/run_view.ts";
import { searchView } from "../../lib/notebook/search_view.ts";
import { exampleRangeTest, exampleSearch, exampleSearchEvents } from "../lr_finder/_example_search.ts";

const text = `mobilenetv3_small_100.lamb_in1k, TPE: suggestion 0.005 (clear), in 1:15
rule: the rate of the trial with the best validation top-1 after 2 epochs, trial 2 of 5
Its top-1 of 85.0 % is 15.0 points above the other's.

trial  learning rate  top-1 after each epoch  result
    1         0.0025  50.0 %, 70.0 %          top-1 70.0 % after 2 epochs
    2          0.005  60.0 %, 85.0 %          top-1 85.0 % after 2 epochs (suggestion)
    3         0.0015  40.0 %                  pruned after 1 epoch, top-1 40.0 %
    4          0.005                          tried before
    5         0.0075  50.0 %                  failed after 1 epoch: the loss is no number`;

Deno.test("withFindLRView() shows suggestion, rule, reason and trials in a terminal and in a notebook", async () => {
  const shown = withFindLRView({ ...exampleSearch });
  assert.equal(Deno.inspect(shown), text);
  assert.deepEqual(JSON.parse(JSON.stringify(shown)), JSON.parse(JSON.stringify(exampleSearch)));
  const display =
    (shown as unknown as Record<symbol, () => Promise<MimeBundle>>)[Symbol.for("Jupyter.display")]!;
  const bundle = await display();
  const markup = bundle["text/html"] as string;
  for (
    const part of [
      "0.005",
      "5 trials",
      "1 pruned, 1 tried before, 1 failed",
      "15.0 points",
      "<table",
    ]
  ) {
    assert.ok(markup.includes(part), part);
  }
});

Deno.test("withFindLRView() says that there is no suggestion, and that a search was interrupted", () => {
  const shown = withFindLRView({
    ...exampleRangeTest,
    suggestion: undefined,
    verdict: "flat" as const,
    reason: "The loss does not fall.",
    stopped: "interrupted" as const,
  });
  assert.equal(
    Deno.inspect(shown),
    "mobilenetv3_small_100.lamb_in1k, range test: no suggestion (flat), interrupted after 1:15\n" +
      "rule: the rate at which the smoothed loss falls most steeply, the first 10 and the last 5 steps left aside\n" +
      "The loss does not fall.",
  );
});

Deno.test("a run shows the search for its learning rate", () => {
  const model = { id: "m", classNames: ["a", "b"] };
  assert.equal(
    runText({ model, history: [], stopped: "after-search", lr: exampleSearch }),
    "m, 2 classes: ended after the search for the learning rate\nno epoch was finished\n" +
      "learning rate: suggestion 0.005 (clear). Its top-1 of 85.0 % is 15.0 points above the other's.",
  );
});

/** Everything a view displays of events. */
async function view(events: ReturnType<typeof exampleSearchEvents>): Promise<MimeBundle[]> {
  const bundles: MimeBundle[] = [];
  const read = searchView({ display: (bundle) => Promise.resolve(void bundles.push(bundle)) });
  for (const event of events) await read(event);
  await read.close();
  return bundles;
}
const status = (bundles: MimeBundle[]) =>
  bundles.map((bundle) => String(bundle["text/plain"])).filter((text) => text.startsWith("Looking")).at(-1);

Deno.test("searchView() shows what the search costs, the trial, the best so far and the time left", async () => {
  const events = exampleSearchEvents();
  const bundles = await view(events.slice(0, 6)); // into the second trial
  assert.equal(
    status(bundles),
    "Looking for the learning rate: 5 trials. It takes at most 10 epochs\n" +
      "trial 2 of 5, epoch 1 of 2, rate 0.005, loss 0.9750, speed 46.1 img/s, best so far 0.0025 (top-1 70.0 %), " +
      "left at most 1:00",
  );
  assert.match(
    bundles.filter((bundle) => bundle["text/html"]).map((bundle) => bundle["text/html"]).join(),
    /width:30\.0%/,
  );
});

Deno.test("searchView() ends with the answer and a figure of plotly", async () => {
  const bundles = await view(exampleSearchEvents());
  assert.match(
    status(bundles)!,
    /state Done after 1:15, learning rate suggestion 0\.005 \(clear\)\nwarning: 1 picture was skipped$/,
  );
  const figures = bundles.filter((bundle) => bundle["application/vnd.plotly.v1+json"]);
  assert.equal(figures.length, 1);
  const { data } = figures[0]!["application/vnd.plotly.v1+json"] as { data: { name: string; x: number[] }[] };
  assert.deepEqual(data.find(({ name }) => name === "suggestion")!.x, [0.005]);
});

Deno.test("searchView() refuses to open outside a notebook", () => {
  assert.throws(() => searchView(), {
    message:
      "Cannot open the search's view: this is not a notebook kernel\n  help: use searchBar() in a terminal",
  });
});
