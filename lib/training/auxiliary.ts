import { listNames } from "../data/dataset_error.ts";
import type { Preprocessing } from "../data/preprocessing.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import { parseCheckpointMetadata } from "../models/checkpoint_metadata.ts";
import type { Network } from "../models/network.ts";
import { isWeightsPath, type OpenForTrainingOptions, openModel } from "../models/open_model.ts";
import { createNetwork, modelRecord } from "../models/registry.ts";
import { readWeightsFile } from "../models/weights/load_weights.ts";
import { headOfLoss, type LossSettings, scaleOf } from "./am_softmax.ts";
import type { AuxiliaryModel } from "./recipe.ts";

/** A model that learns beside the main one, ready to. */
export interface AuxiliaryNetwork {
  /** timm's id with its tag. */
  readonly model: string;
  readonly network: Network;
  /** Its own normalisation, at the main model's size. */
  readonly preprocessing: Preprocessing;
  /** First weights; empty if the run goes on from a checkpoint. */
  readonly weights: Readonly<Record<string, HostTensor>>;
  /** Loss, rate and dropout. */
  readonly settings: AuxiliaryModel;
}

/** Loss and classifier of an auxiliary model: AM-softmax, as the reference's text says, unless told otherwise. */
export function lossOf({ loss = "amSoftmax", margin, scale }: AuxiliaryModel): LossSettings {
  return { loss, margin, scale };
}

/**
 * Opens the auxiliary models of a recipe.
 *
 * @param models What the recipe says.
 * @param classNames Classes of the data.
 * @param main The main model's preprocessing.
 * @param options What computes, and who is told about downloads; the seed of new classifiers.
 * @returns The models, with weights.
 * @throws {TypeError} If weights are another run's for other classes.
 * @throws {Error} If there are no weights.
 */
export async function openAuxiliary(
  models: readonly AuxiliaryModel[],
  classNames: readonly string[],
  main: Preprocessing,
  options: OpenForTrainingOptions,
): Promise<AuxiliaryNetwork[]> {
  const opened: AuxiliaryNetwork[] = [];
  for (const [index, settings] of models.entries()) {
    const { weights } = settings;
    await requireSameClasses(settings, classNames);
    const loss = lossOf(settings);
    const model = await openModel(settings.model, {
      ...options,
      weights,
      classNames,
      imageSize: main.size.height,
      ...(settings.frozen ? {} : { head: headOfLoss(loss.loss) }), // a teacher keeps its own classifier
      seed: (options.seed ?? 0) + index + 1, // other random numbers than the main model's
    }).catch((error) => {
      throw new Error(`Cannot open the auxiliary model: ${error.message}`, { cause: error });
    });
    opened.push({
      model: model.id,
      network: model.network,
      preprocessing: { ...model.preprocessing, size: main.size },
      weights: settings.frozen ? model.weights : withScale(model.weights, loss, classNames.length),
      settings: settings.frozen
        ? { ...settings, loss: model.network.head === "cosine" ? "amSoftmax" : "softmax" }
        : settings,
    });
  }
  return opened;
}

/**
 * The auxiliary models of a run that goes on: networks without weights, which are in the state of the run.
 *
 * @param models What the run's recipe says; the ids have tags.
 * @param classNames Classes of the data.
 * @param main The main model's preprocessing.
 */
export function reopenAuxiliary(
  models: readonly AuxiliaryModel[],
  classNames: readonly string[],
  main: Preprocessing,
): AuxiliaryNetwork[] {
  return models.map((settings) => {
    const record = modelRecord(settings.model);
    const head = headOfLoss(lossOf(settings).loss);
    return {
      model: record.id,
      network: createNetwork(record, { numClasses: classNames.length, head }),
      preprocessing: { ...record.preprocessing, size: main.size },
      weights: {},
      settings,
    };
  });
}

/** Weights with the scale a loss asks for, if their classifier has one. */
export function withScale(
  weights: Readonly<Record<string, HostTensor>>,
  loss: LossSettings,
  classes: number,
): Readonly<Record<string, HostTensor>> {
  if (!("classifier.scale" in weights)) return weights;
  const data = Float32Array.of(scaleOf(loss, classes));
  return { ...weights, "classifier.scale": { dtype: "float32", shape: [], data } };
}

async function requireSameClasses(
  { model, weights }: AuxiliaryModel,
  classNames: readonly string[],
): Promise<void> {
  if (typeof weights !== "string" || !isWeightsPath(weights)) return;
  const saved = parseCheckpointMetadata((await readWeightsFile(weights)).metadata);
  if (saved === undefined || JSON.stringify(saved.classNames) === JSON.stringify(classNames)) return;
  throw new TypeError(
    `Cannot open the auxiliary model: its weights "${weights}" are for the classes ${
      listNames(saved.classNames, 5)
    }, ` +
      `and the data's are ${listNames(classNames, 5)}\n` +
      `  help: pass weights trained on these classes, or leave weights out to begin with those published for ${model}`,
  );
}
