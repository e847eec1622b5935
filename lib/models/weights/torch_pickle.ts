import { type HostTensor, sizeOf } from "../../graph/host_tensor.ts";
import { fromStored, storedBytes, type StoredFormat } from "./_stored_numbers.ts";
import { stridedBytes } from "./_strided_bytes.ts";
import { buildersOf, formatOfStorage, type Storage, TorchTensor } from "./_torch_builders.ts";
import { type Pickled, Tuple, unpickle, UnwantedContentError } from "./_unpickle.ts";
import { openZip } from "./_zip.ts";

/**
 * Reads the state dict of a PyTorch file (`.pth`, `.pt`, `.tar`), as `torch.save` writes it: the zip format of
 * torch 1.6 and later, and the older one.
 *
 * The pickle inside is read by a parser that builds tensors, dicts, lists, numbers and text, and nothing else;
 * whatever else it names is refused before it is built. A checkpoint that nests its weights is searched in timm's
 * order: `state_dict_ema`, `model_ema`, `state_dict`, `model_state_dict`, `model`, ...; optimizers are left out.
 * The prefixes `module.` and `nncf_module.` are stripped.
 *
 * @param source path of the file, or its bytes
 * @returns tensors by name, in PyTorch's layouts, contiguous; half, bfloat16 and double as float32
 * @throws {SyntaxError} if the file is damaged, is a whole pickled network or TorchScript, or wants anything but
 * plain data
 * @throws {Deno.errors.NotFound} if there is no such file
 * @example
 * ```ts ignore
 * import { readTorchFile } from "./torch_pickle.ts";
 *
 * const weights = await readTorchFile("mobilenet_v3_large.pth");
 * console.log(weights["features.0.0.weight"].shape); // [16, 3, 3, 3]
 * ```
 */
export async function readTorchFile(source: string | Uint8Array): Promise<Record<string, HostTensor>> {
  if (typeof source !== "string") return fromTorchBytes(source);
  return fromTorchBytes(await Deno.readFile(source), source);
}

/**
 * Reads the bytes of a PyTorch file; see {@linkcode readTorchFile}.
 *
 * @param bytes the whole file
 * @param name how messages call it
 * @returns tensors by name
 * @throws {SyntaxError} as {@linkcode readTorchFile} does
 */
export function fromTorchBytes(bytes: Uint8Array, name = "torch bytes"): Record<string, HostTensor> {
  try {
    const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b; // "PK"
    const root = isZip ? readZipFormat(bytes) : readLegacyFormat(bytes);
    return toHostTensors(findStateDict(root), bytes.length);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const help = error instanceof UnwantedContentError
      ? `only weights are read; save them with torch.save(model.state_dict(), "weights.pth")`
      : `the file is damaged or of another format; get it again, or save it as safetensors`;
    throw new SyntaxError(`Cannot read weights "${name}": ${error.message}\n  help: ${help}`, {
      cause: error,
    });
  }
}

/** torch >= 1.6: a zip with the pickle in `<name>/data.pkl` and each storage in `<name>/data/<key>`. */
function readZipFormat(bytes: Uint8Array): Pickled {
  const entries = openZip(bytes);
  const pickleName = [...entries.keys()].find((key) => key === "data.pkl" || key.endsWith("/data.pkl"));
  if (pickleName === undefined) {
    throw new SyntaxError(`the zip has no "data.pkl", so torch.save did not write it`);
  }
  const folder = pickleName.slice(0, -"data.pkl".length);
  if (entries.has(`${folder}constants.pkl`)) {
    throw new UnwantedContentError("it is a TorchScript program, a state dict was wanted");
  }
  const byteOrder = entries.get(`${folder}byteorder`);
  if (byteOrder !== undefined && new TextDecoder().decode(byteOrder.read()) !== "little") {
    throw new SyntaxError("its numbers are big-endian, little-endian was wanted");
  }

  const storages = new Map<string, Storage>();
  const persistentLoad = (id: Pickled): Storage => {
    const { format, key, length } = readStorageId(id);
    const known = storages.get(key);
    if (known !== undefined) return known;
    const entry = entries.get(`${folder}data/${key}`);
    const wanted = length * storedBytes[format];
    if (entry === undefined || entry.sizeBytes !== wanted) {
      const found = entry === undefined ? "no such entry" : `${entry.sizeBytes} bytes`;
      throw new SyntaxError(`storage "${key}" wants ${wanted} bytes, found ${found}`);
    }
    const storage: Storage = { format, length, bytes: () => entry.read() };
    storages.set(key, storage);
    return storage;
  };
  return unpickle(entries.get(pickleName)!.read(), 0, { findBuilder: buildersOf, persistentLoad }).value;
}

/** torch < 1.6: magic number, protocol and machine as pickles, the object, the storages' keys, their numbers. */
function readLegacyFormat(bytes: Uint8Array): Pickled {
  const storages = new Map<string, Storage & { content?: Uint8Array }>();
  const options = {
    findBuilder: buildersOf,
    persistentLoad: (id: Pickled): Storage => {
      const { format, key, length } = readStorageId(id);
      const storage = storages.get(key) ?? {
        format,
        length,
        bytes(): Uint8Array {
          if (storage.content === undefined) {
            throw new SyntaxError(`storage "${key}" is missing from the file`);
          }
          return storage.content;
        },
      } as Storage & { content?: Uint8Array };
      storages.set(key, storage);
      return storage;
    },
  };
  const magic = tryMagic(bytes);
  if (magic === undefined) throw new SyntaxError("it is neither a zip nor a pickle that torch.save wrote");
  const protocol = unpickle(bytes, magic, options);
  if (protocol.value !== 1001) throw new SyntaxError(`its protocol is ${protocol.value}, 1001 was wanted`);
  const machine = unpickle(bytes, protocol.end, options);
  if (machine.value instanceof Map && machine.value.get("little_endian") === false) {
    throw new SyntaxError("its numbers are big-endian, little-endian was wanted");
  }
  const root = unpickle(bytes, machine.end, options);
  const keys = unpickle(bytes, root.end, options);
  if (!Array.isArray(keys.value)) throw new SyntaxError("its list of storages is missing");

  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = keys.end;
  for (const key of keys.value) {
    const storage = storages.get(String(key));
    if (storage === undefined) throw new SyntaxError(`storage "${key}" belongs to no tensor`);
    if (at + 8 > bytes.length) throw new SyntaxError("the file is cut off");
    const length = Number(view.getBigInt64(at, true));
    const end = at + 8 + storage.length * storedBytes[storage.format];
    if (length !== storage.length) {
      throw new SyntaxError(`storage "${key}" wants ${storage.length} numbers, found ${length}`);
    }
    if (end > bytes.length) throw new SyntaxError(`the file is cut off in storage "${key}"`);
    storage.content = bytes.subarray(at + 8, end);
    at = end;
  }
  return root.value;
}

/** The offset after the magic number 0x1950a86a20f9469cfc6c, if the file starts with it. */
function tryMagic(bytes: Uint8Array): number | undefined {
  const magic = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];
  const found = bytes[0] === 0x80 && magic.every((byte, i) => bytes[2 + i] === byte);
  return found ? 2 + magic.length : undefined;
}

/** `("storage", type, key, device, length)`, in the old format with a view of another storage behind. */
function readStorageId(id: Pickled): { format: StoredFormat; key: string; length: number } {
  const items = id instanceof Tuple ? id.items : [];
  const [kind, type, key, , length, view] = items;
  const format = formatOfStorage(type);
  if (
    kind !== "storage" || format === undefined ||
    (typeof key !== "string" && typeof key !== "number") || !Number.isSafeInteger(length) ||
    (length as number) < 0
  ) throw new SyntaxError("the pickle has a malformed storage");
  if (view !== undefined && view !== null) {
    throw new SyntaxError(`storage "${key}" is a view of another storage`);
  }
  return { format, key: String(key), length: length as number };
}

/** Where checkpoints keep the weights to use, best first: timm's order, then other trainers' names. */
const nestings = [
  "state_dict_ema",
  "model_ema",
  "state_dict",
  "model_state_dict",
  "model_state",
  "model",
  "net",
  "network",
];

function findStateDict(root: Pickled): Map<Pickled, Pickled> {
  if (root instanceof Map) {
    for (const key of nestings) {
      const inner = root.get(key);
      if (inner instanceof Map && holdsTensors(inner)) return inner;
    }
    if (holdsTensors(root)) return root;
    const found = [...root.keys()].slice(0, 5).map((key) => `"${String(key)}"`).join(", ");
    throw new SyntaxError(`it holds no state dict: found a dict of ${found || "nothing"}`);
  }
  throw new SyntaxError(
    `it holds no state dict: found ${root instanceof TorchTensor ? "one tensor" : "no dict"}`,
  );
}

function holdsTensors(map: Map<Pickled, Pickled>): boolean {
  return [...map].some(([key, value]) => typeof key === "string" && value instanceof TorchTensor);
}

function toHostTensors(dict: Map<Pickled, Pickled>, fileBytes: number): Record<string, HostTensor> {
  // Strides of 0 let a small file ask for any amount of memory: real state dicts hardly repeat a storage.
  let budget = 4 * fileBytes + 2 ** 26;
  const contents = new Map<Storage, Uint8Array>();
  const tensors: [string, HostTensor][] = [];
  for (const [key, tensor] of dict) {
    if (typeof key !== "string" || !(tensor instanceof TorchTensor)) continue;
    budget -= sizeOf(tensor.shape) * 4;
    if (!(budget >= 0)) {
      throw new SyntaxError(`tensor "${key}" of shape [${tensor.shape}] is larger than the file`);
    }
    const bytes = contents.get(tensor.storage) ?? tensor.storage.bytes();
    contents.set(tensor.storage, bytes);
    tensors.push([stripPrefixes(key), toHostTensor(tensor, bytes)]);
  }
  return Object.fromEntries(tensors);
}

function stripPrefixes(key: string): string {
  return key.replace(/^(?:(?:nncf_module|module)\.)+/, "");
}

function toHostTensor(
  { storage: { format }, offset, shape, strides }: TorchTensor,
  bytes: Uint8Array,
): HostTensor {
  const content = stridedBytes(bytes, { width: storedBytes[format], offset, shape, strides });
  return { ...fromStored(format, content), shape: [...shape] };
}
