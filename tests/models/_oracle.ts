/** Reads tests/oracles/models and measures how far a tensor is from its record there. See the README beside them. */
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { toTfjsLayout } from "../../lib/models/weights/layouts.ts";
import { project, projections, tensorValues } from "./hash_weights.ts";

/** What is stored of one tensor: everything if it is small, else projections on random signs. */
export interface TensorRecord {
  norm: number;
  /** Relative error float32 PyTorch makes. */
  float32: number;
  values?: number[];
  projections?: number[];
  /** Of `changes`: the norm of the parameter itself. */
  parameterNorm?: number;
}

/** `<id>.smooth.json` and `<id>.real.json`. */
export interface TrainingOracle {
  model: string;
  gain: number;
  activations: "smooth" | "real";
  loss: { classWeights: boolean; labelSmoothing: number };
  train: { batch: number; height: number; width: number; classes: number };
  sgd: { learningRate: number; momentum: number; weightDecay: number; steps: number };
  losses: number[];
  lossesFloat32: number[];
  logits: number[];
  /** Relative error over all tensors together, for each way PyTorch computes in float32. */
  float32: Record<"gradients" | "changes" | "statistics", number[]>;
  gradients: Record<string, TensorRecord>;
  statistics: Record<string, TensorRecord>;
  changes: Record<string, TensorRecord>;
}

/** `<id>.eval.json`. */
export interface EvaluationOracle {
  gain: number;
  classes: number;
  images: number;
  sizes: {
    height: number;
    width: number;
    float64: number[];
    float32: number[];
    smooth: number[];
    float32Error: number;
  }[];
}

/** `<id>.keys.json`. */
export interface KeysOracle {
  classes: number;
  shapes: Record<string, number[]>;
  timmNames?: Record<string, string>;
}

/** Reads one file of tests/oracles/models. */
export function readOracle<T>(file: string): T {
  return JSON.parse(Deno.readTextFileSync(new URL(`../oracles/models/${file}`, import.meta.url)));
}

/** Euclidean norm. */
export function norm(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}

/**
 * Norm of the difference between a tensor and its record; for large tensors an unbiased estimate from the projections.
 *
 * @param name timm's name.
 * @param values In PyTorch's layout.
 */
export function distance(name: string, values: ArrayLike<number>, record: TensorRecord): number {
  if (record.values !== undefined) {
    if (record.values.length !== values.length) {
      throw new RangeError(`${name} has ${values.length} elements, not ${record.values.length}`);
    }
    return norm(record.values.map((value, i) => value - values[i]!));
  }
  const found = project(name, values);
  return norm(record.projections!.map((value, k) => value - found[k]!)) / Math.sqrt(projections);
}

/**
 * The generated weights of a model under timm-style names, in tfjs's layouts. OTE's squeeze-excite and hidden layer are
 * dense layers in PyTorch and 1 x 1 convolutions here.
 */
export function generatedWeights(id: string, gain: number): Record<string, HostTensor> {
  const { shapes, timmNames } = readOracle<KeysOracle>(`${id}.keys.json`);
  return Object.fromEntries(
    Object.entries(shapes).map(([key, stored]) => {
      const name = timmNames?.[key] ?? key;
      const shape = stored.length === 2 && name !== "classifier.weight" ? [...stored, 1, 1] : stored;
      const data = tensorValues(name, stored, gain);
      return [name, toTfjsLayout(name, { dtype: "float32", shape, data } as HostTensor)];
    }),
  );
}
