import type { HostTensor } from "../../graph/host_tensor.ts";
import { type Architecture, keyPairs, type Naming } from "./_key_tables.ts";
import { fromTfjsLayout } from "./layouts.ts";

export type { Architecture, Naming };

/** Weights under timm's names. */
export interface RenamedWeights {
  /** Tensors in PyTorch's layouts, shaped as timm shapes them (1x1 convolutions of rank 4, `classifier` of rank 2). */
  tensors: Record<string, HostTensor>;
  /** Names of the source that the architecture has no place for. `num_batches_tracked` is not counted. */
  unmatched: string[];
}

/**
 * Whose names a state dict uses: `timm` (`blocks.0.0.conv_dw.weight`), `torchvision` (`features.1.block.0.0.weight`),
 * `ote` (OTE, deep-object-reid and pytorchcv: `features.1.conv.0.weight`, `features.stage1.unit1...`) or `lite0` (the
 * Lite0 package's and efficientnet_pytorch's: `_blocks.0._depthwise_conv.weight`).
 *
 * @param keys names of tensors
 * @param path the file they are from, for the message
 * @returns the naming
 * @throws {SyntaxError} if the names are of no known kind
 * @example
 * ```ts
 * import { detectNaming } from "./key_maps.ts";
 * console.log(detectNaming(["conv_stem.weight", "bn1.weight"])); // timm
 * ```
 */
export function detectNaming(keys: Iterable<string>, path?: string): Naming {
  const names = [...keys];
  const signs: [Naming, RegExp][] = [
    ["timm", /^(?:conv_stem|blocks\.\d+\.\d+)\./],
    ["lite0", /^(?:_conv_stem|_blocks\.\d+)\./],
    ["ote", /^features\.(?:\d+\.conv\.|init_block\.|stage\d+\.)/],
    ["torchvision", /^features\.\d+\.(?:\d+\.)?block\./],
  ];
  for (const [naming, sign] of signs) if (names.some((name) => sign.test(name))) return naming;
  const shown = names.slice(0, 3).map((name) => `\n  found "${name}"`).join("");
  const more = names.length > 3 ? `\n  (and ${names.length - 3} more)` : "";
  throw new SyntaxError(
    `Cannot load weights${path === undefined ? "" : ` "${path}"`}: ` +
      `their ${names.length} names are not timm's, torchvision's, OTE's or Lite0's${shown}${more}\n` +
      `  help: rename them to timm's names, e.g. "conv_stem.weight", "blocks.0.0.conv_dw.weight"`,
  );
}

/**
 * Renames weights to timm's names, and reshapes where timm has a 1x1 convolution and the source a linear layer
 * (`[out, in]` becomes `[out, in, 1, 1]`: squeeze-excite and MobileNetV3's head) or the other way round.
 *
 * OTE's extra layers get names of our own: its classifier's batch norm `classifier_bn.*`, the PReLUs of its cosine
 * variant `final_act.weight` and `classifier_act.weight`; a cosine head's `[in, classes]` weight becomes
 * `classifier.weight` of `[classes, in]`.
 *
 * @param tensors weights in PyTorch's layouts
 * @param architecture whose weights they are
 * @param naming whose names they use
 * @returns renamed weights, and what found no place
 * @throws {SyntaxError} if the naming cannot be recognised, or two names lead to one tensor
 */
export function toTimmNames(
  tensors: Readonly<Record<string, HostTensor>>,
  architecture: Architecture,
  naming: Naming = detectNaming(Object.keys(tensors)),
): RenamedWeights {
  const timmNames = new Map(keyPairs(architecture, naming).map(({ source, timm }) => [source, timm]));
  const renamed = new Map<string, HostTensor>();
  const unmatched: string[] = [];
  for (const [name, tensor] of Object.entries(tensors)) {
    if (name.endsWith("num_batches_tracked")) continue; // BN's momentum is fixed here
    const timmName = timmNames.get(name);
    if (timmName === undefined) {
      unmatched.push(name);
      continue;
    }
    if (renamed.has(timmName)) {
      throw new SyntaxError(
        `Cannot rename weights of ${architecture}: "${name}" is a second "${timmName}"\n  help: remove one of them`,
      );
    }
    const isCosine = naming === "ote" && isCosineHead(name, tensors);
    renamed.set(timmName, isCosine ? fromTfjsLayout(timmName, tensor) : toTimmRank(timmName, tensor));
  }
  return { tensors: Object.fromEntries(renamed), unmatched };
}

/** OTE's AngleSimpleLinear, which stores `[in, classes]`, as tfjs does, and has no bias. */
function isCosineHead(name: string, tensors: Readonly<Record<string, HostTensor>>): boolean {
  return name === "output.asl.weight" ||
    name === "classifier.4.weight" && !Object.hasOwn(tensors, "classifier.4.bias");
}

function toTimmRank(timmName: string, tensor: HostTensor): HostTensor {
  const { shape } = tensor;
  const isConvolution = /(?:^|\.)conv[a-z_]*\.weight$/.test(timmName);
  if (isConvolution && shape.length === 2) return { ...tensor, shape: [...shape, 1, 1] };
  const isPointwise = shape.length === 4 && shape[2] === 1 && shape[3] === 1;
  if (timmName === "classifier.weight" && isPointwise) return { ...tensor, shape: shape.slice(0, 2) };
  return tensor;
}
