import type { Loader } from "../data/loader.ts";
import { withInput } from "../export/model_input.ts";
import { toOpenVINO } from "../export/openvino_ir.ts";
import { toExportGraph } from "../export/to_export_graph.ts";
import { toExportMetadata } from "../export/to_export_metadata.ts";
import type { Model } from "../models/model.ts";
import type { ProvisionListener } from "../provision/events.ts";
import { openExportedClassifier } from "../runtimes/exported_classifier.ts";
import type { IRBytes } from "../runtimes/exported_file.ts";
import { type IRModel, openIR, type ProfiledOperation } from "../runtimes/openvino.ts";
import { type ScoredPictures, scorePictures } from "../training/score_pictures.ts";

/** What is fed to files that only live in memory. */
const input = { channelOrder: "rgb", values: "raw" } as const;

/** A model as OpenVINO's files, in memory. */
export function toIRBytes(model: Model): IRBytes {
  const graph = withInput(toExportGraph(model).graph, model.preprocessing, input);
  const metadata = toExportMetadata(model, graph, { input, precision: "fp32" });
  return toOpenVINO(graph, metadata, { precision: "fp32", dynamicBatch: false });
}

/** Pictures scored by a model's file. */
export interface RuntimeScores extends ScoredPictures {
  /** E.g. `OpenVINO 2026.4.1`. */
  readonly runtime: string;
}

/**
 * Scores pictures with a model's file in OpenVINO: what a user of the file will get.
 *
 * @param model The model, int8 or not.
 * @param loader The pictures.
 * @param options `signal`: ends it, with its reason; `onProvision`: told of the download of OpenVINO.
 * @returns Scores and labels.
 * @throws {LibraryError} If OpenVINO cannot be had.
 */
export async function scoreInRuntime(
  model: Model,
  loader: Loader,
  options: { readonly signal: AbortSignal; readonly onProvision?: ProvisionListener },
): Promise<RuntimeScores> {
  const { signal, onProvision } = options;
  const classifier = await openExportedClassifier(toIRBytes(model), {
    performance: "throughput",
    onProgress: onProvision,
    signal,
  });
  try {
    const scores = await scorePictures(classifier.createInference(loader.batchSize), loader, signal);
    if (scores === undefined) throw signal.reason;
    return { ...scores, runtime: classifier.model.runtime };
  } finally {
    await classifier.dispose();
  }
}

/** How long a model's file takes for one picture. */
export interface RuntimeTimes {
  /** Median of the whole. */
  readonly milliseconds: number;
  /** Medians of the operations, by name. */
  readonly operations: ReadonlyMap<string, Pick<ProfiledOperation, "kernel" | "milliseconds">>;
}

/**
 * Measures how long the files of some models take for one picture in OpenVINO, in turns, so that what else the machine
 * does meets all of them.
 *
 * @param models The models.
 * @param rounds Pictures each.
 * @returns The times, in the order of the models.
 */
export async function measureInRuntime(models: readonly Model[], rounds = 30): Promise<RuntimeTimes[]> {
  const opened = [], handles: IRModel[] = [];
  const open = async (bytes: IRBytes, profiling: boolean) => {
    const model = await openIR(bytes, "the model", { profiling });
    handles.push(model);
    return model;
  };
  try {
    for (const model of models) {
      const { height, width } = model.preprocessing.size;
      const shape = [1, 3, height, width];
      const images = {
        dtype: "float32",
        shape,
        data: new Float32Array(3 * height * width).fill(128),
      } as const;
      const bytes = toIRBytes(model);
      opened.push({
        plain: await open(bytes, false),
        profiled: await open(bytes, true),
        images,
        times: [] as number[],
      });
    }
    const operations = opened.map(() => new Map<string, { kernel: string; times: number[] }>());
    for (let round = 0; round < rounds; round++) {
      for (const [index, { plain, profiled, images, times }] of opened.entries()) {
        const start = performance.now();
        await plain.run({ images });
        times.push(performance.now() - start);
        if (round % 3 !== 0) continue; // ten of thirty say enough of the operations
        await profiled.run({ images });
        for (const { name, kernel, milliseconds, status } of profiled.profile()) {
          if (status !== "executed") continue;
          const seen = operations[index]!.get(name) ?? { kernel, times: [] };
          seen.times.push(milliseconds);
          operations[index]!.set(name, seen);
        }
      }
    }
    return opened.map(({ times }, index) => ({
      milliseconds: median(times),
      operations: new Map(
        [...operations[index]!].map(([name, { kernel, times }]) => [name, {
          kernel,
          milliseconds: median(times),
        }]),
      ),
    }));
  } finally {
    for (const model of handles) await model.dispose();
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
