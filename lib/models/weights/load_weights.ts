import { join } from "node:path";
import { readFailure } from "../../files/read_failure.ts";
import type { HostTensor } from "../../graph/host_tensor.ts";
import type { ProvisionListener } from "../../provision/events.ts";
import { downloadFromHub } from "./hub.ts";
import { type Architecture, detectNaming, type Naming, toTimmNames } from "./key_maps.ts";
import { toTfjsLayout } from "./layouts.ts";
import { provideLite0Weights } from "./lite0.ts";
import { fromSafetensors } from "./safetensors.ts";
import { fromTorchBytes } from "./torch_pickle.ts";
import { unusableTensors } from "../unusable_tensors.ts";

/** Where weights are. A string is the path of a file. */
export type WeightsRef =
  | string
  | { readonly kind: "file"; readonly path: string }
  /** A repository of the Hugging Face hub, e.g. `timm/efficientnet_b0.ra_in1k`; the file is `model.safetensors` unless named. */
  | { readonly kind: "hub"; readonly repository: string; readonly file?: string; readonly revision?: string }
  /** The ImageNet weights of EfficientNet-Lite0 in its Python package. */
  | { readonly kind: "lite0-package" };

/** How weights are read and checked. */
export interface LoadWeightsOptions {
  /** Shapes the network wants, by timm's names, in tfjs's layouts. Without it nothing is compared. */
  readonly expectedShapes?: Readonly<Record<string, readonly number[]>>;
  /**
   * What to do with a classifier of another number of classes or another kind (with or without a bias): refuse it, or
   * leave it out for the caller to create.
   * @default {"refuse"}
   */
  readonly otherClassifier?: "refuse" | "drop";
  /**
   * Prefixes of names that need not be in the file; the caller creates what is missing.
   * @default {[]}
   */
  readonly mayBeMissing?: readonly string[];
  /** Told about downloads. */
  readonly onProgress?: ProvisionListener;
  /** Stops a download. */
  readonly signal?: AbortSignal;
}

/** Weights as the network takes them. */
export interface LoadedWeights {
  /** By timm's names, in tfjs's layouts. */
  tensors: Record<string, HostTensor>;
  /** The file they came from. */
  path: string;
  /** Whose names the file uses. */
  naming: Naming;
  /** What the file says about itself; `{}` for `.pth`. */
  metadata: Record<string, string>;
  /** The classifier that was left out because its number of classes or its kind differs. */
  droppedClassifier?: { foundClasses: number; wantedClasses: number };
  /** Expected names under {@linkcode LoadWeightsOptions.mayBeMissing} that the file does not have. */
  missing: string[];
}

/**
 * Loads the weights of a network from a `.safetensors` or `.pth` file under timm's, torchvision's, OTE's or Lite0's
 * names; the content decides which, not the extension.
 *
 * @param ref a file, a repository of the hub, or the Lite0 package
 * @param architecture whose weights they are
 * @param options the shapes wanted, what may differ, progress
 * @returns tensors under timm's names in tfjs's layouts (float32), with what was left out
 * @throws {SyntaxError} if the file is damaged or its names are of no known kind
 * @throws {TypeError} if tensors are missing, unexpected or of another shape; all of them are counted
 * @throws {RangeError} if tensors hold NaN, an infinity or a negative variance
 * @throws {Error} if there is no such file, or no network for a download; weights are never made up
 * @example
 * ```ts ignore
 * import { loadWeights } from "./load_weights.ts";
 *
 * const { tensors } = await loadWeights({ kind: "lite0-package" }, "efficientnet_lite0");
 * console.log(tensors["conv_stem.weight"].shape); // [3, 3, 3, 32]
 * ```
 */
export async function loadWeights(
  ref: WeightsRef,
  architecture: Architecture,
  options: LoadWeightsOptions = {},
): Promise<LoadedWeights> {
  const path = await findFile(ref, options);
  const { tensors: stored, metadata } = await readWeightsFile(path);
  const naming = detectNaming(Object.keys(stored), path);
  const { tensors: renamed, unmatched } = toTimmNames(stored, architecture, naming);
  const { kept, droppedClassifier } = dropOtherClassifier(renamed, options);
  const tensors: Record<string, HostTensor> = Object.fromEntries(
    Object.entries(kept).map(([name, tensor]) => [name, toTfjsLayout(name, tensor)]),
  );
  refuseUnusable(tensors, path);
  const missing = compare(tensors, { path, architecture, naming, unmatched, droppedClassifier }, options);
  return { tensors, path, naming, metadata, droppedClassifier, missing };
}

/**
 * Reads the weights of a quantised network, whose names are nobody else's: they stay as they are.
 *
 * @param path the file
 * @returns weights in tfjs' layouts
 * @throws {RangeError} if a weight is NaN or infinite
 * @throws {SyntaxError} if the file is damaged
 * @throws {Error} if it cannot be opened
 */
export async function loadQuantizedWeights(path: string): Promise<Record<string, HostTensor>> {
  const { tensors: stored } = await readWeightsFile(path);
  const tensors = Object.fromEntries(
    Object.entries(stored).map(([name, tensor]) => [name, toTfjsLayout(name, tensor)]),
  );
  refuseUnusable(tensors, path);
  return tensors;
}

/**
 * Reads a weight file, telling safetensors and PyTorch files apart by their first bytes.
 *
 * @param path the file
 * @returns tensors under the file's own names in PyTorch's layouts, and metadata (`{}` for PyTorch files)
 * @throws {SyntaxError} if it is neither, or damaged
 * @throws {Error} if it cannot be opened
 */
export async function readWeightsFile(
  path: string,
): Promise<{ tensors: Record<string, HostTensor>; metadata: Record<string, string> }> {
  const bytes = await Deno.readFile(path).catch((error) => {
    const cause = error instanceof Deno.errors.NotFound
      ? "there is no such file"
      : readFailure(error, "file");
    const help = error instanceof Deno.errors.IsADirectory
      ? `pass the file in it, for a run's folder "${join(path, "best.safetensors")}"`
      : "pass the path of a .safetensors or .pth file";
    throw new Error(`Cannot read weights "${path}": ${cause}\n  help: ${help}`, { cause: error });
  });
  const start = new TextDecoder().decode(bytes.subarray(0, 64));
  if (start.startsWith("PK") || (bytes[0] === 0x80 && bytes[1] === 2)) {
    return { tensors: fromTorchBytes(bytes, path), metadata: {} };
  }
  if (start[8] === "{") return fromSafetensors(bytes, path);
  const found = bytes.length === 0
    ? "an empty file"
    : start.startsWith("version https://git-lfs")
    ? "a Git LFS pointer, not the file it stands for"
    : /^\s*<(!doctype|html|\?xml)/i.test(start)
    ? "a web page"
    : `a file that starts with ${JSON.stringify(start.slice(0, 16))}`;
  throw new SyntaxError(
    `Cannot read weights "${path}": a .safetensors or .pth file was wanted, found ${found}\n  help: get the file again`,
  );
}

async function findFile(ref: WeightsRef, options: LoadWeightsOptions): Promise<string> {
  const { onProgress, signal } = options;
  if (typeof ref === "string") return ref;
  if (ref.kind === "file") return ref.path;
  if (ref.kind === "hub") {
    const { repository, file = "model.safetensors", revision } = ref;
    return await downloadFromHub(repository, file, { revision, onProgress, signal });
  }
  return await provideLite0Weights({ onProgress, signal });
}

/** Number of classes: rows of the weight in PyTorch's layout. */
function dropOtherClassifier(
  tensors: Record<string, HostTensor>,
  { expectedShapes, otherClassifier = "refuse" }: LoadWeightsOptions,
): { kept: Record<string, HostTensor>; droppedClassifier?: LoadedWeights["droppedClassifier"] } {
  const foundClasses = tensors["classifier.weight"]?.shape[0];
  const wantedClasses = expectedShapes?.["classifier.weight"]?.[1];
  if (otherClassifier === "refuse" || foundClasses === undefined || wantedClasses === undefined) {
    return { kept: tensors };
  }
  const hasBias = "classifier.bias" in tensors, wantsBias = "classifier.bias" in (expectedShapes ?? {});
  if (foundClasses === wantedClasses && hasBias === wantsBias) return { kept: tensors };
  const kept = Object.fromEntries(
    Object.entries(tensors).filter(([name]) => !name.startsWith("classifier.")),
  );
  return { kept, droppedClassifier: { foundClasses, wantedClasses } };
}

/** Throws one error with every disagreement; returns what may be missing and is. */
function compare(
  tensors: Record<string, HostTensor>,
  source: Pick<LoadedWeights, "path" | "naming" | "droppedClassifier"> & {
    architecture: Architecture;
    unmatched: readonly string[];
  },
  { expectedShapes, mayBeMissing = [], otherClassifier = "refuse" }: LoadWeightsOptions,
): string[] {
  if (expectedShapes === undefined) return [];
  const wanted = Object.entries(expectedShapes);
  const absent = wanted.map(([name]) => name).filter((name) => !Object.hasOwn(tensors, name))
    .filter((name) => source.droppedClassifier === undefined || !name.startsWith("classifier."));
  const allowed = absent.filter((name) => mayBeMissing.some((prefix) => name.startsWith(prefix)));
  const missing = absent.filter((name) => !allowed.includes(name));
  const unexpected = [
    ...source.unmatched,
    ...Object.keys(tensors).filter((name) => !Object.hasOwn(expectedShapes, name)),
  ];
  const misshapen = wanted.filter(([name, shape]) =>
    Object.hasOwn(tensors, name) && !isSameShape(tensors[name].shape, shape)
  );
  const notFloat = Object.keys(tensors).filter((name) => tensors[name].dtype !== "float32");
  const problems = missing.length + unexpected.length + misshapen.length + notFloat.length;
  if (problems === 0) return allowed;

  const lines = [
    ...firstFew("missing", missing, (name) => `"${name}" of shape ${show(expectedShapes[name])}`),
    ...firstFew("unexpected", unexpected, (name) => `"${name}"`),
    ...firstFew(
      "of another shape",
      misshapen,
      ([name, shape]) => `"${name}": ${show(shape)} was wanted, found ${show(tensors[name].shape)}`,
    ),
    ...firstFew("not float32", notFloat, (name) => `"${name}" of ${tensors[name].dtype}`),
  ];
  const onlyClassifier = otherClassifier === "refuse" && misshapen.length === problems &&
    misshapen.every(([name]) => name.startsWith("classifier."));
  const help = onlyClassifier
    ? "the weights are for another number of classes; pass that numClasses, or let the classifier be made anew"
    : "check that the weights belong to this network";
  throw new TypeError(
    `Cannot load weights "${source.path}" into ${source.architecture}: ` +
      `${problems} tensors disagree with the ${wanted.length} wanted (shapes in tfjs's layouts)\n` +
      `${lines.map((line) => `  ${line}\n`).join("")}  help: ${help}`,
  );
}

/**
 * Refuses weights of a training that had diverged.
 *
 * @param tensors Weights by name.
 * @param path The file, for the message.
 * @throws {RangeError} If tensors hold NaN, an infinity or a negative variance.
 */
function refuseUnusable(tensors: Readonly<Record<string, HostTensor>>, path: string): void {
  const names = unusableTensors(tensors);
  if (names.length === 0) return;
  throw new RangeError(
    `Cannot load weights "${path}": ${names.length} of ${Object.keys(tensors).length} tensors ("${
      names[0]
    }" first) ` +
      `hold NaN, an infinity or a negative variance\n` +
      `  help: the training that wrote them had diverged; take an earlier checkpoint of it`,
  );
}

function firstFew<T>(heading: string, items: readonly T[], describe: (item: T) => string): string[] {
  const shown = items.slice(0, 3).map((item) => `${heading}: ${describe(item)}`);
  return items.length > 3 ? [...shown, `(and ${items.length - 3} more ${heading})`] : shown;
}

function isSameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

function show(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}
