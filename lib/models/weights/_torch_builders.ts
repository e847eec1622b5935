import type { StoredFormat } from "./_stored_numbers.ts";
import { type Builder, type Pickled, Tuple } from "./_unpickle.ts";

/** Numbers of a PyTorch file that one or more tensors view. */
export interface Storage {
  /** What they are. */
  readonly format: StoredFormat;
  /** How many numbers. */
  readonly length: number;
  /** Their bytes, checked against `length` and `format`. */
  bytes(): Uint8Array;
}

/** A tensor of a PyTorch file: a strided view of a storage. */
export class TorchTensor {
  /** Offset and strides count numbers, not bytes. */
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

const storageFormats = new Map<string, StoredFormat>([
  ["torch.DoubleStorage", "F64"],
  ["torch.FloatStorage", "F32"],
  ["torch.HalfStorage", "F16"],
  ["torch.BFloat16Storage", "BF16"],
  ["torch.LongStorage", "I64"],
  ["torch.IntStorage", "I32"],
  ["torch.ShortStorage", "I16"],
  ["torch.CharStorage", "I8"],
  ["torch.ByteStorage", "U8"],
  ["torch.BoolStorage", "BOOL"],
]);

const dtypes: readonly string[] = [
  ...["torch.float64", "torch.float32", "torch.float16", "torch.bfloat16", "torch.bool"],
  ...["torch.int64", "torch.int32", "torch.int16", "torch.int8", "torch.uint8"],
];

/** Every Python name that weight files may mention, and what stands in for it. There is no other way to a call. */
const builders: ReadonlyMap<string, Builder> = new Map<string, Builder>([
  ["collections.OrderedDict", ([pairs]) => toMap(pairs)],
  ["torch._utils._rebuild_tensor", buildTensor],
  ["torch._utils._rebuild_tensor_v2", buildTensor],
  ["torch._utils._rebuild_parameter", ([tensor]) => tensor],
  ["torch._utils._rebuild_parameter_with_state", ([tensor]) => tensor],
  ["torch.nn.parameter.Parameter", ([tensor]) => tensor],
  ["torch.Size", ([sizes]) => sizes],
  ["torch.device", (args) => args.join(":")],
  // A checkpoint's best accuracy is often a NumPy number: numpy.core.multiarray.scalar(dtype("f8"), bytes).
  ["numpy.dtype", ([code]) => new NumberKind(String(code))],
  ["numpy.core.multiarray.scalar", buildNumber],
  ["numpy._core.multiarray.scalar", buildNumber],
  ["_codecs.encode", ([text]) => Uint8Array.from(String(text), (char) => char.charCodeAt(0))],
  // Types of storages and tensors are mentioned, never called.
  ...[...storageFormats.keys(), ...dtypes].map((name): [string, Builder] => [name, refuseCall]),
]);

function refuseCall(): never {
  throw new SyntaxError("the pickle calls a type of numbers");
}

/** What the numbers of a storage are, by the storage's type in the pickle. */
export function formatOfStorage(type: Pickled | undefined): StoredFormat | undefined {
  return typeof type === "function" ? storageFormats.get(type.name) : undefined;
}

/** The stand-in for a Python name in a weight file, or `undefined` if it must be refused. */
export function buildersOf(dottedName: string): Builder | undefined {
  return builders.get(dottedName);
}

function toMap(pairs: Pickled | undefined): Map<Pickled, Pickled> {
  const map = new Map<Pickled, Pickled>();
  for (const pair of Array.isArray(pairs) ? pairs : []) {
    const items: readonly Pickled[] = pair instanceof Tuple ? pair.items : Array.isArray(pair) ? pair : [];
    if (items.length !== 2) throw new SyntaxError("an OrderedDict has an item that is no pair");
    map.set(items[0], items[1]);
  }
  return map;
}

/** `_rebuild_tensor_v2(storage, offset, sizes, strides, ...)`: checked to stay inside its storage. */
function buildTensor([storage, offset, sizes, strides]: readonly Pickled[]): TorchTensor {
  const shape = toCounts(sizes);
  const steps = toCounts(strides);
  if (!isStorage(storage) || !Number.isSafeInteger(offset) || (offset as number) < 0) {
    throw new SyntaxError("a tensor has no storage");
  }
  if (shape.length !== steps.length) {
    throw new SyntaxError("a tensor has another number of strides than of axes");
  }
  const isEmpty = shape.includes(0);
  const last = shape.reduce((sum, length, axis) => sum + (length - 1) * steps[axis], offset as number);
  if (!isEmpty && last >= storage.length) {
    throw new SyntaxError(
      `a tensor of shape [${shape}] reads number ${last} of a storage of ${storage.length}`,
    );
  }
  return new TorchTensor(storage, isEmpty ? 0 : offset as number, shape, steps);
}

function isStorage(value: Pickled | undefined): value is Storage {
  return typeof value === "object" && value !== null && "format" in value && "bytes" in value;
}

function toCounts(value: Pickled | undefined): number[] {
  const items: readonly Pickled[] | undefined = value instanceof Tuple
    ? value.items
    : Array.isArray(value)
    ? value
    : undefined;
  if (items === undefined || !items.every((item) => Number.isSafeInteger(item) && (item as number) >= 0)) {
    throw new SyntaxError("a tensor has sizes or strides that are no whole numbers");
  }
  return items as number[];
}

/** A NumPy dtype, as far as a plain number needs it. */
class NumberKind {
  constructor(readonly code: string) {}
}

function buildNumber([kind, bytes]: readonly Pickled[]): number | bigint {
  if (!(kind instanceof NumberKind) || !(bytes instanceof Uint8Array)) {
    throw new SyntaxError("a NumPy number is malformed");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const readers: Record<string, [number, () => number | bigint]> = {
    f8: [8, () => view.getFloat64(0, true)],
    f4: [4, () => view.getFloat32(0, true)],
    i8: [8, () => view.getBigInt64(0, true)],
    i4: [4, () => view.getInt32(0, true)],
    b1: [1, () => view.getUint8(0)],
  };
  const [width, read] = readers[kind.code] ?? [NaN, () => 0];
  if (bytes.length !== width) throw new SyntaxError(`a NumPy number of kind "${kind.code}" is not supported`);
  return read();
}
