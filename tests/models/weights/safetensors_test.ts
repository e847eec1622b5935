import assert from "node:assert/strict";
import {
  fromSafetensors,
  readSafetensors,
  toSafetensors,
  writeSafetensors,
} from "../../../lib/models/weights/safetensors.ts";
import type { HostTensor } from "../../../lib/graph/host_tensor.ts";
import { expected, oracle, pick } from "./_oracle.ts";

const storable = [
  "float32",
  "float64",
  "float16",
  "bfloat16",
  "int64",
  "int32",
  "int16",
  "int8",
  "uint8",
  "bool",
];

Deno.test("readSafetensors() reads what Python's safetensors wrote, every dtype", async () => {
  const { tensors, metadata } = await readSafetensors(oracle("tensors.safetensors"));
  const wanted = pick([...storable, "scalar", "empty"]);
  assert.deepEqual(Object.keys(tensors).sort(), Object.keys(wanted).sort());
  for (const [name, tensor] of Object.entries(wanted)) assert.deepEqual(tensors[name], tensor, name);
  assert.deepEqual(metadata, { format: "pt" });
});

Deno.test("toSafetensors() writes the bytes that Python's safetensors writes", () => {
  const metadata = { note: 'a "quoted" ümlaut\n' };
  const wanted = Deno.readFileSync(oracle("writable.safetensors"));
  assert.deepEqual(toSafetensors(pick(expected.writable), metadata), wanted);
  assert.deepEqual(toSafetensors(pick([...expected.writable].reverse()), metadata), wanted);
});

Deno.test("fromSafetensors() reads back what toSafetensors() wrote", () => {
  const tensors: Record<string, HostTensor> = {
    ...pick(expected.writable),
    '__proto__ and "ü"': { dtype: "uint8", shape: [3], data: new Uint8Array([1, 2, 3]) },
    part: { dtype: "float32", shape: [2], data: new Float32Array([1, 2, 3, 4]).subarray(1, 3) },
  };
  const metadata = { b: "2", a: "1", empty: "" };
  const file = fromSafetensors(toSafetensors(tensors, metadata));
  assert.deepEqual({ ...file.tensors }, tensors);
  assert.deepEqual(file.metadata, metadata);
  assert.deepEqual(fromSafetensors(toSafetensors({})), { tensors: {}, metadata: {} });
});

Deno.test("fromSafetensors() copies, whatever the alignment of the bytes", () => {
  const bytes = toSafetensors(pick(["float32"]));
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  const { tensors } = fromSafetensors(shifted.subarray(1));
  shifted.fill(0);
  assert.deepEqual(tensors, pick(["float32"]));
});

Deno.test("writeSafetensors() replaces a file whole and leaves nothing beside it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/w ü.safetensors`;
    await Deno.writeTextFile(path, "old");
    await writeSafetensors(path, pick(["float32"]), { a: "b" });
    assert.deepEqual((await readSafetensors(path)).tensors, pick(["float32"]));
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["w ü.safetensors"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("toSafetensors() refuses what it cannot store", () => {
  const data = new Float32Array(3);
  const refused: [Record<string, HostTensor>, Record<string, string>, string][] = [
    [
      { a: { dtype: "string", shape: [3], data } },
      {},
      `Cannot write safetensors: tensor "a" has dtype string, one of int64, float32, int32, uint8, bool was wanted`,
    ],
    [
      { a: { dtype: "float32", shape: [2], data } },
      {},
      `Cannot write safetensors: tensor "a" of dtype float32 and shape [2] wants 2 elements of 4 bytes, found 3 of 4`,
    ],
    [
      { a: { dtype: "int64", shape: [3], data } },
      {},
      `Cannot write safetensors: tensor "a" of dtype int64 and shape [3] wants 3 elements of 8 bytes, found 3 of 4`,
    ],
    [
      { __metadata__: { dtype: "float32", shape: [3], data } },
      {},
      `Cannot write safetensors: "__metadata__" is reserved and cannot name a tensor`,
    ],
    [
      {},
      { epoch: 3 as unknown as string },
      `Cannot write safetensors: metadata "epoch" is a number, a string was wanted\n  help: pass JSON.stringify(value)`,
    ],
  ];
  for (const [tensors, metadata, message] of refused) {
    assert.throws(() => toSafetensors(tensors, metadata), { name: "TypeError", message });
  }
});

const entry = (value: unknown) => ({ a: value });
const good = { dtype: "F32", shape: [2], data_offsets: [0, 8] };
const malformed: [what: string, bytes: Uint8Array, cause: string][] = [
  ["too short", new Uint8Array(3), "the file has 3 bytes, at least 8 were wanted"],
  [
    "a huge header",
    prefixed(2n ** 63n, ""),
    `the header claims ${2n ** 63n} bytes, at most 100000000 are allowed`,
  ],
  [
    "a header beyond the file",
    prefixed(50n, "{}"),
    "the file is cut off: the header claims 50 bytes, found 2",
  ],
  ["no JSON", prefixed(2n, "{x"), /^the header is not JSON: /.source],
  ["no object", file([]), "the header is not a JSON object"],
  ["no text in metadata", file({ __metadata__: { a: 1 } }), `metadata "a" is not a string`],
  ["no metadata object", file({ __metadata__: "x" }), `"__metadata__" is not an object of strings`],
  ["no entry", file(entry(3), 8), `the entry of tensor "a" is not an object`],
  [
    "an unknown dtype",
    file(entry({ ...good, dtype: "F8_E4M3" }), 8),
    `tensor "a" has dtype "F8_E4M3", one of F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL was wanted`,
  ],
  [
    "a negative shape",
    file(entry({ ...good, shape: [-2] }), 8),
    `tensor "a" has shape [-2], whole numbers were wanted`,
  ],
  [
    "offsets backwards",
    file(entry({ ...good, data_offsets: [8, 0] }), 8),
    `tensor "a" has data_offsets [8,0], [begin, end] was wanted`,
  ],
  [
    "a shape of other size",
    file(entry({ ...good, shape: [2 ** 40, 2 ** 40] }), 8),
    `tensor "a" of dtype F32 and shape [1099511627776,1099511627776] takes ${
      2 ** 82
    } bytes, its data_offsets give 8`,
  ],
  [
    "a hole",
    file(entry({ ...good, data_offsets: [4, 12] }), 12),
    `tensor "a" starts at byte 4 of the data, where 0 was wanted`,
  ],
  [
    "an overlap",
    file({ a: good, b: { ...good, data_offsets: [4, 12] } }, 12),
    `tensor "b" starts at byte 4 of the data, where 8 was wanted`,
  ],
  [
    "cut-off data",
    file(entry(good), 5),
    "the file is cut off: the header describes 8 bytes of data, found 5",
  ],
  [
    "more data",
    file(entry(good), 9),
    "bytes follow the last tensor: the header describes 8 bytes of data, found 9",
  ],
];
for (const [what, bytes, cause] of malformed) {
  Deno.test(`fromSafetensors() refuses a file with ${what}`, () => {
    assert.throws(() => fromSafetensors(bytes, "w.safetensors"), (error: Error) => {
      assert.equal(error.name, "SyntaxError");
      const [, found] = /^Cannot read safetensors "w.safetensors": (.*)\n {2}help: .*$/.exec(error.message) ??
        [];
      if (cause.startsWith("^")) assert.match(found, new RegExp(cause));
      else assert.equal(found, cause);
      return true;
    });
  });
}

function prefixed(length: bigint, text: string): Uint8Array {
  const bytes = new Uint8Array(8 + text.length);
  new DataView(bytes.buffer).setBigUint64(0, length, true);
  bytes.set(new TextEncoder().encode(text), 8);
  return bytes;
}

function file(header: unknown, dataBytes = 0): Uint8Array {
  const text = JSON.stringify(header) + "\0".repeat(dataBytes);
  return prefixed(BigInt(text.length - dataBytes), text);
}
