import assert from "node:assert/strict";
import { logLoss, sampleLosses } from "../../lib/metrics/log_loss.ts";
import { logSumExp, softmax } from "../../lib/metrics/softmax.ts";
import { assertAllClose, assertClose, cases, rows } from "./_oracle.ts";

Deno.test("softmax() equals torch's in float64", () => {
  for (const { name, logits, probabilities } of cases) {
    probabilities?.forEach((wanted, index) =>
      assertAllClose(softmax(rows(logits)[index]), wanted, 1e-14, `${name}, row ${index}`)
    );
  }
});

Deno.test("softmax() neither overflows nor gives NaN for huge logits", () => {
  assert.deepEqual([...softmax([3e38, 3e38, -3e38])], [0.5, 0.5, 0]);
  assert.equal(softmax([]).length, 0);
  assert.equal(logSumExp([]), -Infinity);
  assert.equal(logSumExp([-1000, -1000]), -1000 + Math.log(2));
});

Deno.test("sampleLosses() equals torch's cross_entropy in float64", () => {
  for (const { name, logits, labels, crossEntropy } of cases) {
    assertAllClose(sampleLosses(rows(logits), labels), crossEntropy, 1e-12, name);
  }
});

Deno.test("logLoss() equals scikit-learn's log_loss", () => {
  for (const { name, logits, labels, logLoss: wanted } of cases) {
    // scikit-learn clips probabilities at the last bit of float64, about 36 nats; we do not.
    if (name === "large logits") continue;
    assertClose(logLoss(rows(logits), labels), wanted, 1e-12, name);
  }
});

Deno.test("logLoss() of a hopeless sample is large but finite", () => {
  assert.equal(logLoss([[1e30, 0]], [1]), 1e30);
});
