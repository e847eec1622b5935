/** A network whose weights can be renamed; timm's `tf_` variants have the same tensors under the same names. */
export type Architecture =
  | "mobilenetv3_small_100"
  | "mobilenetv3_large_100"
  | "mobilenetv3_large_075"
  | "efficientnet_b0"
  | "efficientnet_lite0";

/** Whose names a state dict uses. */
export type Naming = "timm" | "torchvision" | "ote" | "lite0";

/** One tensor under two names. */
export interface KeyPair {
  /** In the file. */
  source: string;
  /** In timm. */
  timm: string;
}

type Family = "mobilenetv3" | "efficientnet";

/** What the names depend on. */
interface Skeleton {
  family: Family;
  /** Blocks per stage, in timm's stages; the first block of all has no expansion. */
  stages: readonly number[];
  /** "1" for each block that squeezes and excites, in order. */
  squeezes: string;
}

const large: Skeleton = { family: "mobilenetv3", stages: [1, 2, 3, 4, 2, 3], squeezes: "000111000011111" };

const skeletons: Readonly<Record<Architecture, Skeleton>> = {
  mobilenetv3_small_100: { family: "mobilenetv3", stages: [1, 2, 3, 2, 3], squeezes: "10011111111" },
  mobilenetv3_large_100: large,
  mobilenetv3_large_075: large,
  efficientnet_b0: { family: "efficientnet", stages: [1, 2, 2, 3, 3, 4, 1], squeezes: "1111111111111111" },
  efficientnet_lite0: { family: "efficientnet", stages: [1, 2, 2, 3, 3, 4, 1], squeezes: "0000000000000000" },
};

/**
 * All names of an architecture's tensors, source beside timm.
 *
 * @param architecture which network
 * @param naming whose names the source uses
 * @returns one pair per tensor (where versions of the source differ, one per spelling), layers that only some
 * variants have included; empty if nobody names this architecture so
 */
export function keyPairs(architecture: Architecture, naming: Naming): KeyPair[] {
  const skeleton = skeletons[architecture];
  const outer = outerLayers[skeleton.family][naming];
  if (outer === undefined) return [];
  const layers = [...outer];
  for (const block of blocksOf(skeleton)) {
    const source = blockNames[naming](block);
    const timm = blockNames.timm(block);
    if (block.expands) {
      layers.push([source.expand[0], timm.expand[0], conv], [source.expand[1], timm.expand[1], bn]);
    }
    layers.push([source.depthwise[0], timm.depthwise[0], conv], [source.depthwise[1], timm.depthwise[1], bn]);
    if (block.squeezes) {
      layers.push([source.squeeze[0], timm.squeeze[0], dense], [source.squeeze[1], timm.squeeze[1], dense]);
    }
    layers.push([source.project[0], timm.project[0], conv], [source.project[1], timm.project[1], bn]);
  }
  if (skeleton.family === "mobilenetv3") { // timm counts the last convolution as one more stage
    const last = `blocks.${skeleton.stages.length}.0`;
    const source =
      { timm: last, torchvision: `features.${skeleton.squeezes.length + 1}`, ote: "conv", lite0: "" }[naming];
    const [first, second] = naming === "timm" ? ["conv", "bn1"] : ["0", "1"];
    layers.push([`${source}.${first}`, `${last}.conv`, conv], [`${source}.${second}`, `${last}.bn1`, bn]);
  }
  return layers.flatMap(([source, timm, parts]) =>
    parts.map((part) => ({ source: `${source}.${part}`, timm: `${timm}.${part}` }))
  );
}

// What a layer's tensors are called, the same for everybody.
const conv = ["weight"];
const dense = ["weight", "bias"];
const classifier = [...dense, "scale"]; // a cosine classifier has a scale and no bias
const bn = ["weight", "bias", "running_mean", "running_var"];

/** A layer: its source's name, timm's name, its tensors. */
type Layer = readonly [source: string, timm: string, parts: readonly string[]];

/** Stem and head. Cosine classifiers, and the batch norm and PReLUs of OTE's, are not timm's: their names are ours. */
const outerLayers: Readonly<Record<Family, Readonly<Partial<Record<Naming, readonly Layer[]>>>>> = {
  mobilenetv3: {
    timm: [
      ["conv_stem", "conv_stem", conv],
      ["bn1", "bn1", bn],
      ["conv_head", "conv_head", dense],
      ["classifier", "classifier", classifier],
      ["classifier_bn", "classifier_bn", bn],
      ["final_act", "final_act", conv],
      ["classifier_act", "classifier_act", conv],
    ],
    torchvision: [
      ["features.0.0", "conv_stem", conv],
      ["features.0.1", "bn1", bn],
      ["classifier.0", "conv_head", dense],
      ["classifier.3", "classifier", dense],
    ],
    ote: [
      ["features.0.0", "conv_stem", conv],
      ["features.0.1", "bn1", bn],
      ["conv.2", "final_act", conv],
      ["classifier.0", "conv_head", dense],
      ["classifier.1", "classifier_bn", bn],
      ["classifier.2", "classifier_act", conv],
      ["classifier.3", "classifier", dense], // the ImageNet files, which have no batch norm before it
      ["classifier.4", "classifier", dense],
    ],
  },
  efficientnet: {
    timm: [
      ["conv_stem", "conv_stem", conv],
      ["bn1", "bn1", bn],
      ["conv_head", "conv_head", conv],
      ["bn2", "bn2", bn],
      ["classifier", "classifier", classifier],
      ["final_act", "final_act", conv],
    ],
    torchvision: [
      ["features.0.0", "conv_stem", conv],
      ["features.0.1", "bn1", bn],
      ["features.8.0", "conv_head", conv],
      ["features.8.1", "bn2", bn],
      ["classifier.1", "classifier", dense],
    ],
    ote: [
      ["features.init_block.conv.conv", "conv_stem", conv],
      ["features.init_block.conv.bn", "bn1", bn],
      ["features.final_block.conv", "conv_head", conv],
      ["features.final_block.bn", "bn2", bn],
      ["features.final_block.activ", "final_act", conv],
      ["output.fc", "classifier", dense],
      ["output.asl", "classifier", conv],
    ],
    lite0: [
      ["_conv_stem", "conv_stem", conv],
      ["_bn0", "bn1", bn],
      ["_conv_head", "conv_head", conv],
      ["_bn1", "bn2", bn],
      ["_fc", "classifier", dense],
    ],
  },
};

interface Block {
  family: Family;
  /** Counted over the whole network. */
  index: number;
  /** timm's stage, and the place in it. */
  stage: number;
  unit: number;
  expands: boolean;
  squeezes: boolean;
}

function blocksOf({ family, stages, squeezes }: Skeleton): Block[] {
  const places = stages.flatMap((length, stage) => Array.from({ length }, (_, unit) => ({ stage, unit })));
  return places.map((place, index) => (
    { ...place, family, index, expands: index > 0, squeezes: squeezes[index] === "1" }
  ));
}

/** Names of a block's layers: convolution and batch norm, or the two dense layers of squeeze-excite. */
interface BlockNames {
  expand: readonly [string, string];
  depthwise: readonly [string, string];
  squeeze: readonly [string, string];
  project: readonly [string, string];
}

const blockNames: Readonly<Record<Naming, (block: Block) => BlockNames>> = {
  timm({ stage, unit, expands }) {
    const at = `blocks.${stage}.${unit}`;
    return {
      expand: [`${at}.conv_pw`, `${at}.bn1`],
      depthwise: [`${at}.conv_dw`, `${at}.${expands ? "bn2" : "bn1"}`],
      squeeze: [`${at}.se.conv_reduce`, `${at}.se.conv_expand`],
      project: expands ? [`${at}.conv_pwl`, `${at}.bn3`] : [`${at}.conv_pw`, `${at}.bn2`],
    };
  },
  torchvision({ family, index, stage, unit, expands, squeezes }) {
    const at = family === "mobilenetv3"
      ? `features.${index + 1}.block`
      : `features.${stage + 1}.${unit}.block`;
    const depthwise = expands ? 1 : 0; // layers are counted, and missing ones leave no gap
    const project = depthwise + (squeezes ? 2 : 1);
    return {
      expand: [`${at}.0.0`, `${at}.0.1`],
      depthwise: [`${at}.${depthwise}.0`, `${at}.${depthwise}.1`],
      squeeze: [`${at}.${depthwise + 1}.fc1`, `${at}.${depthwise + 1}.fc2`],
      project: [`${at}.${project}.0`, `${at}.${project}.1`],
    };
  },
  ote(block) {
    return block.family === "mobilenetv3" ? oteMobileNetNames(block) : oteEfficientNetNames(block);
  },
  lite0({ index }) {
    const at = `_blocks.${index}`;
    return {
      expand: [`${at}._expand_conv`, `${at}._bn0`],
      depthwise: [`${at}._depthwise_conv`, `${at}._bn1`],
      squeeze: [`${at}._se_reduce`, `${at}._se_expand`],
      project: [`${at}._project_conv`, `${at}._bn2`],
    };
  },
};

/** Places in an `nn.Sequential` where activations and absent squeeze-excites count too. */
function oteMobileNetNames({ index, expands }: Block): BlockNames {
  const at = `features.${index + 1}.conv`;
  const [depthwise, squeeze, project] = expands ? [3, 5, 7] : [0, 3, 4];
  return {
    expand: [`${at}.0`, `${at}.1`],
    depthwise: [`${at}.${depthwise}`, `${at}.${depthwise + 1}`],
    squeeze: [`${at}.${squeeze}.fc.0`, `${at}.${squeeze}.fc.2`],
    project: [`${at}.${project}`, `${at}.${project + 1}`],
  };
}

/** pytorchcv cuts the network only where the picture shrinks: its stage 4 is timm's 3 and 4, its 5 timm's 5 and 6. */
function oteEfficientNetNames({ stage, unit, expands }: Block): BlockNames {
  const [oteStage, first] = [[1, 1], [2, 1], [3, 1], [4, 1], [4, 4], [5, 1], [5, 5]][stage];
  const at = `features.stage${oteStage}.unit${first + unit}`;
  const [depthwise, project] = expands ? ["conv2", "conv3"] : ["dw_conv", "pw_conv"];
  return {
    expand: [`${at}.conv1.conv`, `${at}.conv1.bn`],
    depthwise: [`${at}.${depthwise}.conv`, `${at}.${depthwise}.bn`],
    squeeze: [`${at}.se.conv1`, `${at}.se.conv2`],
    project: [`${at}.${project}.conv`, `${at}.${project}.bn`],
  };
}
