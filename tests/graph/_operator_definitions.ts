import { currentEngine } from "../../lib/tensorflow/engine.ts";
import { dtypeName } from "../../lib/tensorflow/dtypes.ts";

/** Fields of a protobuf message: numbers, and bytes where the field has a length. */
type Message = Map<number, (bigint | Uint8Array)[]>;

/**
 * The definitions of all operators the open libtensorflow has (`OpDef` of tensorflow/core/framework/op_def.proto), each
 * as one line in the notation of lib/graph/shape_rules/signatures.ts. Dtypes a graph cannot hold are left out.
 *
 * @returns Lines by the operator's name.
 */
export function readOperatorDefinitions(): Map<string, string> {
  const symbols = { TF_GetAllOpList: { parameters: [], result: "pointer" } } as const;
  const list = Deno.dlopen(currentEngine().path, symbols).symbols.TF_GetAllOpList()!; // a TF_Buffer
  const buffer = new Deno.UnsafePointerView(list);
  const data = new Deno.UnsafePointerView(buffer.getPointer(0)!);
  const bytes = new Uint8Array(data.getArrayBuffer(Number(buffer.getBigUint64(8)))).slice();
  return new Map(messages(parse(bytes), 1).map((operator) => [text(operator, 1), print(operator)]));
}

function print(operator: Message): string {
  const args = (field: number) =>
    messages(operator, field).map((arg) => `${text(arg, 1)}: ${argumentType(arg)}`).join(", ");
  const attributes = messages(operator, 4).flatMap((attribute) => printAttribute(attribute)).join(", ");
  const outputs = args(3);
  return `${text(operator, 1)}(${args(2)}) -> ${outputs === "" ? "()" : outputs}` +
    (attributes === "" ? "" : ` {${attributes}}`);
}

function argumentType(arg: Message): string {
  const type = arg.has(3) ? dtype(number(arg, 3)) : text(arg, 4) || text(arg, 6);
  return arg.has(5) ? `${text(arg, 5)} * ${type}` : arg.has(6) ? `...${type}` : type;
}

/** Names of `AttrDef.type` to the kinds of {@linkcode Attribute}. */
const kinds: Record<string, string> = {
  type: "dtype",
  "list(type)": "dtypes",
  "list(int)": "ints",
  "list(float)": "floats",
  "list(bool)": "bools",
};

function printAttribute(attribute: Message): string {
  const type = text(attribute, 2);
  let printed = `${text(attribute, 1)}: ${kinds[type] ?? type}`;
  if (attribute.has(7)) {
    const list = message(message(attribute, 7), 1);
    const allowed = type.endsWith("string)") || type === "string"
      ? all(list, 2).map((bytes) => new TextDecoder().decode(bytes as Uint8Array))
      : packed(list, 6).map((value) => dtype(Number(value))).filter((name) => !name.startsWith("DT_"));
    printed += ` in ${allowed.join("|")}`;
  }
  if (attribute.has(5)) printed += ` >= ${number(attribute, 6)}`;
  if (attribute.has(3)) printed += ` = ${printValue(type, message(attribute, 3))}`;
  return printed;
}

function printValue(type: string, value: Message): string {
  switch (type) {
    case "string":
      return JSON.stringify(text(value, 2));
    case "int":
      return String(number(value, 3));
    case "float":
      return String(Number(float(value.get(4)?.[0]).toPrecision(7)));
    case "bool":
      return String(number(value, 5) === 1);
    case "type":
      return dtype(number(value, 6));
    case "list(int)":
      return `[${packed(message(value, 1), 3).map((number) => BigInt.asIntN(64, number))}]`;
    case "list(type)":
      return `[${packed(message(value, 1), 6).map((number) => dtype(Number(number)))}]`;
    case "list(string)":
    case "list(shape)":
    case "list(float)":
    case "list(bool)":
      return "[]";
    default:
      return "?"; // a shape of unknown rank, a function: nothing that a rule reads
  }
}

function dtype(number: number): string {
  try {
    return dtypeName(number);
  } catch {
    return `DT_${number}`;
  }
}

function parse(bytes: Uint8Array): Message {
  const fields: Message = new Map();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n;; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, value);
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const add = (value: bigint | Uint8Array) => {
      fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value]);
    };
    if ((tag & 7) === 0) add(varint());
    else if ((tag & 7) === 2) {
      const length = Number(varint());
      add(bytes.subarray(at, at += length));
    } else {
      const length = (tag & 7) === 1 ? 8 : 4;
      add(length === 4 ? BigInt(view.getUint32(at, true)) : view.getBigUint64(at, true));
      at += length;
    }
  }
  return fields;
}

function all(message: Message, field: number): (bigint | Uint8Array)[] {
  return message.get(field) ?? [];
}

function messages(from: Message, field: number): Message[] {
  return all(from, field).map((bytes) => parse(bytes as Uint8Array));
}

function message(from: Message, field: number): Message {
  return messages(from, field)[0] ?? new Map();
}

function text(message: Message, field: number): string {
  return new TextDecoder().decode(all(message, field)[0] as Uint8Array | undefined);
}

function number(message: Message, field: number): number {
  return Number(all(message, field)[0] ?? 0n);
}

function float(bits: bigint | Uint8Array | undefined): number {
  return new Float32Array(Uint32Array.of(Number(bits ?? 0n)).buffer)[0]!;
}

/** Numbers of a repeated field, which are packed into bytes. */
function packed(message: Message, field: number): bigint[] {
  return all(message, field).flatMap((value) => {
    if (typeof value === "bigint") return [value];
    const numbers: bigint[] = [];
    for (let at = 0; at < value.length;) {
      let number = 0n;
      for (let shift = 0n;; shift += 7n) {
        const byte = value[at++]!;
        number |= BigInt(byte & 127) << shift;
        if (byte < 128) break;
      }
      numbers.push(number);
    }
    return numbers;
  });
}
