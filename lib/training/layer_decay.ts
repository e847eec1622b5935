import type { ParameterSpec } from "../models/layers.ts";

/**
 * What the learning rate of each parameter is multiplied by, so that the layers near the pictures, which know what all
 * pictures have in common, change less than those near the classes: 1 for the classifier, `decay` for the block before
 * it, `decay` times that for the one before, and so on down to the stem. Layers are timm's (`group_matcher`): the stem,
 * each block, and what comes behind; EfficientNet's last convolution belongs to its last block.
 *
 * @param parameters Parameters of a network, under timm's names.
 * @param decay Factor from a layer to the one before it, above 0, up to 1.
 * @returns The factor by name.
 * @example
 * ```ts
 * import { layerScales } from "./layer_decay.ts";
 * const names = ["conv_stem.weight", "blocks.0.0.conv_pw.weight", "classifier.weight"];
 * console.log(layerScales(names.map((name) => ({ name })), 0.5)); // 0.25, 0.5 and 1
 * ```
 * @see Clark et al.: ELECTRA (2020, https://arxiv.org/abs/2003.10555); Bao, Dong, Piao, Wei: BEiT (2021,
 * https://arxiv.org/abs/2106.08254)
 */
export function layerScales(
  parameters: readonly Pick<ParameterSpec, "name">[],
  decay: number,
): Record<string, number> {
  // MobileNetV3 has no norm behind `conv_head`: there it is a layer of the head, behind the pooling. Of a folded norm only
  // the bias is left.
  const isEfficientNet = parameters.some(({ name }) => name.startsWith("bn2."));
  const layers: string[] = [];
  const lastBlock = () => layers.findLast((layer) => layer.startsWith("blocks."));
  const layerOf = (name: string) => {
    const block = /^blocks\.\d+\.\d+/.exec(name)?.[0];
    if (block !== undefined) return block;
    if (/^(conv_stem|bn1)\./.test(name)) return "stem";
    return isEfficientNet && /^(conv_head|bn2)\./.test(name) ? lastBlock()! : "head";
  };
  const found = parameters.map(({ name }) => {
    const layer = layerOf(name);
    if (!layers.includes(layer)) layers.push(layer);
    return [name, layers.indexOf(layer)] as const;
  });
  return Object.fromEntries(found.map(([name, layer]) => [name, decay ** (layers.length - 1 - layer)]));
}
