import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gunzip, type ZlibOptions } from "node:zlib";
import { checkOptions } from "../../errors/check_options.ts";
import type { Dataset, DatasetSplits, RawImage, Sample } from "../dataset.ts";
import { DatasetError, type DatasetProblem } from "../dataset_error.ts";
import { split } from "../split.ts";

/** The ten classes of Fashion-MNIST; a label is an index into them. */
export const FASHION_MNIST_CLASS_NAMES: readonly string[] = [
  "T-shirt/top",
  "Trouser",
  "Pullover",
  "Dress",
  "Coat",
  "Sandal",
  "Shirt",
  "Sneaker",
  "Bag",
  "Ankle boot",
];

/** Where Debian's package `dataset-fashion-mnist` puts the files. */
const DEBIAN_FOLDER = "/usr/share/datasets/fashion-mnist";
const SIDE = 28;
const PIXELS = SIDE * SIDE;

/** Options of {@linkcode fashionMNIST}. */
export interface FashionMNISTOptions {
  /** Share of the 60,000 official training pictures of each class that validates, 0..1. @default {0.1} */
  readonly validation?: number;
  /** Which pictures these are: the same seed, the same pictures. @default {0} */
  readonly seed?: number;
}

/** Fashion-MNIST with its three parts. */
export interface FashionMNIST extends DatasetSplits {
  /** The official 10,000 test pictures. No choice (best epoch, learning rate) may look at them. */
  readonly test: Dataset;
}

/**
 * Opens Fashion-MNIST: 70,000 grey pictures, 28 x 28, of clothes and shoes in ten classes, with its official split into
 * 60,000 for training and 10,000 for testing.
 *
 * The official test pictures are `test`. Because training picks its best epoch on `validation`, that is *not* the test
 * set but a stratified part of the training pictures, chosen by seed (54,000 / 6,000 by default).
 *
 * Source: Xiao, Rasul, Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms",
 * 2017, arXiv:1708.07747.
 *
 * @param dir Folder with the four IDX files (`train-images-idx3-ubyte`, `train-labels-idx1-ubyte`,
 * `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`), each plain or `.gz`. Default: where Debian's package
 * `dataset-fashion-mnist` puts them.
 * @param options How much to set aside for validation, and the seed.
 * @returns Splits whose pictures are decoded already: views of one buffer of bytes per official part, not copies.
 * @throws {DatasetError} If files are missing, cut off, or not the files of Fashion-MNIST; the message names them all.
 * @throws {TypeError} If an option is unknown.
 * @throws {RangeError} If `validation` is not a share.
 *
 * @example
 * ```ts
 * import { fashionMNIST } from "./fashion_mnist.ts";
 *
 * const data = await fashionMNIST();
 * console.log(data.train.samples.length, data.validation.samples.length, data.test.samples.length); // 54000 6000 10000
 * ```
 */
export async function fashionMNIST(
  dir: string | URL = DEBIAN_FOLDER,
  options: FashionMNISTOptions = {},
): Promise<FashionMNIST> {
  checkOptions(options, ["validation", "seed"], "fashionMNIST");
  const { validation = 0.1, seed = 0 } = options;
  const folder = dir instanceof URL ? fileURLToPath(dir) : dir;
  const files = await Promise.all([
    readIDX(folder, "train-images-idx3-ubyte", [60_000, SIDE, SIDE]).catch(asProblem),
    readIDX(folder, "train-labels-idx1-ubyte", [60_000]).catch(asProblem),
    readIDX(folder, "t10k-images-idx3-ubyte", [10_000, SIDE, SIDE]).catch(asProblem),
    readIDX(folder, "t10k-labels-idx1-ubyte", [10_000]).catch(asProblem),
  ]);
  const problems = files.filter((file): file is DatasetProblem => !(file instanceof Uint8Array));
  if (problems.length > 0) {
    throw new DatasetError(
      `Cannot open Fashion-MNIST in "${folder}": ${problems.length} of 4 files ${
        problems.length === 1 ? "is" : "are"
      } not usable`,
      {
        problems,
        help:
          "install Debian's package (apt-get install dataset-fashion-mnist), or pass the folder of the four IDX files",
      },
    );
  }
  const [trainImages, trainLabels, testImages, testLabels] = files as Uint8Array[];
  const name = "fashion_mnist";
  const classNames = FASHION_MNIST_CLASS_NAMES;
  const official = { name, classNames, samples: toSamples("train", trainImages, trainLabels) };
  return {
    ...split(official, { validation, seed }),
    test: { name: `${name}/test`, classNames, samples: toSamples("test", testImages, testLabels) },
  };
}

/** What is wrong with one file, until all four have been looked at. */
class FileProblem extends Error {
  constructor(readonly file: string, readonly reason: string) {
    super(`${file}: ${reason}`);
  }
}

function asProblem(error: unknown): DatasetProblem {
  if (error instanceof FileProblem) return { name: error.file, reason: error.reason };
  throw error;
}

/**
 * The data bytes of one IDX file of unsigned bytes, plain or gzipped, after its header was checked: magic number
 * `0x0000 08 <rank>`, then one big-endian 32-bit size per axis, then exactly that many bytes.
 */
async function readIDX(folder: string, name: string, shape: readonly number[]): Promise<Uint8Array> {
  const dataBytes = shape.reduce((product, size) => product * size, 1);
  const headerBytes = 4 + 4 * shape.length;
  const wanted = headerBytes + dataBytes;
  const found = await readFirst(folder, [name, `${name}.gz`], wanted);
  const bytes = found.name.endsWith(".gz") ? await unzip(found.bytes, found.name, wanted) : found.bytes;

  if (bytes.length < headerBytes) {
    throw new FileProblem(found.name, `file is cut off: ${bytes.length} bytes, wanted ${wanted}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const magic = view.getUint32(0);
  const wantedMagic = 0x0800 + shape.length;
  if (magic !== wantedMagic) {
    throw new FileProblem(
      found.name,
      `not an IDX file: magic number ${hex(magic)}, wanted ${hex(wantedMagic)}`,
    );
  }
  const sizes = shape.map((_, axis) => view.getUint32(4 + 4 * axis));
  if (sizes.some((size, axis) => size !== shape[axis])) {
    throw new FileProblem(
      found.name,
      `not Fashion-MNIST: sizes ${sizes.join(" x ")}, wanted ${shape.join(" x ")}`,
    );
  }
  if (bytes.length !== wanted) {
    throw new FileProblem(
      found.name,
      `file is ${bytes.length < wanted ? "cut off" : "too long"}: ${bytes.length} bytes, wanted ${wanted}`,
    );
  }
  const data = bytes.subarray(headerBytes);
  if (shape.length === 1) {
    const wrong = data.findIndex((label) => label >= FASHION_MNIST_CLASS_NAMES.length);
    if (wrong >= 0) {
      throw new FileProblem(found.name, `label ${wrong} is ${data[wrong]}, wanted 0 to 9`);
    }
  }
  return data;
}

/** The first of `names` that exists in `folder`. A file longer than `limit` bytes is refused before it is read. */
async function readFirst(
  folder: string,
  names: readonly string[],
  limit: number,
): Promise<{ name: string; bytes: Uint8Array }> {
  for (const name of names) {
    const path = `${folder}/${name}`;
    try {
      const { size } = await Deno.stat(path);
      if (size > limit) {
        throw new FileProblem(name, `file is too long: ${size} bytes, wanted ${limit} at most`);
      }
      return { name, bytes: await Deno.readFile(path) };
    } catch (error) {
      if (error instanceof FileProblem) throw error;
      if (error instanceof Deno.errors.NotFound) continue;
      throw new FileProblem(name, `not readable: ${(error as Error).message}`);
    }
  }
  throw new FileProblem(names[0], `not found, and no ${names.slice(1).join(", ")} either`);
}

async function unzip(bytes: Uint8Array, name: string, limit: number): Promise<Uint8Array> {
  try {
    // One byte more than wanted, so that a longer file is reported as such and never unpacked whole.
    const unpacked = await promisify<Uint8Array, ZlibOptions, Uint8Array>(gunzip)(bytes, {
      maxOutputLength: limit + 1,
    });
    return new Uint8Array(unpacked.buffer, unpacked.byteOffset, unpacked.length); // a plain view, not a Buffer
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    if (code === "ERR_BUFFER_TOO_LARGE") {
      throw new FileProblem(name, `file is too long: more than ${limit} bytes unpacked, wanted ${limit}`);
    }
    if (code === "Z_BUF_ERROR") {
      throw new FileProblem(name, `file is cut off: the gzip stream ends early`);
    }
    throw new FileProblem(name, `not a gzip file: ${message}`);
  }
}

/** Labelled pictures over the rows of `pixels`, `[count, 28, 28]`: each picture is a view, nothing is copied. */
function toSamples(part: string, pixels: Uint8Array, labels: Uint8Array): Sample[] {
  return Array.from(labels, (label, index) => {
    const image: RawImage = {
      width: SIDE,
      height: SIDE,
      channels: 1,
      data: pixels.subarray(index * PIXELS, (index + 1) * PIXELS),
    };
    return { image, label, name: `${part}/${String(index).padStart(5, "0")}` };
  });
}

const hex = (value: number) => `0x${value.toString(16).padStart(8, "0")}`;
