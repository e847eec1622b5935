import assert from "node:assert/strict";
import { gunzipSync, gzipSync } from "node:zlib";
import type { RawImage } from "../../../lib/data/dataset.ts";
import { DatasetError } from "../../../lib/data/dataset_error.ts";
import { FASHION_MNIST_CLASS_NAMES, fashionMNIST } from "../../../lib/data/datasets/fashion_mnist.ts";

// Debian's package dataset-fashion-mnist; fashionMNIST() says how to install it where it is missing.
const REAL = "/usr/share/datasets/fashion-mnist";
const TRAIN_IMAGES = "train-images-idx3-ubyte";
const TRAIN_LABELS = "train-labels-idx1-ubyte";
const TEST_IMAGES = "t10k-images-idx3-ubyte";
const TEST_LABELS = "t10k-labels-idx1-ubyte";

/** Opens a folder of these files; what is not named is a link to the real file. */
async function openWith(files: Record<string, Uint8Array | null>, body: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "whittle_fashion_" });
  try {
    for (const name of [TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS]) {
      if (!(name in files) && !(`${name}.gz` in files)) {
        await Deno.symlink(`${REAL}/${name}.gz`, `${folder}/${name}.gz`);
      }
    }
    for (const [name, bytes] of Object.entries(files)) {
      if (bytes) await Deno.writeFile(`${folder}/${name}`, bytes);
    }
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** An IDX file with this header; all data bytes are `fill`. */
function idx(magic: number, sizes: readonly number[], dataBytes: number, fill = 0): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * sizes.length + dataBytes).fill(fill);
  const view = new DataView(bytes.buffer);
  [magic, ...sizes].forEach((value, index) => view.setUint32(4 * index, value));
  return bytes;
}

async function messageOf(folder: string): Promise<string> {
  const error = await fashionMNIST(folder).then(() => assert.fail("opened"), (error) => error);
  assert.ok(error instanceof DatasetError, String(error));
  return error.message;
}

const HELP =
  "  help: install Debian's package (apt-get install dataset-fashion-mnist), or pass the folder of the four IDX files";

Deno.test("fashionMNIST() opens the official 60,000 and 10,000, with a stratified validation part", async () => {
  const data = await fashionMNIST();
  assert.deepEqual(data.classNames, FASHION_MNIST_CLASS_NAMES);
  for (const [part, count] of [[data.train, 5400], [data.validation, 600], [data.test, 1000]] as const) {
    assert.equal(part.classNames, data.classNames);
    assert.equal(part.samples.length, 10 * count);
    for (let label = 0; label < 10; label++) {
      assert.equal(part.samples.filter((sample) => sample.label === label).length, count);
    }
  }
  assert.equal(data.train.name, "fashion_mnist/train");
  // The labels that the data set's publisher shows for the first pictures of both files.
  assert.deepEqual(data.test.samples.slice(0, 5).map(({ label }) => label), [9, 2, 1, 1, 6]);
  const official = [...data.train.samples, ...data.validation.samples].sort((a, b) =>
    a.name < b.name ? -1 : 1
  );
  assert.deepEqual(official.slice(0, 5).map(({ label }) => label), [9, 0, 0, 3, 0]);
  assert.equal(new Set(official.map(({ name }) => name)).size, 60_000);
});

Deno.test("fashionMNIST() gives views of one buffer with the pixels of the file", async () => {
  const data = await fashionMNIST();
  const images = data.test.samples.map(({ image }) => image as RawImage);
  assert.equal(new Set(images.map((image) => image.data.buffer)).size, 1);
  const bytes = gunzipSync(await Deno.readFile(`${REAL}/${TEST_IMAGES}.gz`));
  for (const index of [0, 1, 9_999]) {
    const { width, height, channels, data } = images[index];
    assert.deepEqual([width, height, channels], [28, 28, 1]);
    assert.deepEqual([...data], [...bytes.subarray(16 + 784 * index, 16 + 784 * (index + 1))]);
  }
});

Deno.test("fashionMNIST() sets aside by seed and ratio", async () => {
  const names = async (options: { seed?: number; validation?: number }) =>
    (await fashionMNIST(REAL, options)).validation.samples.map(({ name }) => name);
  const first = await names({});
  assert.deepEqual(await names({ seed: 0 }), first);
  assert.notDeepEqual(await names({ seed: 1 }), first);
  assert.equal((await names({ validation: 0.05 })).length, 3_000);
});

Deno.test("fashionMNIST() reads plain files, a folder with spaces as a URL", async () => {
  const labels = gunzipSync(await Deno.readFile(`${REAL}/${TEST_LABELS}.gz`));
  await openWith({ [TEST_LABELS]: labels }, async (folder) => {
    await Deno.rename(folder, `${folder} b`);
    try {
      const data = await fashionMNIST(new URL(`file://${folder} b`));
      assert.deepEqual(data.test.samples.map(({ label }) => label), [...labels.subarray(8)]);
    } finally {
      await Deno.rename(`${folder} b`, folder);
    }
  });
});

Deno.test("fashionMNIST() names all files that are missing, cut off or another file", async () => {
  const images = await Deno.readFile(`${REAL}/${TEST_IMAGES}.gz`);
  await openWith({
    [`${TRAIN_IMAGES}.gz`]: images.subarray(0, 1_000_000),
    [`${TRAIN_LABELS}.gz`]: gzipSync(idx(0x0803, [60_000], 60_000)),
    [TEST_IMAGES]: idx(0x0803, [10_000, 28, 28], 7_839_999),
    [TEST_LABELS]: null,
  }, async (folder) => {
    assert.equal(
      await messageOf(folder),
      `Cannot open Fashion-MNIST in "${folder}": 4 of 4 files are not usable
  train-images-idx3-ubyte.gz: file is cut off: the gzip stream ends early
  train-labels-idx1-ubyte.gz: not an IDX file: magic number 0x00000803, wanted 0x00000801
  t10k-images-idx3-ubyte: file is cut off: 7840015 bytes, wanted 7840016
  t10k-labels-idx1-ubyte: not found, and no t10k-labels-idx1-ubyte.gz either
${HELP}`,
    );
  });
});

for (
  const [what, file, bytes, problem] of [
    ["an empty file", TEST_LABELS, new Uint8Array(), "file is cut off: 0 bytes, wanted 10008"],
    [
      "MNIST-like sizes",
      TEST_IMAGES,
      idx(0x0803, [10_000, 20, 20], 4_000_000),
      "not Fashion-MNIST: sizes 10000 x 20 x 20, wanted 10000 x 28 x 28",
    ],
    [
      "a longer file",
      TEST_LABELS,
      idx(0x0801, [10_000], 10_001),
      "file is too long: 10009 bytes, wanted 10008 at most",
    ],
    [
      "a gzip bomb",
      `${TEST_LABELS}.gz`,
      gzipSync(new Uint8Array(1_000_000)),
      "file is too long: more than 10008 bytes unpacked, wanted 10008",
    ],
    ["a label of no class", TEST_LABELS, idx(0x0801, [10_000], 10_000, 10), "label 0 is 10, wanted 0 to 9"],
    [
      "no gzip",
      `${TEST_LABELS}.gz`,
      new TextEncoder().encode("<html>"),
      "not a gzip file: incorrect header check",
    ],
  ] as const
) {
  Deno.test(`fashionMNIST() throws for ${what}`, async () => {
    await openWith({ [file]: bytes }, async (folder) => {
      assert.equal(
        await messageOf(folder),
        `Cannot open Fashion-MNIST in "${folder}": 1 of 4 files is not usable\n  ${file}: ${problem}\n${HELP}`,
      );
    });
  });
}

Deno.test("fashionMNIST() throws for an unknown option", async () => {
  await assert.rejects(fashionMNIST(REAL, { validaton: 0.2 } as object), {
    name: "TypeError",
    message: /^Cannot run fashionMNIST\(\): .*\n.*did you mean "validation"\?/,
  });
});

Deno.test("fashionMNIST() throws for a share that is none", async () => {
  await assert.rejects(fashionMNIST(REAL, { validation: 1 }), {
    name: "RangeError",
    message:
      /^Cannot split data set "fashion_mnist": 'validation' must be in \(0, 1\).* got validation 1, test 0$/,
  });
});
