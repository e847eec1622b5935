import type { RunSummary } from "../../lib/notebook/run_view.ts";
import { createEvaluation, type Evaluation } from "../../lib/metrics/evaluation.ts";

/** A grey picture of 8 x 6 pixels. */
const picture = { width: 8, height: 6, channels: 3 as const, data: new Uint8Array(144).fill(120) };

/** An evaluation of six pictures of three classes, two of them wrong; one class has a name that is HTML. */
export function exampleEvaluation(): Evaluation {
  const logits = [[3, 0, 0], [2, 1, 0], [0, 3, 0], [2, 1, 0], [0, 0, 3], [0, 2, 1]];
  const labels = [0, 0, 1, 1, 2, 2];
  return createEvaluation({
    logits,
    labels,
    classNames: ["cat", "<b>dog</b>", "owl"],
    complexity: { gflops: 0.431, megaParams: 4.33 },
    samples: labels.map((label, i) => ({
      name: `val/<i>${i}`,
      label,
      image: i === 3 ? "/there/is/no/such/picture.png" : picture,
    })),
  });
}

/** A run of two epochs. */
export function exampleRunSummary(): RunSummary {
  const record = {
    trainLoss: 0.7,
    trainTop1: 0.5,
    validationLoss: 0.6,
    validationTop1: 0.75,
    validationTop5: 1,
    learningRate: 0.01,
  };
  const history = [{ epoch: 0, ...record }, { epoch: 1, ...record, trainLoss: 0.4, validationLoss: 0.65 }];
  return {
    model: {
      id: "mobilenetv3_small_100",
      classNames: ["cat", "<b>dog</b>", "owl"],
      complexity: { gflops: 0.111, megaParams: 1.62 },
    },
    best: history[0],
    history,
    checkpoint: "outputs/pets/best.safetensors",
    stopped: "completed",
    durationSeconds: 125,
    recipe: { name: "baseline", epochs: 2, classWeights: { cat: 1 } },
    seed: 7,
    environment: { library: "TensorFlow 2.21.0", device: "cpu" },
  };
}
