/** A TensorFlow that is installed in a Python on PATH. */
export interface PythonTensorFlow {
  /** The Python, as its own `sys.executable` names it. */
  readonly python: string;
  /** E.g. `3.11.7`. */
  readonly pythonVersion: string;
  /** The distribution it came in, e.g. `tensorflow-cpu`. */
  readonly package: string;
  /** E.g. `2.21.0`. */
  readonly version: string;
  /** Folders where the shared library may be. */
  readonly folders: readonly string[];
}

/** A Python that answered; `tensorflow` is missing where it has none. */
export interface PythonAnswer {
  /** The Python, as its own `sys.executable` names it. */
  readonly python: string;
  /** E.g. `3.11.7`. */
  readonly pythonVersion: string;
  /** Its TensorFlow. */
  readonly tensorflow?: Pick<PythonTensorFlow, "package" | "version" | "folders">;
}

/**
 * Finds the package without importing it: that would take seconds, and start TensorFlow. Conda keeps the library in
 * the environment's `lib`, wheels in the package itself.
 */
const PROGRAM = `
import importlib.metadata, importlib.util, json, os, sys
answer = {"python": sys.executable, "pythonVersion": "%d.%d.%d" % sys.version_info[:3]}
spec = importlib.util.find_spec("tensorflow")
if spec is not None and spec.submodule_search_locations:
    for name in ("tensorflow", "tensorflow-cpu", "tensorflow-macos", "tf-nightly", "tf-nightly-cpu"):
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        folders = list(spec.submodule_search_locations) + [os.path.join(sys.prefix, "lib")]
        answer["tensorflow"] = {"package": name, "version": version, "folders": folders}
        break
print(json.dumps(answer))
`;

/**
 * Asks the Python on PATH whether it has TensorFlow.
 *
 * @param timeoutSeconds A Python that takes longer is passed over.
 * @returns The first Python that answers, or `undefined` where there is none.
 */
export async function askPython(timeoutSeconds: number = 20): Promise<PythonAnswer | undefined> {
  for (const program of ["python3", "python"]) {
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), timeoutSeconds * 1000);
    try {
      const { success, stdout } = await new Deno.Command(program, {
        args: ["-c", PROGRAM],
        stdin: "null",
        stderr: "null",
        signal: timeout.signal,
      }).output();
      // Start-up hooks may print before us; ours is the last line.
      const line = new TextDecoder().decode(stdout).trim().split("\n").at(-1)!;
      if (success && line.startsWith("{")) return JSON.parse(line) as PythonAnswer;
    } catch {
      // Not installed, or not a Python that can be used: the next one.
    } finally {
      clearTimeout(timer);
    }
  }
  return undefined;
}
