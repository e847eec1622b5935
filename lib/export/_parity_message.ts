import { reasonOf } from "../provision/library_error.ts";
import { saturationReason } from "../quantization/vnni.ts";
import type { Divergence } from "./_divergence.ts";
import type { Parity, ParityCheck } from "./parity.ts";
import { ParityError } from "./parity_error.ts";

/**
 * The error for a file that computes something else than the model: by how much, where it begins, and what to do.
 *
 * @param check What was compared.
 * @param parity How it compares.
 * @param place Where it begins; nothing if no operation alone is the cause, or why that could not be found out.
 */
export function toParityError(
  { model, metadata: { precision } }: Pick<ParityCheck, "model" | "metadata">,
  parity: Parity,
  place: Divergence | undefined | Error,
): ParityError {
  const { limits, maxAbsDifference, pictures, relativeDifference, runtime, source } = parity;
  const { top1Agreement, nearTies } = parity;
  const { maxRelativeDifference, minTop1Agreement } = limits;
  const bound = (word: string, limit?: number) =>
    limit === undefined ? "" : `, wanted at ${word} ${percent(limit)}`;
  const saturation = saturationReason(model.quantization);
  const details = [
    `runtime: ${runtime}, on ${pictures} ${source === "given" ? "of your" : "made-up"} pictures`,
    `logits: differ by up to ${maxAbsDifference.toPrecision(3)}, which is ${
      percent(relativeDifference)
    } of their range${bound("most", maxRelativeDifference)}`,
    `top-1: the same for ${percent(top1Agreement)} of the pictures` +
    `${nearTies > 0 ? ` and nearly tied for ${percent(nearTies)}` : ""}${bound("least", minTop1Agreement)}`,
    describePlace(place, precision === "int8" ? "root mean square" : "largest value"),
    ...(saturation === undefined ? [] : [saturation]),
  ];
  const found = place === undefined || place instanceof Error ? undefined : place;
  return new ParityError(`Cannot export ${model.id}: the file computes something else than the model`, {
    details,
    help: helpFor(parity, {
      isPreprocessing: found?.isPreprocessing,
      saturates: saturation !== undefined,
      isInt8: precision === "int8",
    }),
    ...(found === undefined ? {} : { node: found.node.output.name }),
  });
}

function helpFor(
  { limits, source }: Parity,
  { isPreprocessing, saturates, isInt8 }: { isPreprocessing?: boolean; saturates: boolean; isInt8: boolean },
): string {
  if (isPreprocessing) {
    return "mean, scale or the order of the channels in the file are not the model's; export it again";
  }
  const accept = `accept the difference with { parity: { ${Object.keys(limits).join(", ")} } }`;
  if (isInt8 && !saturates && source !== "given") {
    // Noise is none of the classes, and which of them it is called can hang on a rounding.
    return `compare the file on pictures of your own with { pictures: ... }, or ${accept}`;
  }
  return saturates
    ? `export the model on a processor with VNNI, quantise it with { target: "any" }, or ${accept}`
    : `export the model again; if that does not help, report this message, or ${accept}`;
}

function describePlace(place: Divergence | undefined | Error, measure: string): string {
  if (place instanceof Error) {
    return `where it begins could not be found out: ${reasonOf(place)}`;
  }
  if (place === undefined) {
    return "no operation alone is the cause: each agrees where its value is asked for";
  }
  const { difference, isPreprocessing, node: { op, output } } = place;
  const by = Number.isFinite(difference)
    ? `differs by ${percent(difference)} of its ${measure}`
    : "is not finite, or of another shape";
  return isPreprocessing
    ? `it begins with the preprocessing: the normalised pictures, "${output.name}": ${by}`
    : `it begins at "${output.name}" (${op} [${output.shape}]), which ${by}; what comes before it agrees`;
}

function percent(ratio: number): string {
  return `${Number((100 * ratio).toPrecision(3))} %`;
}
