import { basename } from "node:path";
import type { ExportInput, ExportMetadata } from "../export/export_metadata.ts";
import type { Parity, ParityNotChecked } from "../export/parity.ts";
import { percent } from "../metrics/percent.ts";
import { formatBytes } from "../provision/cache.ts";
import { plural } from "../plots/theme.ts";
import { type Displayed, type MimeBundle, withLook } from "./display.ts";
import { headlineHtml } from "./headline.ts";
import { html } from "./html.ts";

/** What the view reads of a result of `exportIR` or `exportONNX`. */
export interface ExportSummary {
  /** Model id. */
  readonly model: string;
  readonly precision: ExportMetadata["precision"];
  /** What the file is fed. */
  readonly input: ExportInput;
  /** Size of the file, or of both together. */
  readonly sizeBytes: number;
  readonly parity: Parity | ParityNotChecked;
}

/**
 * Makes the result of an export show itself: the files, and how they compare with the trained model.
 *
 * @param result The result.
 * @param files The paths of the files.
 * @returns The same object.
 */
export function withExportView<T extends ExportSummary>(
  result: T,
  files: readonly string[],
): Displayed<T, Record<never, never>> {
  return withLook<T, Record<never, never>>(result, {
    figures: () => ({}),
    outputs: (result) => Promise.resolve([exportOutput(result, files)]),
    text: (result) => exportText(result, files),
  });
}

/** An export as text: the files, and how they compare with the trained model. */
export function exportText(result: ExportSummary, files: readonly string[]): string {
  const { precision, input, sizeBytes, parity } = result;
  const lines = [
    `${files.map((file, index) => index === 0 ? file : basename(file)).join(" and ")}: ${
      formatBytes(sizeBytes)
    }, ${precision}, takes ${inputInWords(input)}`,
  ];
  if (!parity.checked) {
    lines.push(`not compared with the trained model: ${parity.reason}`, `  help: ${parity.help}`);
  } else {
    lines.push(
      `compared with the trained model on ${pictures(parity)} in ${parity.runtime}: ${
        differences(parity)
      }, ` +
        `top-1 the same for ${percent(parity.top1Agreement)}${tied(parity)}`,
    );
  }
  return lines.join("\n");
}

function exportOutput(result: ExportSummary, files: readonly string[]): MimeBundle {
  const { model, precision, input, sizeBytes, parity } = result;
  const sameness = parity.checked
    ? [
      {
        name: "Top-1 the same",
        value: percent(parity.top1Agreement),
        note: `${pictures(parity)}${tied(parity)}, ${parity.runtime}`,
      },
      {
        name: "Largest difference",
        value: share(parity.relativeDifference),
        note: `of the logits' range; ${parity.maxAbsDifference.toPrecision(2)}`,
      },
    ]
    : [{ name: "Compared with the model", value: "no", note: parity.reason }];
  const markup = html`
    <div
      style="font-family:system-ui,sans-serif;font-size:13px">${model} as ${files.map((file, index) =>
        html`${index > 0 ? " and " : ""}<code>${file}</code>`
      )}</div>${headlineHtml([
        ...sameness,
        { name: "Size", value: formatBytes(sizeBytes), note: precision },
        { name: "Input", value: input.channelOrder.toUpperCase(), note: inputInWords(input) },
      ])}${!parity.checked && html`<div style="font-size:12px">${parity.help}</div>`}
  `.markup;
  return { "text/html": markup, "text/plain": exportText(result, files) };
}

function inputInWords({ channelOrder, values }: ExportInput): string {
  return `${channelOrder.toUpperCase()} planes, ${values === "raw" ? "raw values 0..255" : "normalised"}`;
}

function pictures(parity: Parity): string {
  return `${plural(parity.pictures, parity.source === "given" ? "picture" : "made-up picture")}`;
}

/** What is to be said where the model itself hardly tells two classes apart. */
function tied({ nearTies }: Parity): string {
  return nearTies === 0 ? "" : `, nearly tied for ${percent(nearTies)}`;
}

function differences({ maxAbsDifference, relativeDifference }: Parity): string {
  return `logits differ by at most ${maxAbsDifference.toPrecision(2)}, ${
    share(relativeDifference)
  } of their range`;
}

function share(ratio: number): string {
  return `${Number((100 * ratio).toPrecision(2))} %`;
}
