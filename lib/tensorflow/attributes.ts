import type { Attribute } from "../graph/graph.ts";
import { cString, type Engine, throwOnError } from "./engine.ts";
import { dataTypes, dtypeName } from "./dtypes.ts";
import { createNativeTensor, toInt64 } from "./native_tensor.ts";

/** An attribute as tfjs-node's kernels give it. */
export interface TfjsAttribute {
  readonly name: string;
  /** One of the binding's `TF_ATTR_*` numbers. */
  readonly type: number;
  readonly value: unknown;
}

/** Numbers of `TF_AttrType` (`tensorflow/c/c_api.h`). */
export const attributeTypes = {
  string: 0,
  int: 1,
  float: 2,
  bool: 3,
  type: 4,
  shape: 5,
  resource: 9,
} as const;

/**
 * Turns tfjs-node's attributes of one operator into the graph's.
 *
 * @throws {TypeError} If an attribute is of a kind no operator of the engine uses.
 */
export function toAttributes(given: readonly TfjsAttribute[]): Record<string, Attribute> {
  const attributes: Record<string, Attribute> = {};
  for (const { name, type, value } of given) attributes[name] = toAttribute(name, type, value);
  return attributes;
}

function toAttribute(name: string, type: number, value: unknown): Attribute {
  const list = Array.isArray(value);
  switch (type) {
    case attributeTypes.string:
      return { kind: "string", value: String(value) };
    case attributeTypes.int:
      // Cut off as a C++ addon would: tfjs gives fractions as seeds.
      return list ? { kind: "ints", value } : { kind: "int", value: Math.trunc(Number(value)) };
    case attributeTypes.float:
      return list ? { kind: "floats", value } : { kind: "float", value: Number(value) };
    case attributeTypes.bool:
      return list ? { kind: "bools", value } : { kind: "bool", value: Boolean(value) };
    case attributeTypes.type:
      return list
        ? { kind: "dtypes", value: value.map(dtypeName) }
        : { kind: "dtype", value: dtypeName(value as number) };
    case attributeTypes.shape:
      return { kind: "shape", value: value as number[] };
    default:
      throw new TypeError(`Cannot set attribute ${name}: unknown kind ${type}`);
  }
}

const encoder = new TextEncoder();

/**
 * Sets the attributes of an operation under construction.
 *
 * @param kind `eager` for a `TFE_Op`, `graph` for a `TF_OperationDescription`.
 */
export function setAttributes(
  engine: Engine,
  kind: "eager" | "graph",
  operation: Deno.PointerValue,
  attributes: Readonly<Record<string, Attribute>>,
): void {
  const { native, status } = engine;
  const eager = kind === "eager";
  for (const [key, attribute] of Object.entries(attributes)) {
    const name = cString(key);
    switch (attribute.kind) {
      case "string": {
        const bytes = encoder.encode(attribute.value);
        const set = eager ? native.TFE_OpSetAttrString : native.TF_SetAttrString;
        set(operation, name, bytes, BigInt(bytes.length));
        break;
      }
      case "int": {
        const set = eager ? native.TFE_OpSetAttrInt : native.TF_SetAttrInt;
        set(operation, name, BigInt(attribute.value));
        break;
      }
      case "float": {
        const set = eager ? native.TFE_OpSetAttrFloat : native.TF_SetAttrFloat;
        set(operation, name, attribute.value);
        break;
      }
      case "bool": {
        const set = eager ? native.TFE_OpSetAttrBool : native.TF_SetAttrBool;
        set(operation, name, attribute.value ? 1 : 0);
        break;
      }
      case "dtype": {
        const set = eager ? native.TFE_OpSetAttrType : native.TF_SetAttrType;
        set(operation, name, dataTypes[attribute.value]);
        break;
      }
      case "shape": {
        const { length } = attribute.value;
        const lengths = toInt64(attribute.value);
        if (eager) native.TFE_OpSetAttrShape(operation, name, lengths, length, status);
        else native.TF_SetAttrShape(operation, name, lengths, length);
        break;
      }
      case "ints": {
        const set = eager ? native.TFE_OpSetAttrIntList : native.TF_SetAttrIntList;
        set(operation, name, toInt64(attribute.value), attribute.value.length);
        break;
      }
      case "floats": {
        const set = eager ? native.TFE_OpSetAttrFloatList : native.TF_SetAttrFloatList;
        set(operation, name, Float32Array.from(attribute.value), attribute.value.length);
        break;
      }
      case "bools": {
        const set = eager ? native.TFE_OpSetAttrBoolList : native.TF_SetAttrBoolList;
        set(operation, name, Uint8Array.from(attribute.value, Number), attribute.value.length);
        break;
      }
      case "dtypes": {
        const set = eager ? native.TFE_OpSetAttrTypeList : native.TF_SetAttrTypeList;
        set(operation, name, Int32Array.from(attribute.value, (d) => dataTypes[d]), attribute.value.length);
        break;
      }
      case "tensor": {
        if (eager) throw new TypeError(`Cannot set attribute ${key}: eager operators take tensors as inputs`);
        const { shape, dtype, data } = attribute.value;
        const tensor = createNativeTensor(engine, shape, dataTypes[dtype], data);
        native.TF_SetAttrTensor(operation, name, tensor, status);
        native.TF_DeleteTensor(tensor);
        throwOnError(native, status, `Cannot set attribute ${key}`);
        break;
      }
    }
  }
}
