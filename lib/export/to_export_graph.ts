import type { Preprocessing } from "../data/preprocessing.ts";
import { foldParameters } from "../graph/fold_parameters.ts";
import { fusePadding } from "../graph/fuse_padding.ts";
import type { Graph } from "../graph/graph.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import { prune } from "../graph/prune.ts";
import { recordInference } from "../models/inference.ts";
import type { Network } from "../models/network.ts";
import type { ExportGraph } from "./export_graph.ts";
import { lowerGraph } from "./_lower_graph.ts";

/** What of a model decides what its files compute. */
export interface ExportableModel {
  readonly id: string;
  readonly network: Network;
  readonly weights: Readonly<Record<string, HostTensor>>;
  readonly preprocessing: Preprocessing;
}

/** A model as files hold it, with the recording it comes from. */
export interface ExportedNetwork {
  /** From normalised pictures, RGB, `[batch, 3, height, width]`, to logits. */
  readonly graph: ExportGraph;
  /** The recorded graph, folded: from the bytes of pictures to logits. `recorded` of an exported value is a number of it. */
  readonly recorded: Graph;
  /** The recorded graph's parameters, under its inputs' names: `params/<name>`. */
  readonly parameters: Readonly<Record<string, HostTensor>>;
}

/**
 * Records a model in evaluation mode and writes it in the operations of exported files: channels first, batch norms
 * folded into the convolutions, each activation one operation, quantised weights as int8 constants.
 *
 * @param model A model, quantised or not.
 * @param batchSize Length of the batch axis.
 * @returns The graph for the file, and the recording it was made from.
 * @throws {TypeError} If the network has operators that files cannot hold; each is named with its place.
 */
export function toExportGraph(model: ExportableModel, batchSize = 1): ExportedNetwork {
  const { network, preprocessing, weights, id } = model;
  const { graph: folded, fold } = foldParameters(recordInference(network, preprocessing, batchSize));
  const recorded = prune(fusePadding(folded));
  const parameters = Object.fromEntries(
    Object.entries(fold(weights)).map(([name, value]) => [`params/${name}`, value]),
  );
  return { graph: lowerGraph(recorded, parameters, id), recorded, parameters };
}
