import type { ExportMetadata } from "../export/export_metadata.ts";
import type { Parity, ParityNotChecked } from "../export/parity.ts";
import { percent } from "../metrics/percent.ts";
import { withLook } from "./display.ts";
import { headlineHtml, type HeadlineNumber } from "./headline.ts";
import { type Html, html } from "./html.ts";

/** What is told of an exported model. */
export interface ExportedView {
  readonly sizeBytes: number;
  readonly parity: Parity | ParityNotChecked;
  readonly metadata: ExportMetadata;
}

/**
 * Makes the result of an export show itself: what was written, what it is fed, and how it compares with the model.
 *
 * @param result The result.
 * @param path What a reader opens: the `.onnx` or the `.xml`.
 * @returns The same object.
 */
export function withExportView<T extends ExportedView>(result: T, path: string): T {
  return withLook(result, {
    figures: () => ({}),
    outputs: (result) =>
      Promise.resolve([{
        "text/html": exportHtml(result, path).markup,
        "text/plain": exportText(result, path),
      }]),
    text: (result) => exportText(result, path),
  });
}

/**
 * The result of an export as text.
 *
 * @param result The result.
 * @param path What a reader opens.
 * @returns Three or four lines for a terminal.
 */
export function exportText({ metadata, parity, sizeBytes }: ExportedView, path: string): string {
  const lines = [
    `${path}: ${metadata.model}, ${metadata.precision}, ${megabytes(sizeBytes)}`,
    `  input: ${inputText(metadata)}`,
  ];
  if (!parity.checked) {
    return [...lines, `  not compared: ${parity.reason}`, `  help: ${parity.help}`].join("\n");
  }
  const { maxAbsDifference, top1Agreement } = parity;
  return [
    ...lines,
    `  compared with the model in ${circumstances(parity)}:`,
    `  logits differ by at most ${maxAbsDifference.toPrecision(2)} (${
      shareOfRange(parity)
    } of their range), ` +
    `top-1 is the same for ${percent(top1Agreement)}`,
  ].join("\n");
}

function exportHtml({ metadata, parity, sizeBytes }: ExportedView, path: string): Html {
  const numbers: HeadlineNumber[] = [{ name: "size", value: megabytes(sizeBytes), note: metadata.precision }];
  if (parity.checked) {
    numbers.push(
      {
        name: "largest difference",
        value: shareOfRange(parity),
        note: `of the range of the logits, ${parity.maxAbsDifference.toPrecision(2)}`,
      },
      { name: "same top-1", value: percent(parity.top1Agreement), note: circumstances(parity) },
    );
  }
  const missing = parity.checked
    ? ""
    : html`<p style="color:#b26a00">Not compared with the model: ${parity.reason}. ${parity.help}</p>`;
  return html`
    <div style="font-family:system-ui,sans-serif;font-size:13px">
      <b>${path}</b> ${metadata.model}<br><span style="opacity:.65">input: ${inputText(metadata)}</span>
    </div>
    ${headlineHtml(numbers)}${missing}
  `;
}

function inputText({ input, preprocessing: { interpolation, size } }: ExportMetadata): string {
  const values = input.values === "raw"
    ? "0..255, mean and std are applied inside"
    : "(x / 255 - mean) / std";
  return `${size.height} x ${size.width} (${interpolation}), ${input.channelOrder.toUpperCase()} planes, ${values}`;
}

function circumstances({ pictures, runtime, source }: Parity): string {
  return `${runtime} on ${pictures} ${source === "given" ? "given" : "made-up"} picture${
    pictures === 1 ? "" : "s"
  }`;
}

function shareOfRange({ relativeDifference }: Parity): string {
  return `${Number((100 * relativeDifference).toPrecision(2))} %`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
