import assert from "node:assert/strict";

/** One case of tests/oracles/metrics/metrics.json; see metrics.py beside it. */
export interface MetricsCase {
  name: string;
  logits: number[][];
  labels: number[];
  topK: Record<string, number>;
  meanTopK: Record<string, number>;
  balancedAccuracy: number;
  predicted: number[];
  confusionMatrix: number[][];
  precision: number[];
  recall: number[];
  f1: number[];
  support: number[];
  logLoss: number;
  crossEntropy: number[];
  probabilities: number[][] | null;
  averagePrecisionStep: number[];
  averagePrecision: number[];
  mAP: number;
  calibrationError: number;
  reliability: { count: number[]; accuracy: number[]; confidence: number[] };
  accuracyInterval: [number, number];
}

const file = new URL("../oracles/metrics/metrics.json", import.meta.url);
const oracle: { cases: MetricsCase[]; wilson: [number, number, number, number][] } = JSON.parse(
  Deno.readTextFileSync(file),
);

/** Values that scikit-learn, SciPy, torch and NumPy computed. */
export const { cases, wilson } = oracle;

/** The logits as the model gives them. */
export function rows(logits: number[][]): Float32Array[] {
  return logits.map((row) => Float32Array.from(row));
}

export function assertClose(found: number, wanted: number, tolerance: number, what: string): void {
  assert.ok(
    Math.abs(found - wanted) <= tolerance * Math.max(1, Math.abs(wanted)),
    `${what}: found ${found}, wanted ${wanted}`,
  );
}

export function assertAllClose(
  found: ArrayLike<number>,
  wanted: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  assert.equal(found.length, wanted.length, `${what}: length`);
  for (let index = 0; index < found.length; index++) {
    assertClose(found[index], wanted[index], tolerance, `${what}[${index}]`);
  }
}
