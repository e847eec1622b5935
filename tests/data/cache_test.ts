import assert from "node:assert/strict";
import { join } from "node:path";
import { createPixelCache } from "../../lib/data/cache.ts";
import { decodeImage } from "../../lib/data/decode.ts";
import { encoded, failure, inFolder, preprocessing } from "./_pictures.ts";

const pictures = await Promise.all(Array.from({ length: 6 }, (_, seed) => encoded("png", 10, 8, seed)));
const pixelBytes = 8 * 10 * 3;
const statistics = (cache: ReturnType<typeof createPixelCache>) => {
  const { memoryHits, diskHits, decoded } = cache.statistics;
  return [memoryHits, diskHits, decoded];
};

/** Paths of all files below a folder. */
async function filesIn(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) files.push(...await filesIn(join(folder, name)));
    else files.push(join(folder, name));
  }
  return files;
}

Deno.test("createPixelCache() decodes once, then gives the pixels from memory", async () => {
  await inFolder({ "1.png": pictures[0], "copy.png": pictures[0] }, async (folder) => {
    const cache = createPixelCache({ diskBytes: 0 });
    const { key, pixels } = await cache.load(join(folder, "1.png"), preprocessing);
    assert.deepEqual(pixels, await decodeImage(pictures[0], preprocessing));
    assert.equal((await cache.load(join(folder, "1.png"), preprocessing)).pixels, pixels);
    assert.equal((await cache.load(join(folder, "copy.png"), preprocessing)).pixels, pixels); // the same content
    assert.equal((await cache.load(pictures[0], preprocessing)).pixels, pixels);
    assert.equal(cache.peek(key), pixels);
    assert.equal(cache.peek("nothing"), undefined);
    assert.deepEqual(statistics(cache), [4, 0, 1]);
    assert.equal(cache.statistics.memoryBytes, pixelBytes);
  });
});

Deno.test("createPixelCache() tells sizes and kernels apart", async () => {
  const cache = createPixelCache({ diskBytes: 0 });
  const large = { ...preprocessing, size: { height: 16, width: 16 } };
  assert.equal((await cache.load(pictures[0], preprocessing)).pixels.length, pixelBytes);
  assert.equal((await cache.load(pictures[0], large)).pixels.length, 16 * 16 * 3);
  const cubic = await cache.load(pictures[0], { ...large, interpolation: "bicubic" });
  assert.notDeepEqual(cubic.pixels, (await cache.load(pictures[0], large)).pixels);
  assert.deepEqual(statistics(cache), [1, 0, 3]);
});

Deno.test("createPixelCache() decodes a file anew when it has changed", async () => {
  await inFolder({ "1.png": pictures[0] }, async (folder) => {
    const path = join(folder, "1.png");
    const cache = createPixelCache({ diskBytes: 0 });
    await cache.load(path, preprocessing);
    await Deno.writeFile(path, pictures[1]);
    await Deno.utime(path, 1, 1);
    assert.deepEqual(
      (await cache.load(path, preprocessing)).pixels,
      await decodeImage(pictures[1], preprocessing),
    );
  });
});

Deno.test("createPixelCache() keeps pixels on disk for the next process", async () => {
  await inFolder({ "1.png": pictures[0] }, async (folder) => {
    const options = { folder: join(folder, "pixels"), memoryBytes: 0 };
    const first = await createPixelCache(options).load(join(folder, "1.png"), preprocessing);
    const cache = createPixelCache(options);
    assert.deepEqual(await cache.load(join(folder, "1.png"), preprocessing), first);
    assert.deepEqual(statistics(cache), [0, 1, 0]);
    const files = await filesIn(options.folder);
    assert.deepEqual(files, [join(options.folder, first.key)]);
  });
});

Deno.test("createPixelCache() does not trust a file that is cut off or changed", async () => {
  await inFolder({}, async (folder) => {
    const good = await createPixelCache({ folder }).load(pictures[0], preprocessing);
    const path = join(folder, good.key);
    const file = await Deno.readFile(path);
    const flipped = file.slice();
    flipped[17] ^= 1;
    for (const bad of [file.slice(0, -1), new Uint8Array(0), flipped]) {
      await Deno.writeFile(path, bad);
      const cache = createPixelCache({ folder });
      assert.deepEqual((await cache.load(pictures[0], preprocessing)).pixels, good.pixels);
      assert.deepEqual(statistics(cache), [0, 0, 1]);
      assert.deepEqual(await Deno.readFile(path), file); // and it was repaired
    }
  });
});

Deno.test("createPixelCache() stays within its bound on disk, and lets old files go first", async () => {
  await inFolder({}, async (folder) => {
    const diskBytes = 3 * (pixelBytes + 4);
    const run = async (wanted: number[]) => {
      const cache = createPixelCache({ folder, diskBytes, memoryBytes: 0 });
      for (const index of wanted) await cache.load(pictures[index], preprocessing);
      const files = await filesIn(folder);
      assert(files.length <= 3, `${files.length} files`);
      return statistics(cache);
    };
    assert.deepEqual(await run([0, 1, 2, 3, 4]), [0, 0, 5]); // 0, 1 and 2 are kept: they are in use
    assert.deepEqual(await run([0, 1, 2]), [0, 3, 0]);
    assert.deepEqual(await run([2, 3, 4, 5]), [0, 1, 3]); // 0 and 1 make room for 3 and 4
    assert.deepEqual(await run([2, 3, 4]), [0, 3, 0]);
  });
});

Deno.test("createPixelCache() never removes a file that is not its own", async () => {
  const own = { "photo.jpg": "x".repeat(9999), "224x224-bilinear/photo.jpg": "y".repeat(9999) };
  await inFolder(own, async (folder) => {
    const cache = createPixelCache({ folder, diskBytes: 2 * (pixelBytes + 4), memoryBytes: 0 });
    for (const picture of pictures) await cache.load(picture, preprocessing);
    assert.equal((await filesIn(folder)).length, 2 + 2);
    for (const [name, content] of Object.entries(own)) {
      assert.equal(await Deno.readTextFile(join(folder, name)), content);
    }
  });
});

Deno.test("createPixelCache() keeps what is in use within its bound in memory", async () => {
  const cache = createPixelCache({ memoryBytes: 3 * pixelBytes, diskBytes: 0 });
  const epoch = async (from: number, to: number) => {
    const before = cache.statistics.decoded;
    for (let i = from; i < to; i++) await cache.load(pictures[i], preprocessing);
    assert(cache.statistics.memoryBytes <= 3 * pixelBytes);
    return cache.statistics.decoded - before;
  };
  assert.equal(await epoch(0, 5), 5);
  assert.equal(await epoch(0, 5), 2); // an epoch larger than the memory still finds three
  for (let i = 0; i < 12; i++) await epoch(3, 6); // another data set: the old one leaves in time
  assert.equal(await epoch(3, 6), 0);
});

Deno.test("createPixelCache() goes on without a disk that cannot be written, and says why", async () => {
  await inFolder({ "file": "not a folder" }, async (folder) => {
    const cache = createPixelCache({ folder: join(folder, "file"), memoryBytes: 0 });
    for (const picture of pictures) await cache.load(picture, preprocessing);
    assert.deepEqual(statistics(cache), [0, 0, 6]);
    assert.match(cache.statistics.diskProblem!, /a file stands where its folder should be|not a directory/i);
    assert.equal(await Deno.readTextFile(join(folder, "file")), "not a folder");
  });
});

Deno.test("createPixelCache() goes on when the disk is full, and leaves no half file", async () => {
  await inFolder({ "pixels/.keep": "" }, async (folder) => {
    const script = `
      import { createPixelCache } from ${
      JSON.stringify(new URL("../../lib/data/cache.ts", import.meta.url).href)
    };
      const cache = createPixelCache({ folder: ${JSON.stringify(join(folder, "pixels"))}, memoryBytes: 0 });
      const image = Uint8Array.fromBase64("${pictures[0].toBase64()}");
      const preprocessing = { ...${JSON.stringify(preprocessing)}, size: { height: 200, width: 200 } };
      const { pixels } = await cache.load(image, preprocessing);
      console.log(pixels.length, cache.statistics.diskProblem);`;
    // A limit on file size (in blocks of 512 bytes) fails a write half way, as a full disk does.
    const { stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", `trap '' XFSZ; ulimit -f 20; exec "$0" eval --no-config "$1"`, Deno.execPath(), script],
    }).output();
    const [length, ...problem] = new TextDecoder().decode(stdout).trim().split(" ");
    assert.equal(length, "120000", new TextDecoder().decode(stderr));
    assert.match(problem.join(" "), /File too large/);
    assert.deepEqual(await filesIn(join(folder, "pixels")), [join(folder, "pixels/.keep")]);
  });
});

Deno.test("createPixelCache() calls an unreadable picture by its name", async () => {
  const cache = createPixelCache({ diskBytes: 0 });
  assert.equal(
    await failure(cache.load(pictures[0].slice(0, 60), preprocessing, "train/00042")),
    'Cannot read image "train/00042": file is cut off',
  );
  await inFolder({}, async (folder) => {
    const path = join(folder, "gone.png");
    assert.equal(
      await failure(cache.load(path, preprocessing, "gone")),
      `Cannot read image "${path}": no such file\n  help: check the path`,
    );
  });
});
