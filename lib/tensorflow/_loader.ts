/**
 * The C library's own dlopen, for two things Deno's cannot do: keep a library for good, and keep it quiet.
 *
 * Deno closes every library when the process ends, while TensorFlow's threads still run in it: a segmentation fault
 * after all the work is done. RTLD_NODELETE leaves it where it is.
 */
const LIBC = {
  dlopen: { parameters: ["buffer", "i32"], result: "pointer" },
  dlerror: { parameters: [], result: "pointer" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  dup: { parameters: ["i32"], result: "i32" },
  dup2: { parameters: ["i32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
} as const;

type LibC = Deno.DynamicLibrary<typeof LIBC>["symbols"];

const LAZY = 0x1;
const NODELETE = Deno.build.os === "darwin" ? 0x80 : 0x1000;
const WRITE_ONLY = 0x1;
const STDERR = 2;

/** What libtensorflow says while it is loaded, before it looks at TF_CPP_MIN_LOG_LEVEL, and what means nothing. */
const NOISE = /^WARNING: All log messages before absl::InitializeLog|oneDNN custom operations are on/;

let libC: LibC | undefined;

/**
 * Loads a shared library; it stays loaded until the process ends.
 *
 * @param path Absolute path.
 * @param quiet Whether lines that mean nothing are kept from the terminal.
 * @throws {Error} With the loader's own words, if it cannot be loaded.
 */
export function loadForGood(path: string, quiet: boolean): void {
  const c = libC ??= openLibC();
  const load = () => {
    if (c.dlopen(cString(path), LAZY | NODELETE) !== null) return;
    const reason = c.dlerror();
    throw new Error(reason === null ? "unknown reason" : Deno.UnsafePointerView.getCString(reason));
  };
  if (quiet) withoutNoise(c, load);
  else load();
}

function openLibC(): LibC {
  // Since glibc 2.34 dlopen is part of libc; before, of libdl, which brings libc along.
  const names = Deno.build.os === "darwin" ? ["/usr/lib/libSystem.B.dylib"] : ["libc.so.6", "libdl.so.2"];
  let reason: unknown;
  for (const name of names) {
    try {
      return Deno.dlopen(name, LIBC).symbols;
    } catch (thrown) {
      reason = thrown;
    }
  }
  throw reason;
}

/** Runs `work` with standard error in a file, and afterwards writes what is worth reading to standard error. */
function withoutNoise(c: LibC, work: () => void): void {
  const path = Deno.makeTempFileSync({ prefix: "whittle-stderr-" });
  const file = c.open(cString(path), WRITE_ONLY);
  const stderr = c.dup(STDERR);
  c.dup2(file, STDERR);
  try {
    work();
  } finally {
    c.dup2(stderr, STDERR);
    c.close(stderr);
    c.close(file);
    const lines = Deno.readTextFileSync(path).split(/(?<=\n)/).filter((line) => !NOISE.test(line));
    Deno.removeSync(path);
    if (lines.length > 0) Deno.stderr.writeSync(new TextEncoder().encode(lines.join("")));
  }
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text + "\0");
}
