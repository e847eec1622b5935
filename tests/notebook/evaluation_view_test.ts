import assert from "node:assert/strict";
import { evaluationText, withEvaluationView } from "../../lib/notebook/evaluation_view.ts";
import { exampleEvaluation } from "./_example_evaluation.ts";

Deno.test("evaluationText() is what a terminal shows", () => {
  assert.equal(
    evaluationText(exampleEvaluation()),
    `\
top-1 accuracy         66.7 %  (30.0 % to 90.3 %, 95 % confidence)
top-5 accuracy        100.0 %
mean of the classes    66.7 %  (top-1 of each class, averaged)
mAP                    86.1 %  (mean average precision)
loss                    0.585  (cross-entropy, nats)
calibration error      21.1 %  (expected, 15 bins)
pictures                    6  (2 wrong, 3 classes)
model                0.431 GFLOPs  (4.33 million parameters)

class       pictures  precision  recall     F1  average precision
cat                2      0.667   1.000  0.800              0.833
<b>dog</b>         2      0.500   0.500  0.500              0.750
owl                2      1.000   0.500  0.667              1.000

worst mistakes:
  val/<i>3: <b>dog</b>, taken for cat (66.5 % sure)
  val/<i>5: owl, taken for <b>dog</b> (66.5 % sure)`,
  );
});

Deno.test("withEvaluationView() shows names as text, and mistakes whose picture is gone", async () => {
  const evaluation = withEvaluationView(exampleEvaluation());
  const show = (evaluation as unknown as Record<symbol, () => Promise<Record<string, string>>>)[
    Symbol.for("Jupyter.display")
  ];
  const bundle = await show();
  const page = bundle["text/html"];
  assert.equal(bundle["text/plain"], evaluationText(exampleEvaluation()));
  assert.doesNotMatch(page, /<b>dog|<i>3/);
  assert.match(page, /title="val\/&lt;i&gt;3"/);
  assert.match(page, /no picture/);
  assert.equal(page.match(/<img src="data:image\/jpeg;base64,/g)?.length, 1);
});

Deno.test("withEvaluationView() draws its figures when asked, and is the same plain data", () => {
  const evaluation = withEvaluationView(exampleEvaluation());
  assert.deepEqual(structuredClone(evaluation), structuredClone(exampleEvaluation()));
  assert.equal(evaluation.figures.confusionMatrix.data.length, 2);
  assert.equal(evaluation.figures.reliability.data.length, 4);
  assert.equal(evaluation.figures.perClass.data.length, 3);
});
