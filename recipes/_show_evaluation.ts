import type { Dataset } from "../lib/data/dataset.ts";
import { evaluate, type EvaluateOptions } from "../lib/evaluate.ts";
import { withStopSignal } from "../lib/notebook/stop_signal.ts";
import { plural } from "../lib/plots/theme.ts";
import { counter } from "./_terminal.ts";

/**
 * Measures a model and prints the result: what a terminal shows of an evaluation, and where its files are.
 *
 * @param source The path of a checkpoint.
 * @param data Labelled pictures.
 * @param options Of `evaluate`.
 */
export async function showEvaluation(source: string, data: Dataset, options: EvaluateOptions): Promise<void> {
  const count = counter("evaluating");
  const evaluation = await withStopSignal((signal) =>
    evaluate(source, data, { ...options, signal, onProgress: ({ done, total }) => count(done, total) })
  );
  const skipped = data.samples.length - evaluation.sampleCount;
  if (skipped > 0) {
    console.error(`warning: ${plural(skipped, "picture")} of ${data.samples.length} could not be read`);
  }
  console.log(evaluation);
  const { saveMetricsTo, savePredictionsTo } = options;
  const files = [saveMetricsTo, savePredictionsTo].filter((path) => path !== undefined);
  if (files.length > 0) console.log(`\n${files.join("\n")}`);
}
