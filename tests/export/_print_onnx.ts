import { decodeModel, type TensorProto, type ValueInfoProto } from "../../lib/export/_onnx_messages.ts";

const types: Record<number, string> = { 1: "float", 2: "uint8", 3: "int8", 7: "int64", 10: "float16" };

/** An ONNX file as text, a line for each of its parts. */
export function printONNX(bytes: Uint8Array): string {
  const { irVersion, opsetImport, producerName, graph, metadataProps } = decodeModel(bytes);
  return [
    `ir ${irVersion}, opset ${opsetImport.map(({ version }) => version)}, by ${producerName}`,
    ...metadataProps.map(({ key, value }) => `property ${key}: ${value}`),
    `graph ${graph.name}`,
    ...graph.input.map((value) => `  input ${printValue(value)}`),
    ...graph.initializer.map((tensor) => `  constant ${printTensor(tensor)}`),
    ...graph.node.map(({ opType, input, output, attribute }) => {
      const settings = attribute.map(({ name, f, i, ints }) =>
        `${name}: ${f === undefined ? JSON.stringify(i ?? ints) : f.toPrecision(7)}`
      );
      return `  ${output} = ${opType}(${input.join(", ")})${
        settings.length > 0 ? ` {${settings.join(", ")}}` : ""
      }`;
    }),
    ...graph.valueInfo.map((value) => `  value ${printValue(value)}`),
    ...graph.output.map((value) => `  output ${printValue(value)}`),
  ].join("\n") + "\n";
}

function printValue({ name, type: { tensorType: { elemType, shape } } }: ValueInfoProto): string {
  return `${name}: ${types[elemType]}[${shape.dim.map(({ dimValue, dimParam }) => dimParam ?? dimValue)}]`;
}

function printTensor({ name, dims, dataType, rawData }: TensorProto): string {
  const { buffer } = rawData.slice();
  const data = {
    float: () => new Float32Array(buffer),
    float16: () => new Float16Array(buffer),
    int8: () => new Int8Array(buffer),
    uint8: () => new Uint8Array(buffer),
    int64: () => new BigInt64Array(buffer),
  }[types[dataType]!]!();
  return `${name}: ${types[dataType]}[${dims}] = ${
    Array.from<number | bigint, number>(data as Iterable<number | bigint>, (value) =>
      +Number(value).toPrecision(7))
  }`;
}
