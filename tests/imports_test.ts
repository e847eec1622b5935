/**
 * The shape of the house, checked: imports point one way, internals stay inside, packages are pinned.
 * docs/architecture.md draws the same picture.
 */
import assert from "node:assert/strict";
import { dirname, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/** What everybody may use. */
const GROUND = ["errors", "files", "graph"];
/** What describes and feeds a network. These may use each other. */
const PARTS = ["models", "data", "augment", "metrics"];
/** What does something with a network. These may use each other. */
const WORK = ["training", "lr_finder", "quantization", "export", "runtimes", "plots", "notebook"];

/** For each folder of lib/ the folders it may import from, itself aside. Nobody imports a verb (lib/*.ts). */
const MAY_IMPORT: Record<string, readonly string[]> = {
  errors: [],
  files: [],
  graph: [],
  provision: ["errors"],
  onednn: [...GROUND, "provision"],
  tensorflow: [...GROUND, "provision", "onednn"],
  operators: [...GROUND, "tensorflow"],
  ...fromAll(PARTS, [...GROUND, "provision", "tensorflow", "operators", ...PARTS]),
  ...fromAll(WORK, [...GROUND, "provision", "tensorflow", "operators", ...PARTS, ...WORK]),
  verb: [...GROUND, "provision", "tensorflow", "operators", ...PARTS, ...WORK],
};

/** Folders that may speak to native code: what computes, and what checks and loads a library before it is used. */
const NATIVE = ["tensorflow", "onednn", "runtimes", "provision"];

function fromAll(folders: string[], allowed: string[]): Record<string, string[]> {
  return Object.fromEntries(folders.map((folder) => [folder, allowed]));
}

interface Import {
  /** Importing file, relative to the root. */
  from: string;
  /** As written. */
  specifier: string;
  /** Imported file, relative to the root, where it is a file of the project. */
  to?: string;
  /** Whether the importing file needs it to run, not for its types only. */
  atRunTime: boolean;
}

function typescriptFiles(folder: string): string[] {
  try {
    return [...Deno.readDirSync(`${ROOT}/${folder}`)].flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory) return typescriptFiles(path);
      return entry.isFile && entry.name.endsWith(".ts") ? [path] : [];
    }).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

const LIBRARY = typescriptFiles("lib");
const OTHERS = [...["mod.ts"].filter(exists), ...["recipes", "tests", "bench"].flatMap(typescriptFiles)];

function exists(path: string): boolean {
  try {
    return Deno.statSync(`${ROOT}/${path}`).isFile;
  } catch {
    return false;
  }
}

/** All imports of these files as Deno itself sees them (types, re-exports and dynamic ones too), and their workers. */
async function readImports(files: string[]): Promise<Import[]> {
  const root = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      root,
      files.map((file) => `import "${pathToFileURL(`${ROOT}/${file}`)}";\n`).join(""),
    );
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--config", `${ROOT}/deno.json`, root],
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    const graph: {
      modules: {
        specifier: string;
        error?: string;
        dependencies?: { specifier: string; code?: { specifier?: string }; type?: { specifier?: string } }[];
      }[];
    } = JSON.parse(new TextDecoder().decode(stdout));

    const wanted = new Set(files);
    const imports: Import[] = [];
    for (const module of graph.modules) {
      const from = inProject(module.specifier);
      if (from === undefined || !wanted.has(from)) continue;
      assert.equal(module.error, undefined, `${from}: ${module.error}`);
      for (const { specifier, code, type } of module.dependencies ?? []) {
        const to = inProject(code?.specifier ?? type?.specifier);
        imports.push({ from, specifier, to, atRunTime: code !== undefined });
      }
      wanted.delete(from);
    }
    assert.deepEqual([...wanted], [], "files that Deno did not read");
    for (const from of files) {
      const worker = /new URL\(\s*"(\.[^"]+\.ts)",\s*import\.meta\.url/g;
      for (const [, specifier] of Deno.readTextFileSync(`${ROOT}/${from}`).matchAll(worker)) {
        const to = inProject(new URL(specifier, pathToFileURL(`${ROOT}/${from}`)).href);
        imports.push({ from, specifier, to, atRunTime: false });
      }
    }
    return imports;
  } finally {
    await Deno.remove(root);
  }
}

function inProject(specifier: string | undefined): string | undefined {
  if (!specifier?.startsWith("file:")) return undefined;
  const path = relative(ROOT, fileURLToPath(specifier));
  return path.startsWith("..") ? undefined : path;
}

/** `lib/models/weights/hub.ts` is of `models`, `lib/evaluate.ts` is a verb. */
function folderOf(file: string): string {
  const [, folder, ...rest] = file.split("/");
  return rest.length === 0 ? "verb" : folder;
}

let reading: Promise<Import[]> | undefined;
/** The imports of the whole project, read once. */
function allImports(): Promise<Import[]> {
  return reading ??= readImports([...LIBRARY, ...OTHERS]);
}

async function libraryImports(): Promise<Import[]> {
  return (await allImports()).filter((found) => found.from.startsWith("lib/"));
}

function show(imports: Import[]): string[] {
  return imports.map(({ from, specifier }) => `${from} imports ${specifier}`);
}

/** Lines of code that match, comments left out: `file:line`. */
function linesWith(pattern: RegExp, files: string[]): string[] {
  return files.flatMap((file) =>
    Deno.readTextFileSync(`${ROOT}/${file}`).split("\n").flatMap((line, index) =>
      pattern.test(line.replace(/^\s*(\*|\/\/|\/\*).*/, "")) ? [`${file}:${index + 1}`] : []
    )
  );
}

Deno.test("lib/ has only folders with a place in the order of imports", () => {
  const unplaced = LIBRARY.filter((file) => MAY_IMPORT[folderOf(file)] === undefined);
  assert.deepEqual(unplaced, []);
});

Deno.test("imports between the folders of lib/ point one way", async () => {
  const against = (await libraryImports()).filter(({ from, to }) => {
    if (to === undefined) return false;
    const [here, there] = [folderOf(from), folderOf(to)];
    return there === "verb" || (here !== there && !MAY_IMPORT[here]?.includes(there));
  });
  assert.deepEqual(show(against), []);
});

Deno.test("no file of lib/ needs itself to run, however far round", async () => {
  const targets = new Map<string, string[]>(LIBRARY.map((file) => [file, []]));
  for (const { from, to, atRunTime } of await libraryImports()) {
    if (to !== undefined && atRunTime) targets.get(from)!.push(to);
  }
  const finished = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, path: string[]) => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
    else if (!finished.has(file)) {
      for (const next of targets.get(file) ?? []) visit(next, [...path, file]);
      finished.add(file);
    }
  };
  for (const file of LIBRARY) visit(file, []);
  assert.deepEqual(cycles, []);
});

Deno.test("lib/ imports nothing of the project but lib/, and that by relative paths", async () => {
  const outside = (await libraryImports()).filter(({ specifier, to }) =>
    to !== undefined && (!to.startsWith("lib/") || !/^\.\.?\//.test(specifier))
  );
  assert.deepEqual(show(outside), []);
});

Deno.test("lib/ imports only relative files, node: modules and npm: packages", async () => {
  const foreign = (await libraryImports()).filter(({ specifier }) =>
    !/^(\.\.?\/|node:|npm:)/.test(specifier)
  );
  assert.deepEqual(show(foreign), []);
});

Deno.test("files named _name.ts are imported from their own folder only", async () => {
  const trespassing = (await allImports()).filter(({ from, to }) =>
    to?.startsWith("lib/") && to.split("/").at(-1)!.startsWith("_") &&
    // The tests mirror lib/ and may look inside.
    !from.startsWith("tests/") && !from.startsWith(`${dirname(to)}/`)
  );
  assert.deepEqual(show(trespassing), []);
});

Deno.test("npm: packages are pinned to one exact version each", async () => {
  const packages = (await allImports()).filter(({ specifier }) => specifier.startsWith("npm:"));
  const unpinned = packages.filter(({ specifier }) =>
    !/^npm:(@[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+(\/.*)?$/.test(specifier)
  );
  assert.deepEqual(show(unpinned), []);

  const versions = new Map<string, Set<string>>();
  for (const { specifier } of packages) {
    const [, name, version] = /^npm:((?:@[\w.-]+\/)?[\w.-]+)@([^/]+)/.exec(specifier)!;
    versions.set(name, (versions.get(name) ?? new Set()).add(version));
  }
  const several = [...versions].filter(([, found]) => found.size > 1).map(([name, found]) =>
    `${name}: ${[...found]}`
  );
  assert.deepEqual(several, []);
});

Deno.test("only lib/notebook knows Jupyter, but for the method by which a result shows itself", () => {
  const others = LIBRARY.filter((file) => folderOf(file) !== "notebook");
  assert.deepEqual(linesWith(/\bDeno\.jupyter\b/, others), []);
  const symbols = linesWith(/Symbol\.for\("Jupyter\.(?!display")/, others);
  assert.deepEqual(symbols, []);
});

Deno.test("only the executors and the library finder speak to native code", () => {
  const others = LIBRARY.filter((file) => !NATIVE.includes(folderOf(file)));
  assert.deepEqual(linesWith(/\bDeno\.(dlopen|Unsafe\w+)/, others), []);
});

Deno.test("lib/ does not print: recipes and views do", () => {
  assert.deepEqual(linesWith(/\bconsole\.\w+\(/, LIBRARY), []);
});
