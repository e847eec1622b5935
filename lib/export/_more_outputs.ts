import { SaxesParser } from "npm:saxes@6.0.0";
import type { IRBytes, ONNXBytes } from "../runtimes/exported_file.ts";
import { decodeModel, encodeModel } from "./_onnx_messages.ts";

/**
 * A copy of an exported file that also returns values from its middle.
 *
 * @param file The file's bytes.
 * @param names Names of values; those the file does not have are left out.
 * @returns The copy.
 */
export function withMoreOutputs(
  file: IRBytes | ONNXBytes,
  names: readonly string[],
): IRBytes | ONNXBytes {
  return "onnx" in file
    ? { onnx: moreONNXOutputs(file.onnx, names) }
    : { xml: moreIROutputs(file.xml, names), bin: file.bin };
}

function moreONNXOutputs(bytes: Uint8Array, names: readonly string[]): Uint8Array<ArrayBuffer> {
  const model = decodeModel(bytes);
  const { graph } = model;
  const wanted = new Set(names);
  for (const { name } of graph.output) wanted.delete(name);
  graph.output.push(...graph.valueInfo.filter(({ name }) => wanted.has(name)));
  return encodeModel(model);
}

/** A port of a layer that gives a value. */
interface OutputPort {
  readonly layer: string;
  readonly port: string;
  readonly precision: string;
  readonly names: readonly string[];
  readonly lengths: string[];
}

function moreIROutputs(xml: string, names: readonly string[]): string {
  const { ports, nextLayer, returned } = readPorts(xml);
  const wanted = new Set(names);
  const added = ports.filter((port) =>
    port.names.some((name) => wanted.has(name)) && !returned.has(`${port.layer}:${port.port}`)
  );
  const layers = added.map(({ precision, lengths }, index) =>
    `<layer id="${nextLayer + index}" name="more/${index}" type="Result" version="opset1"><input>` +
    `<port id="0" precision="${precision}">${
      lengths.map((length) => `<dim>${length}</dim>`).join("")
    }</port>` +
    `</input></layer>\n`
  );
  const edges = added.map(({ layer, port }, index) =>
    `<edge from-layer="${layer}" from-port="${port}" to-layer="${nextLayer + index}" to-port="0" />\n`
  );
  return insertBefore(insertBefore(xml, "</layers>", layers), "</edges>", edges);
}

/** The outputs of the layers of an `.xml`, the first free number of a layer, and what the model returns already. */
function readPorts(xml: string): { ports: OutputPort[]; nextLayer: number; returned: Set<string> } {
  const ports: OutputPort[] = [];
  const returned = new Set<string>();
  const results = new Set<string>();
  const path: string[] = [];
  let layer = "", nextLayer = 0;
  const parser = new SaxesParser();
  parser.on("opentag", ({ name, attributes }) => {
    path.push(name);
    const place = path.join("/");
    if (place === "net/layers/layer") {
      layer = attributes.id!;
      nextLayer = Math.max(nextLayer, Number(layer) + 1);
      if (attributes.type === "Result") results.add(layer);
    } else if (place === "net/layers/layer/output/port") {
      const names = (attributes.names ?? "").split(/(?<!\\),/).map((part) => part.replaceAll("\\,", ","));
      ports.push({ layer, port: attributes.id!, precision: attributes.precision!, names, lengths: [] });
    } else if (place === "net/edges/edge" && results.has(attributes["to-layer"]!)) {
      returned.add(`${attributes["from-layer"]}:${attributes["from-port"]}`);
    }
  });
  parser.on("text", (text) => {
    if (path.join("/") === "net/layers/layer/output/port/dim") ports.at(-1)!.lengths.push(text.trim());
  });
  parser.on("closetag", () => {
    path.pop();
  });
  parser.write(xml).close();
  return { ports, nextLayer, returned };
}

function insertBefore(text: string, tag: string, lines: readonly string[]): string {
  const at = text.lastIndexOf(tag);
  return text.slice(0, at) + lines.join("") + text.slice(at);
}
