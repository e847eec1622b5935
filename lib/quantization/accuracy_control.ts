import type { Model } from "../models/model.ts";
import type { ScoredPictures } from "../training/score_pictures.ts";
import { type AccuracyDrop, accuracyDrop } from "./accuracy_drop.ts";
import { AccuracyDropError, type ControlStep } from "./accuracy_drop_error.ts";

/** What {@linkcode controlAccuracy} works with. */
export interface AccuracyControl {
  /** Scores of the model in float. */
  readonly float: ScoredPictures;
  /** Layers by what their quantisation costs, worst first. */
  readonly ranking: readonly string[];
  /** The most that top-1 may drop, 0..1. */
  readonly maxDrop: number;
  /** The most layers that may be in float. */
  readonly maxFloatLayers: number;
  /** The model with some layers in float. */
  quantized(floatLayers: readonly string[]): Promise<Model>;
  /** Scores of a model's int8 file on the same pictures. */
  score(model: Model): Promise<Pick<ScoredPictures, "logits">>;
  /** The scores with all layers in int8, where they are known already. */
  readonly allInt8?: Pick<ScoredPictures, "logits">;
  /** Folder of the fine-tuning that came before, for the advice of the error. */
  readonly fineTunedIn?: string;
  /** Told of each try. */
  onStep?(step: ControlStep): unknown;
}

/** A quantised model that keeps its promise. */
export interface ControlledModel {
  readonly model: Model;
  /** The drop of its int8 file. */
  readonly drop: AccuracyDrop;
  readonly floatLayers: readonly string[];
  /** Every try, from all layers in int8 on. */
  readonly steps: readonly ControlStep[];
}

/**
 * Puts layers back to float one after another, those that hurt most first, until the int8 file is as accurate as
 * promised. Each try is measured with the file in its runtime.
 *
 * @param control Model, scores and promise.
 * @returns The first model that keeps the promise, and its drop.
 * @throws {AccuracyDropError} If the promise does not hold with as many layers in float as may be.
 */
export async function controlAccuracy(control: AccuracyControl): Promise<ControlledModel> {
  const { float, ranking, maxDrop } = control;
  const maxFloatLayers = Math.min(control.maxFloatLayers, ranking.length);
  const steps: ControlStep[] = [];
  for (let count = 0; count <= maxFloatLayers; count++) {
    const floatLayers = ranking.slice(0, count);
    const model = await control.quantized(floatLayers);
    const known = count === 0 ? control.allInt8 : undefined;
    const drop = accuracyDrop(float, known ?? await control.score(model));
    const step = { floatLayers, drop };
    steps.push(step);
    await control.onStep?.(step);
    if (drop.drop <= maxDrop) return { model, drop, floatLayers, steps };
    await model.dispose();
  }
  throw new AccuracyDropError(steps, maxDrop, maxFloatLayers, control.fineTunedIn);
}
