/** The messages of an ONNX file: those fields of the official `onnx.proto` that Whittle writes and reads. */
import protobuf from "npm:protobufjs@8.8.1/light.js";

/** Numbers of element types in a file. */
export const ONNX_TYPES = { float: 1, uint8: 2, int8: 3, int64: 7, float16: 10 } as const;

/** Numbers of the kinds of attributes. */
export const ATTRIBUTE_KINDS = { float: 1, int: 2, ints: 7 } as const;

/** A file. */
export interface ModelProto {
  irVersion: number;
  opsetImport: { domain: string; version: number }[];
  producerName: string;
  producerVersion?: string;
  graph: GraphProto;
  metadataProps: { key: string; value: string }[];
}

/** A network. */
export interface GraphProto {
  name: string;
  node: NodeProto[];
  initializer: TensorProto[];
  input: ValueInfoProto[];
  output: ValueInfoProto[];
  valueInfo: ValueInfoProto[];
}

/** An operation. */
export interface NodeProto {
  name: string;
  opType: string;
  input: string[];
  output: string[];
  attribute: AttributeProto[];
}

/** A setting of an operation. */
export interface AttributeProto {
  name: string;
  type: number;
  f?: number;
  i?: number;
  ints?: number[];
}

/** A constant. */
export interface TensorProto {
  name: string;
  dims: number[];
  dataType: number;
  /** Elements in little-endian order. */
  rawData: Uint8Array;
}

/** Name, element type and shape of a value. */
export interface ValueInfoProto {
  name: string;
  type: { tensorType: { elemType: number; shape: { dim: { dimValue?: number; dimParam?: string }[] } } };
}

const optional = (type: string, id: number) => ({ rule: "optional", type, id });
const repeated = (type: string, id: number) => ({ rule: "repeated", type, id });

/** Field numbers are those of onnx.proto. */
const messages: Record<string, protobuf.IType> = {
  ModelProto: {
    fields: {
      irVersion: optional("int64", 1),
      producerName: optional("string", 2),
      producerVersion: optional("string", 3),
      graph: optional("GraphProto", 7),
      opsetImport: repeated("OperatorSetIdProto", 8),
      metadataProps: repeated("StringStringEntryProto", 14),
    },
  },
  OperatorSetIdProto: { fields: { domain: optional("string", 1), version: optional("int64", 2) } },
  StringStringEntryProto: { fields: { key: optional("string", 1), value: optional("string", 2) } },
  GraphProto: {
    fields: {
      node: repeated("NodeProto", 1),
      name: optional("string", 2),
      initializer: repeated("TensorProto", 5),
      input: repeated("ValueInfoProto", 11),
      output: repeated("ValueInfoProto", 12),
      valueInfo: repeated("ValueInfoProto", 13),
    },
  },
  NodeProto: {
    fields: {
      input: repeated("string", 1),
      output: repeated("string", 2),
      name: optional("string", 3),
      opType: optional("string", 4),
      attribute: repeated("AttributeProto", 5),
    },
  },
  AttributeProto: {
    fields: {
      name: optional("string", 1),
      f: optional("float", 2),
      i: optional("int64", 3),
      ints: repeated("int64", 8),
      type: optional("int32", 20),
    },
  },
  TensorProto: {
    fields: {
      dims: repeated("int64", 1),
      dataType: optional("int32", 2),
      name: optional("string", 8),
      rawData: optional("bytes", 9),
    },
  },
  ValueInfoProto: { fields: { name: optional("string", 1), type: optional("TypeProto", 2) } },
  TypeProto: {
    fields: { tensorType: optional("Tensor", 1) },
    nested: {
      Tensor: { fields: { elemType: optional("int32", 1), shape: optional("TensorShapeProto", 2) } },
    },
  },
  TensorShapeProto: {
    fields: { dim: repeated("Dimension", 1) },
    nested: { Dimension: { fields: { dimValue: optional("int64", 1), dimParam: optional("string", 2) } } },
  },
};
/** The file is written in proto2: there a zero that is set is not the same as nothing. */
const root = protobuf.Root.fromJSON({
  nested: Object.fromEntries(
    Object.entries(messages).map(([name, message]) => [name, { edition: "proto2", ...message }]),
  ),
});
const modelType = root.lookupType("ModelProto");

/**
 * Writes a file's bytes; the same ones for the same messages.
 *
 * @param model The messages.
 * @returns The bytes.
 */
export function encodeModel(model: ModelProto): Uint8Array<ArrayBuffer> {
  // The library gives a part of a larger buffer; what is returned stands alone.
  return new Uint8Array(modelType.encode(model).finish());
}

/**
 * Reads a file's bytes; fields that are not listed above are dropped.
 *
 * @param bytes A whole file.
 * @returns The messages, as plain objects.
 * @throws {SyntaxError} If the bytes are no ONNX file, or a part of one.
 */
export function decodeModel(bytes: Uint8Array): ModelProto {
  let model: Partial<ModelProto>;
  try {
    model = modelType.toObject(modelType.decode(bytes), { longs: Number, arrays: true });
  } catch (error) {
    throw notONNX((error as Error).message);
  }
  if (model.graph === undefined || !model.irVersion) throw notONNX("there is no graph in it");
  return model as ModelProto;
}

function notONNX(cause: string): SyntaxError {
  return new SyntaxError(
    `Cannot read the ONNX file: it is none, or only a part of one (${cause})\n` +
      "  help: give a file that was written whole, or export the model again",
  );
}
