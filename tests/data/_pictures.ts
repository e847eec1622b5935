import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import sharp from "npm:sharp@0.35.5";
import { DatasetError } from "../../lib/data/dataset_error.ts";
import type { Preprocessing } from "../../lib/data/preprocessing.ts";

/** A whole PNG of 2 x 2 pixels. */
export const png: Uint8Array = await encoded("png", 2, 2, 0);

/** A picture of its own: noise from a seed. */
export async function encoded(
  format: "png" | "jpeg" | "webp",
  width: number,
  height: number,
  seed: number,
): Promise<Uint8Array> {
  let state = seed * 2654435761 + 1;
  const data = Uint8Array.from({ length: width * height * 3 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
  return new Uint8Array(
    await sharp(data, { raw: { width, height, channels: 3 } }).toFormat(format).toBuffer(),
  );
}

/** A small network input. */
export const preprocessing: Preprocessing = {
  size: { height: 8, width: 10 },
  interpolation: "bilinear",
  channelOrder: "rgb",
  mean: [0, 0, 0],
  std: [1, 1, 1],
};

/** Runs a test in a folder of its own with these files. */
export async function inFolder(
  files: Readonly<Record<string, Uint8Array | string>>,
  test: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    for (const [name, content] of Object.entries(files)) {
      const path = join(folder, name);
      await Deno.mkdir(dirname(path), { recursive: true });
      await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
    }
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The message of the DatasetError that a promise must fail with. */
export async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(() => assert.fail("did not fail"), (error) => error);
  assert(error instanceof DatasetError, error.stack);
  return error.message;
}
