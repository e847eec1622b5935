import type { Preprocessing } from "../data/preprocessing.ts";
import type { ExportInput, ExportMetadata } from "../export/export_metadata.ts";
import { parseMetadataJSON } from "../export/metadata_json.ts";
import { modelInfoOfIR } from "../export/read_model_info.ts";
import { type IRBytes, metadataOfExported, type ONNXBytes } from "./exported_file.ts";

/** What must be known of an exported classifier to feed it pictures and to name what it finds. */
export interface ExportedDescription {
  /** Names of the classes, in the order of its outputs. */
  readonly classNames: readonly string[];
  /** Size, resize rule, mean and standard deviation. */
  readonly preprocessing: Preprocessing;
  /** Order of the channels, and whether mean and standard deviation are applied inside. */
  readonly input: ExportInput;
  /** What comes out: scores before the softmax, or what it makes of them. @default {"logits"} */
  readonly output?: "logits" | "probabilities";
}

/** What a file says of itself: the record, or what it says to ModelAPI, completed by the user. */
export type KnownDescription = ExportedDescription & Partial<Pick<ExportMetadata, "model" | "complexity">>;

/** Names of the fields of a description, for checking an option. */
export const descriptionFields = ["classNames", "preprocessing", "input", "output"] as const;

/**
 * What an exported classifier is fed and what its outputs mean: the record in the file; or, in files of other programs,
 * what OpenVINO's ModelAPI knows of them, completed by what is given.
 *
 * @param bytes The file.
 * @param name What it is called in messages.
 * @param given What the user knows of a file of another program.
 * @returns The description.
 * @throws {TypeError} If something is missing: all of it is named; or if something is given that the file says itself.
 * @throws {SyntaxError} If the file's record is damaged or of another version.
 */
export function describeExported(
  bytes: IRBytes | ONNXBytes,
  name: string,
  given?: Partial<ExportedDescription>,
): KnownDescription {
  const record = metadataOfExported(bytes);
  if (record !== undefined) {
    if (given === undefined) return record;
    throw new TypeError(
      `Cannot open ${name}: the file says itself what it is fed, and { exported } says it again\n` +
        "  help: leave exported out; it is for files of other programs",
    );
  }
  const read = "onnx" in bytes ? {} : fromModelInfo(modelInfoOfIR(bytes.xml), bytes.xml);
  const known = { ...read, ...given };
  const missing = (["classNames", "preprocessing", "input"] as const).filter((field) =>
    known[field] === undefined
  );
  if (missing.length > 0) throw new TypeError(incomplete(name, missing));
  return checked(known as ExportedDescription, name);
}

function incomplete(name: string, missing: readonly string[]): string {
  const examples: Record<string, string> = {
    classNames: 'classNames: ["cat", "dog"]',
    preprocessing:
      'preprocessing: { size: { height: 224, width: 224 }, interpolation: "bilinear", channelOrder: "rgb", ' +
      "mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }",
    input: 'input: { channelOrder: "rgb", values: "normalized" }',
  };
  const meanings: Record<string, string> = {
    classNames: "the names of the classes, in the order of the outputs",
    preprocessing: "size of the pictures, and mean and standard deviation on the scale 0..1",
    input:
      "order of the channels (rgb or bgr), and who applies mean and standard deviation: the file itself " +
      "(raw, 0..255) or the caller (normalized)",
  };
  return `Cannot open ${name}: another program wrote it, and it does not say how it is used\n` +
    missing.map((field) => `  missing: ${field}, ${meanings[field]}\n`).join("") +
    `  help: write for example { exported: { ${missing.map((field) => examples[field]).join(", ")} } }`;
}

/** The fields are checked by what checks the record in our own files. */
function checked(description: ExportedDescription, name: string): ExportedDescription {
  const { classNames, preprocessing, input, output = "logits" } = description;
  const action = `Cannot use what is said of ${name}`, help = "  help: correct { exported }";
  if (!["logits", "probabilities"].includes(output)) {
    throw new TypeError(
      `${action}: output: found ${JSON.stringify(output)}, wanted logits or probabilities\n${help}`,
    );
  }
  try {
    const record = { format: 1, model: name, precision: "fp32", classNames, preprocessing, input };
    parseMetadataJSON(JSON.stringify(record));
  } catch (error) {
    const [first = "", ...others] = (error as Error).message.split("\n").slice(0, -1);
    const summary = first.replace("Cannot read the metadata of the exported file", action);
    throw new TypeError([summary, ...others, help].join("\n"));
  }
  return description;
}

/**
 * ModelAPI's words in ours. There a picture is BGR, turned to RGB where `reverse_input_channels` says so; then mean and
 * scale, for values 0..255, are the caller's if they are given, and else inside.
 */
function fromModelInfo(info: Readonly<Record<string, string>>, xml: string): Partial<ExportedDescription> {
  const labels = info.labels?.split(/\s+/).filter((label) => label !== "") ?? [];
  const shape = / type="Parameter"[^>]*>\s*<data [^>]*shape="[^",]+,\s*3,\s*(\d+),\s*(\d+)"/.exec(xml);
  const channelOrder = /^(true|yes|1)$/i.test(info.reverse_input_channels ?? "") ? "rgb" : "bgr";
  const numbers = (text: string | undefined, otherwise: number): [number, number, number] => {
    const values = (text ?? "").split(/\s+/).filter((part) => part !== "").map(Number);
    const three = values.length === 3 ? values : Array(3).fill(values[0] ?? otherwise) as number[];
    return (channelOrder === "rgb" ? three : three.toReversed()) as [number, number, number];
  };
  const normalized = Boolean(info.mean_values || info.scale_values);
  const [mean, std] = [numbers(info.mean_values, 0), numbers(info.scale_values, 1)];
  const scaled = (values: [number, number, number]) =>
    values.map((value) => value / 255) as [number, number, number];
  const isStandard = (info.resize_type ?? "standard") === "standard";
  return {
    ...(labels.length > 0 ? { classNames: labels } : {}),
    // Without any word of ModelAPI's nothing is known, and another way to resize is not ours.
    ...(info.model_type === undefined || shape === null || !isStandard ? {} : {
      preprocessing: {
        size: { height: Number(shape[1]), width: Number(shape[2]) },
        interpolation: info.interpolation_mode === "CUBIC" ? "bicubic" : "bilinear",
        channelOrder: "rgb",
        mean: scaled(mean),
        std: scaled(std),
      },
    }),
    ...(info.model_type === undefined
      ? {}
      : { input: { channelOrder, values: normalized ? "normalized" : "raw" } }),
  };
}
