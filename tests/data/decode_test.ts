import assert from "node:assert/strict";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { decodeImage, decodePixels, maxPixels } from "../../lib/data/decode.ts";
import { DatasetError } from "../../lib/data/dataset_error.ts";
import type { Preprocessing } from "../../lib/data/preprocessing.ts";

const oracles = new URL("../oracles/data/", import.meta.url);
const picture = (name: string) => new URL(`pictures/${name}`, oracles);

const preprocessing: Preprocessing = {
  size: { height: 23, width: 29 },
  interpolation: "bilinear",
  channelOrder: "rgb",
  mean: [0, 0, 0],
  std: [1, 1, 1],
};

Deno.test("decodePixels() equals Pillow for every format, colour mode and orientation", async () => {
  const expected: Record<string, { width: number; height: number; pixels: string }> = JSON.parse(
    await Deno.readTextFile(new URL("pillow_decoded.json", oracles)),
  );
  const wrong: string[] = [];
  for (const [name, { width, height, pixels }] of Object.entries(expected)) {
    const wanted = Uint8Array.fromBase64(pixels);
    const found = await decodePixels(picture(name));
    const difference = found.data.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i])), 0);
    const size = `${found.width} x ${found.height}`;
    if (size !== `${width} x ${height}` || found.data.length !== wanted.length || difference !== 0) {
      wrong.push(`${name}: ${size}, off by up to ${difference}`);
    }
  }
  assert.equal(Object.keys(expected).length, 50);
  assert.deepEqual(wrong, []);
});

Deno.test("decodePixels() takes paths, URLs and bytes", async () => {
  const url = picture("rgb.png");
  const path = decodeURIComponent(url.pathname);
  const fromUrl = await decodePixels(url);
  assert.deepEqual(await decodePixels(path), fromUrl);
  assert.deepEqual(await decodePixels(await Deno.readFile(path)), fromUrl);
});

Deno.test("decodePixels() repeats grey and drops alpha of pixels in memory", async () => {
  const grey = await decodePixels({ width: 2, height: 1, channels: 1, data: new Uint8Array([7, 9]) });
  assert.deepEqual([...grey.data], [7, 7, 7, 9, 9, 9]);
  const rgba = await decodePixels({
    width: 1,
    height: 2,
    channels: 4,
    data: new Uint8Array([1, 2, 3, 0, 4, 5, 6, 255]),
  });
  assert.deepEqual([...rgba.data], [1, 2, 3, 4, 5, 6]);
});

Deno.test("decodeImage() does not resample a picture of the right size", async () => {
  const { data } = await decodePixels(picture("rgb.png"));
  assert.deepEqual(await decodeImage(picture("rgb.png"), preprocessing), data);
});

Deno.test("decodeImage() swaps the sides of a rotated picture before it resizes", async () => {
  const upright = await decodePixels(picture("exif_6.jpg"));
  assert.deepEqual([upright.width, upright.height], [23, 29]);
  const size = { height: 29, width: 23 };
  assert.deepEqual(await decodeImage(picture("exif_6.jpg"), { ...preprocessing, size }), upright.data);
});

Deno.test("decodeImage() decodes side by side", async () => {
  const all = await Promise.all(
    Array.from({ length: 32 }, () => decodeImage(picture("rgb.jpg"), preprocessing)),
  );
  all.forEach((pixels) => assert.deepEqual(pixels, all[0]));
});

async function message(source: Parameters<typeof decodePixels>[0], name?: string): Promise<string> {
  const error = await decodePixels(source, name).then(() => assert.fail("was decoded"), (error) => error);
  assert(error instanceof DatasetError, `${error}`);
  return error.message;
}

Deno.test("decodePixels() says what is wrong with a file", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const write = async (name: string, content: Uint8Array | string) => {
      const path = join(folder, name);
      await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
      return path;
    };
    const help = "\n  help: use .jpg, .png, .webp, .gif, .bmp or .tif files";
    const missing = join(folder, "missing.png");
    assert.equal(
      await message(missing),
      `Cannot read image "${missing}": no such file\n  help: check the path`,
    );
    assert.equal(await message(folder), `Cannot read image "${folder}": it is a folder`);
    await Deno.symlink("ouroboros.png", join(folder, "ouroboros.png"));
    const circle = join(folder, "ouroboros.png");
    assert.equal(await message(circle), `Cannot read image "${circle}": its symbolic links lead in a circle`);
    const empty = await write("empty.jpg", "");
    assert.equal(await message(empty), `Cannot read image "${empty}": file is empty${help}`);
    const text = await write("text.png", "This was a picture once, häßlich aber wahr.\n");
    assert.equal(
      await message(text),
      `Cannot read image "${text}": file is not an image (it is text)${help}`,
    );
    const zeros = await write("zeros.png", new Uint8Array(4096));
    assert.equal(
      await message(zeros),
      `Cannot read image "${zeros}": file is not an image (it holds only zeros)${help}`,
    );
    const pdf = await write("pdf.jpg", "%PDF-1.7 ...");
    assert.equal(
      await message(pdf),
      `Cannot read image "${pdf}": unsupported image format (it is a PDF document)${help}`,
    );
    const noise = await write("noise.jpg", new Uint8Array(999).map((_, i) => (i * 7919 + 200) % 256));
    assert.equal(await message(noise), `Cannot read image "${noise}": unsupported image format${help}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("decodePixels() says that a file of any format is cut off", async () => {
  for await (const { name } of Deno.readDir(new URL("pictures/", oracles))) {
    const bytes = await Deno.readFile(picture(name));
    for (const share of [0.3, 0.8]) {
      if (name === "animated.gif" && share > 0.5) continue; // its first frame is whole
      assert.equal(
        await message(bytes.slice(0, bytes.length * share), "x"),
        `Cannot read image "x": file is cut off`,
        `${name} at ${share}`,
      );
    }
  }
});

Deno.test("decodePixels() says that a file is damaged", async () => {
  const bytes = await Deno.readFile(picture("rgb.png"));
  bytes.subarray(bytes.length / 2, bytes.length / 2 + 40).fill(0x5a);
  assert.equal(
    await message(bytes, "x"),
    `Cannot read image "x": file is damaged (vipspng: libpng read error)`,
  );
});

Deno.test("decodePixels() forgives bytes after the end of a file", async () => {
  for (const name of ["rgb.jpg", "rgb.png", "lossy.webp", "still.gif", "rgb.bmp", "rgb.tif"]) {
    const bytes = await Deno.readFile(picture(name));
    const longer = new Uint8Array(bytes.length + 5);
    longer.set(bytes);
    assert.deepEqual((await decodePixels(longer)).data, (await decodePixels(bytes)).data, name);
  }
});

Deno.test("decodePixels() refuses a picture that would take gigabytes, unread", async () => {
  // A whole small PNG whose header claims more.
  const bomb = await Deno.readFile(picture("rgb.png"));
  const header = new DataView(bomb.buffer, 12); // "IHDR", width, height, ..., CRC
  header.setUint32(4, 16384);
  header.setUint32(8, 16000);
  header.setUint32(17, crc32(bomb.subarray(12, 29)));
  const before = Deno.memoryUsage().rss;
  assert.equal(
    await message(bomb, "bomb.png"),
    `Cannot read image "bomb.png": image is too large: 16384 x 16000 pixels, and at most ${maxPixels} are read`,
  );
  const bmp = await Deno.readFile(picture("rgb.bmp"));
  new DataView(bmp.buffer).setInt32(18, 100_000, true);
  new DataView(bmp.buffer).setInt32(22, 100_000, true);
  assert.equal(
    await message(bmp, "bomb.bmp"),
    `Cannot read image "bomb.bmp": image is too large: 100000 x 100000 pixels, and at most ${maxPixels} are read`,
  );
  assert(Deno.memoryUsage().rss - before < 300e6);
});

Deno.test("decodePixels() refuses bitmaps of unknown kinds", async () => {
  const bmp = await Deno.readFile(picture("rgb.bmp"));
  new DataView(bmp.buffer).setUint32(30, 4, true); // JPEG inside
  assert.equal(await message(bmp, "x"), `Cannot read image "x": unsupported BMP (compression 4, 24 bits)`);
});

Deno.test("decodePixels() never reads outside a bitmap, whatever its header says", async () => {
  for (const name of ["rgb.bmp", "palette_16.bmp", "rle8.bmp", "rle4.bmp", "rgb_565.bmp", "os2.bmp"]) {
    const bytes = await Deno.readFile(picture(name));
    for (let at = 0; at < 60; at++) {
      for (const value of [0, 1, 0x7f, 0xff]) {
        const changed = bytes.slice();
        changed[at] = value;
        await decodePixels(changed, "x").then(
          ({ width, height, data }) => assert.equal(data.length, width * height * 3),
          (error) => assert(error instanceof DatasetError, `${name} at ${at}: ${error.stack}`),
        );
      }
    }
  }
});

Deno.test("decodePixels() refuses pixels in memory of the wrong length", async () => {
  assert.equal(
    await message({ width: 2, height: 2, channels: 3, data: new Uint8Array(4) }, "x"),
    'Cannot read image "x": wanted 1, 3 or 4 channels and height * width * channels bytes: got 3 channels and 4 bytes',
  );
  assert.equal(
    await message({ width: 0, height: 2, channels: 3, data: new Uint8Array(0) }, "x"),
    'Cannot read image "x": width and height must be positive integers: 0 x 2',
  );
});

Deno.test("decodePixels() refuses TIFF colours that would come out wrong", async () => {
  const tiff = await Deno.readFile(picture("rgb.tif"));
  const view = new DataView(tiff.buffer);
  const directory = view.getUint32(4, true), entries = view.getUint16(directory, true);
  for (
    const [photometric, colours] of [[6, "YCbCr colours without JPEG compression"], [
      8,
      "CIELab colours",
    ]] as const
  ) {
    for (let at = directory + 2; at < directory + 2 + entries * 12; at += 12) {
      if (view.getUint16(at, true) === 262) view.setUint16(at + 8, photometric, true);
    }
    assert.equal(
      await message(tiff, "x"),
      `Cannot read image "x": unsupported TIFF (${colours})\n  help: use .jpg, .png, .webp, .gif, .bmp or .tif files`,
    );
  }
});

Deno.test("decodePixels() survives any byte of a TIFF directory", async () => {
  const tiff = await Deno.readFile(picture("lzw.tiff"));
  const directory = new DataView(tiff.buffer).getUint32(4, true);
  for (let at = directory; at < Math.min(tiff.length, directory + 150); at++) {
    const changed = tiff.slice();
    changed[at] ^= 0xff;
    await decodePixels(changed, "x").then(
      ({ width, height, data }) => assert.equal(data.length, width * height * 3),
      (error) => assert(error instanceof DatasetError, `at ${at}: ${error.stack}`),
    );
  }
});
