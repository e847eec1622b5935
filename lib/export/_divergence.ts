import { openExported } from "../runtimes/exported_model.ts";
import type { IRBytes, ONNXBytes } from "../runtimes/exported_file.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import { splitPadding } from "../graph/split_padding.ts";
import { compileForExecutor } from "../tensorflow/executor.ts";
import type { ExportGraph, ExportNode } from "./export_graph.ts";
import type { ExportMetadata } from "./export_metadata.ts";
import { toFileInput } from "./_file_input.ts";
import { withMoreOutputs } from "./_more_outputs.ts";
import type { Picture } from "./_parity_pictures.ts";
import type { ExportedNetwork } from "./to_export_graph.ts";

/** Where a file begins to compute something else. */
export interface Divergence {
  readonly node: ExportNode;
  /** By how much its value differs: at most, as a share of the largest one; in int8 as a share of root mean squares. */
  readonly difference: number;
  /** Whether it is the normalised input, so that mean, scale or the order of the channels is wrong. */
  readonly isPreprocessing: boolean;
}

/** A file and what it was made from. */
export interface Suspect {
  readonly network: ExportedNetwork;
  /** The graph that was written: the network's with its own input. */
  readonly graph: ExportGraph;
  readonly metadata: ExportMetadata;
  readonly file: IRBytes | ONNXBytes;
}

/**
 * A value may differ by this share of the largest one, or in int8, where a value may fall on the neighbouring level, by
 * this share of the root mean square.
 */
const limits: Readonly<Record<ExportMetadata["precision"], number>> = { fp32: 1e-4, fp16: 1e-2, int8: 0.2 };

/**
 * Looks for the first operation whose value differs from the recorded network's: a copy of the file returns all its
 * values for a picture, and so does the recording.
 *
 * @param suspect A file that computes something else.
 * @param picture A picture for which it does.
 * @returns The first value beyond the limit; `undefined` if there is none, so that only the fused operations of the
 * runtime differ, or many small differences add up.
 */
export async function findDivergence(suspect: Suspect, picture: Picture): Promise<Divergence | undefined> {
  const { network, metadata, file } = suspect;
  const compared = comparedNodes(suspect);
  const batch = network.graph.input.shape[0]!;
  const images = new Uint8Array(batch * picture.length);
  for (let row = 0; row < batch; row++) images.set(picture, row * picture.length);

  const recordedValues = await runRecording(network, compared.map(({ recorded }) => recorded), images);
  const model = await openExported(withMoreOutputs(file, compared.map(({ name }) => name)), {
    asWritten: true,
  });
  let fileValues: Record<string, HostTensor>;
  try {
    fileValues = await model.run({ [model.inputs[0]!.name]: toFileInput(images, metadata) });
  } finally {
    await model.dispose();
  }
  for (const { node, name, recorded, isPreprocessing } of compared) {
    const value = fileValues[name];
    if (value === undefined) continue;
    const isReversed = isPreprocessing && metadata.input.channelOrder === "bgr";
    const difference = differenceOf(recordedValues.get(recorded)!, value, metadata.precision, isReversed);
    if (!(difference <= limits[metadata.precision])) return { node, difference, isPreprocessing };
  }
  return undefined;
}

interface ComparedNode {
  readonly node: ExportNode;
  /** In the file. */
  readonly name: string;
  /** Number of the value in the recording. */
  readonly recorded: number;
  readonly isPreprocessing: boolean;
}

/** Operations whose values the recording has too, in order; the normalised input first, if the file computes it. */
function comparedNodes({ network, graph }: Suspect): ComparedNode[] {
  const normalized = network.graph.input;
  return graph.nodes.flatMap((node) => {
    const { id, name } = node.output;
    const isPreprocessing = id === normalized.id;
    const recorded = isPreprocessing ? normalized.recorded : node.output.recorded;
    if (recorded === undefined || node.op === "constant" || node.op === "dequantize") return [];
    return [{ node, name: id === graph.output ? graph.outputName : name, recorded, isPreprocessing }];
  });
}

async function runRecording(
  { recorded: graph, parameters }: ExportedNetwork,
  wanted: readonly number[],
  images: Uint8Array,
): Promise<Map<number, HostTensor>> {
  const numbers = [...new Set(wanted)];
  const outputs = numbers.map((value) => ({ name: `value ${value}`, value }));
  const compiled = await compileForExecutor(splitPadding({ ...graph, outputs }), parameters);
  try {
    const { shape } = graph.inputs.find(({ name }) => name === "images")!;
    const values = await compiled.run({ images: { dtype: "uint8", shape, data: images } });
    return new Map(numbers.map((value) => [value, values[`value ${value}`]!]));
  } finally {
    await compiled.dispose();
  }
}

/** Difference of a recorded value, channels last, from a file's, channels first. */
function differenceOf(
  recorded: HostTensor,
  value: HostTensor,
  precision: ExportMetadata["precision"],
  isReversed: boolean,
): number {
  const wanted = recorded.data as Float32Array, found = value.data as Float32Array;
  if (wanted.length !== found.length) return Infinity;
  const [channels, pixels] = recorded.shape.length === 4
    ? [recorded.shape[3]!, recorded.shape[1]! * recorded.shape[2]!]
    : [1, 1];
  let worst = 0, largest = 0, squares = 0, all = 0;
  for (let index = 0; index < wanted.length; index++) {
    const channel = index % channels, row = (index - channel) / channels;
    const pixel = row % pixels, picture = (row - pixel) / pixels;
    const plane = isReversed ? channels - 1 - channel : channel;
    const difference = Math.abs(wanted[index]! - found[(picture * channels + plane) * pixels + pixel]!);
    if (!Number.isFinite(difference)) return Infinity;
    worst = Math.max(worst, difference);
    largest = Math.max(largest, Math.abs(wanted[index]!));
    squares += difference ** 2;
    all += wanted[index]! ** 2;
  }
  if (worst === 0) return 0;
  return precision === "int8" ? Math.sqrt(squares / all) : worst / largest;
}
