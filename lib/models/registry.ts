import { nearestName } from "../errors/nearest_name.ts";
import type { Preprocessing } from "../data/preprocessing.ts";
import { efficientNetB0 } from "./efficientnet.ts";
import { mobilenetV3 } from "./mobilenet_v3.ts";
import type { WeightsRef } from "./weights/load_weights.ts";
import type { Activations, ClassifierHead, Network, Variant } from "./network.ts";

/** The architectures, by timm's names without the `tf_` prefix. */
export type ArchitectureId =
  | "mobilenetv3_small_100"
  | "mobilenetv3_large_100"
  | "mobilenetv3_large_075"
  | "efficientnet_b0"
  | "efficientnet_lite0";

/**
 * One record per set of weights: the network they fit and the preprocessing they were trained with, so that the two
 * cannot drift apart.
 */
export interface ModelRecord {
  /** timm's id with its tag, e.g. `mobilenetv3_large_100.ra_in1k`. */
  readonly id: string;
  readonly architecture: ArchitectureId;
  readonly variant: Variant;
  readonly preprocessing: Preprocessing;
  /** Pretrained weights; none where nobody published them under a name that can be fetched. */
  readonly weights?: WeightsRef;
  /** Classes of the pretrained weights. */
  readonly pretrainedClasses: number;
  /** Licence of the pretrained weights. */
  readonly license: string;
}

const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;
const inception = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const;

function preprocessing(
  statistics: Pick<Preprocessing, "mean" | "std">,
  interpolation: Preprocessing["interpolation"],
): Preprocessing {
  return { size: { height: 224, width: 224 }, interpolation, channelOrder: "rgb", ...statistics };
}

/** Weights trained in PyTorch: symmetric padding, batch norm epsilon 1e-5. */
const pytorch: Variant = {
  padding: "symmetric",
  epsilon: 1e-5,
  squeezeExciteBeforeActivation: false,
  classifierBatchNorm: false,
  keepSmallImagesLarge: false,
};
/** Weights trained in TensorFlow: SAME padding, batch norm epsilon 1e-3. */
const tensorflow: Variant = { ...pytorch, padding: "same", epsilon: 1e-3 };
/** MobileNetV3 of torchvision: symmetric padding, batch norm epsilon 1e-3. */
const torchvision: Variant = { ...pytorch, epsilon: 1e-3 };
/** MobileNetV3 as OpenVINO Training Extensions had it (deep-object-reid, after d-li14/mobilenetv3.pytorch). */
const ote: Variant = {
  ...pytorch,
  squeezeExciteBeforeActivation: true,
  classifierBatchNorm: true,
  keepSmallImagesLarge: true,
};

function hub(id: string): WeightsRef {
  return { kind: "hub", repository: `timm/${id}`, file: "model.safetensors" };
}

function entry(
  id: string,
  architecture: ArchitectureId,
  variant: Variant,
  preprocessing: Preprocessing,
  weights: WeightsRef | undefined,
  license = "apache-2.0",
): ModelRecord {
  return { id, architecture, variant, preprocessing, weights, pretrainedClasses: 1000, license };
}

/** All records; the first of an id without its tag is that id's default. */
const records: readonly ModelRecord[] = [
  entry(
    "mobilenetv3_small_100.lamb_in1k",
    "mobilenetv3_small_100",
    pytorch,
    preprocessing(imagenet, "bicubic"),
    hub("mobilenetv3_small_100.lamb_in1k"),
  ),
  entry(
    "mobilenetv3_small_100.ote",
    "mobilenetv3_small_100",
    ote,
    preprocessing(imagenet, "bilinear"),
    undefined,
  ),
  entry(
    "mobilenetv3_large_100.ra_in1k",
    "mobilenetv3_large_100",
    pytorch,
    preprocessing(imagenet, "bicubic"),
    hub("mobilenetv3_large_100.ra_in1k"),
  ),
  entry(
    "mobilenetv3_large_100.ote",
    "mobilenetv3_large_100",
    ote,
    preprocessing(imagenet, "bilinear"),
    undefined,
  ),
  entry(
    "mobilenetv3_large_075.untrained",
    "mobilenetv3_large_075",
    pytorch,
    preprocessing(imagenet, "bicubic"),
    undefined,
  ),
  entry(
    "mobilenetv3_large_075.ote",
    "mobilenetv3_large_075",
    ote,
    preprocessing(imagenet, "bilinear"),
    undefined,
  ),
  entry(
    "efficientnet_b0.ra_in1k",
    "efficientnet_b0",
    pytorch,
    preprocessing(imagenet, "bicubic"),
    hub("efficientnet_b0.ra_in1k"),
  ),
  entry("efficientnet_b0.ote", "efficientnet_b0", pytorch, preprocessing(imagenet, "bilinear"), undefined),
  entry(
    "efficientnet_lite0.ra_in1k",
    "efficientnet_lite0",
    pytorch,
    preprocessing(imagenet, "bicubic"),
    hub("efficientnet_lite0.ra_in1k"),
  ),
  entry(
    "mobilenetv3_small_100.torchvision",
    "mobilenetv3_small_100",
    torchvision,
    preprocessing(imagenet, "bilinear"),
    undefined,
    "bsd-3-clause",
  ),
  entry(
    "mobilenetv3_large_100.torchvision",
    "mobilenetv3_large_100",
    torchvision,
    preprocessing(imagenet, "bilinear"),
    undefined,
    "bsd-3-clause",
  ),
  entry(
    "efficientnet_b0.torchvision",
    "efficientnet_b0",
    pytorch,
    preprocessing(imagenet, "bilinear"),
    undefined,
    "bsd-3-clause",
  ),
  entry(
    "tf_mobilenetv3_small_100.in1k",
    "mobilenetv3_small_100",
    tensorflow,
    preprocessing(inception, "bilinear"),
    hub("tf_mobilenetv3_small_100.in1k"),
  ),
  entry(
    "tf_mobilenetv3_large_100.in1k",
    "mobilenetv3_large_100",
    tensorflow,
    preprocessing(inception, "bilinear"),
    hub("tf_mobilenetv3_large_100.in1k"),
  ),
  entry(
    "tf_mobilenetv3_large_075.in1k",
    "mobilenetv3_large_075",
    tensorflow,
    preprocessing(inception, "bilinear"),
    hub("tf_mobilenetv3_large_075.in1k"),
  ),
  entry(
    "tf_efficientnet_b0.in1k",
    "efficientnet_b0",
    tensorflow,
    preprocessing(imagenet, "bicubic"),
    hub("tf_efficientnet_b0.in1k"),
  ),
  entry(
    "tf_efficientnet_lite0.pypi_in1k",
    "efficientnet_lite0",
    tensorflow,
    preprocessing(inception, "bicubic"),
    { kind: "lite0-package" },
  ),
  entry(
    "tf_efficientnet_lite0.in1k",
    "efficientnet_lite0",
    tensorflow,
    preprocessing(inception, "bicubic"),
    hub("tf_efficientnet_lite0.in1k"),
  ),
];

/** Every known id, with its tag. */
export const modelIds: readonly string[] = records.map((record) => record.id);

/**
 * The record of a model id, if there is one.
 *
 * @param id As for {@linkcode modelRecord}.
 * @returns The record, or `undefined` for an id that is not known.
 */
export function findModelRecord(id: string): ModelRecord | undefined {
  return records.find((record) => record.id === id || record.id.split(".")[0] === id);
}

/**
 * The record of a model id.
 *
 * @param id timm's id, with or without its tag, e.g. `mobilenetv3_large_100` or `mobilenetv3_large_100.ote`.
 * @returns The record; without a tag, the id's default weights.
 * @throws {RangeError} If the id is not known; the message names the nearest.
 */
export function modelRecord(id: string): ModelRecord {
  const record = findModelRecord(id);
  if (record !== undefined) return record;
  const names = [...new Set(records.flatMap((record) => [record.id.split(".")[0]!, record.id]))];
  const nearest = nearestName(id, names);
  throw new RangeError(
    `Cannot find model "${id}": ${nearest === undefined ? "unknown id" : `did you mean "${nearest}"?`}\n` +
      `  help: the models are ${[...new Set(records.map((record) => record.id.split(".")[0]))].join(", ")}`,
  );
}

/**
 * The network a record's weights fit.
 *
 * @param record A record of the registry.
 * @param options `numClasses`: outputs of the classifier; `head`: its kind; `activations`: what to put in place of the
 * usual ones.
 * @returns The network.
 * @throws {RangeError} If `numClasses` is not a positive integer.
 */
export function createNetwork(
  record: ModelRecord,
  options: { numClasses: number; head?: ClassifierHead; activations?: Activations },
): Network {
  const { numClasses, head, activations } = options;
  if (!Number.isInteger(numClasses) || numClasses < 1) {
    throw new RangeError(
      `Cannot create ${record.id}: numClasses must be a positive integer, and it is ${numClasses}`,
    );
  }
  const common = {
    numClasses,
    head,
    variant: record.variant,
    ...(activations === undefined ? {} : { activations }),
  };
  switch (record.architecture) {
    case "mobilenetv3_small_100":
      return mobilenetV3({ size: "small", width: 1, ...common });
    case "mobilenetv3_large_100":
      return mobilenetV3({ size: "large", width: 1, ...common });
    case "mobilenetv3_large_075":
      return mobilenetV3({ size: "large", width: 0.75, ...common });
    case "efficientnet_b0":
      return efficientNetB0({ lite: false, ...common });
    case "efficientnet_lite0":
      return efficientNetB0({ lite: true, ...common });
  }
}
