import { createIRConstants } from "./_ir_constants.ts";
import type { XMLAttributes, XMLElement } from "./_xml.ts";

/** Element types, as layers name them. */
export type IRElementType = "f32" | "f16" | "i8" | "i64";

/** The same types, as ports name them. */
const precisions: Record<IRElementType, string> = { f32: "FP32", f16: "FP16", i8: "I8", i64: "I64" };

/** A value of the file under way: an output of one of its layers. */
export interface IRValue {
  /** Number of the layer. */
  readonly layer: number;
  /** Number of the port among the layer's ports. */
  readonly port: number;
  readonly type: IRElementType;
  /** Lengths of the axes; -1 is one that is not known. */
  readonly shape: readonly number[];
}

/** A layer to be added. */
export interface IRLayer {
  readonly name: string;
  /** OpenVINO's name of the operation. */
  readonly type: string;
  /** The first set of operations that has it as it is meant. */
  readonly opset: number;
  readonly data?: XMLAttributes;
  /** Whether it only gives compressed weights their precision back. */
  readonly isDecompression?: boolean;
  readonly inputs?: readonly IRValue[];
  /** Type and shape of what it computes, and the name by which that is found. */
  readonly output?: {
    readonly type: IRElementType;
    readonly shape: readonly number[];
    readonly tensorName?: string;
    /** What the axes mean: `[N,C,H,W]`. */
    readonly layout?: string;
  };
}

/** The layers of an OpenVINO model under way, and its weights file. */
export interface IRLayers {
  /** Adds a layer, and returns what it computes. */
  add(layer: IRLayer): IRValue;
  /** Adds a constant. `data` has the numbers of the given type. */
  addConstant(name: string, type: IRElementType, shape: readonly number[], data: ArrayBufferView): IRValue;
  /** The layers and what connects them. */
  elements(): readonly [layers: XMLElement, edges: XMLElement];
  /** The weights file. */
  bytes(): Uint8Array<ArrayBuffer>;
}

/** No layers. */
export function createIRLayers(): IRLayers {
  const layers: XMLElement[] = [];
  const edges: XMLElement[] = [];
  const constants = createIRConstants();

  function add(layer: IRLayer): IRValue {
    const { name, type, opset, data, inputs = [], output, isDecompression } = layer;
    const id = layers.length;
    for (const [port, source] of inputs.entries()) {
      const attributes = {
        "from-layer": source.layer,
        "from-port": source.port,
        "to-layer": id,
        "to-port": port,
      };
      edges.push({ tag: "edge", attributes });
    }
    const children: XMLElement[] = [];
    if (data !== undefined) children.push({ tag: "data", attributes: data });
    if (isDecompression) children.push(attribute("decompression"));
    if (inputs.length > 0) {
      children.push({ tag: "input", children: inputs.map((input, port) => portElement(port, input)) });
    }
    if (output !== undefined) {
      children.push({ tag: "output", children: [portElement(inputs.length, output)] });
    }
    layers.push({ tag: "layer", attributes: { id, name, type, version: `opset${opset}` }, children });
    return { layer: id, port: inputs.length, type: output?.type ?? "f32", shape: output?.shape ?? [] };
  }

  return {
    add,
    addConstant(name, type, shape, data) {
      const { offset, size } = constants.place(
        new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      );
      return add({
        name,
        type: "Const",
        opset: 1,
        data: { element_type: type, shape: shape.join(", "), offset, size },
        output: { type, shape },
      });
    },
    elements: () => [{ tag: "layers", children: layers }, { tag: "edges", children: edges }],
    bytes: constants.bytes,
  };
}

function portElement(id: number, port: NonNullable<IRLayer["output"]>): XMLElement {
  const { type, shape, tensorName, layout } = port;
  const names = tensorName?.replaceAll(",", "\\,"); // a comma parts several names
  const children: XMLElement[] = shape.map((length) => ({ tag: "dim", text: String(length) }));
  if (layout !== undefined) children.push(attribute("layout", { layout }));
  return { tag: "port", attributes: { id, precision: precisions[type], names }, children };
}

/** An entry of a layer's or port's runtime information. */
function attribute(name: string, attributes: XMLAttributes = {}): XMLElement {
  return {
    tag: "rt_info",
    children: [{ tag: "attribute", attributes: { name, version: "0", ...attributes } }],
  };
}
