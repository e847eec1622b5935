const LIBC = {
  dlopen: { parameters: ["buffer", "i32"], result: "pointer" },
  dlerror: { parameters: [], result: "pointer" },
} as const;

const LAZY = 0x1;
const NODELETE = Deno.build.os === "darwin" ? 0x80 : 0x1000;

/**
 * Loads a shared library on Linux or macOS; it stays loaded, with the libraries it needs, until the process ends. Deno
 * would close it when a Worker or the process ends, while the library's own threads still wait in it.
 *
 * @param path Absolute path.
 * @throws {Error} With the loader's own words, if it cannot be loaded.
 */
export function loadForGood(path: string): void {
  const c = openLibC();
  if (c.dlopen(new TextEncoder().encode(`${path}\0`), LAZY | NODELETE) !== null) return;
  const reason = c.dlerror();
  throw new Error(reason === null ? "unknown reason" : Deno.UnsafePointerView.getCString(reason));
}

function openLibC(): Deno.DynamicLibrary<typeof LIBC>["symbols"] {
  if (Deno.build.os === "darwin") return Deno.dlopen("/usr/lib/libSystem.B.dylib", LIBC).symbols;
  // Since glibc 2.34 dlopen is part of libc; before, of libdl.
  try {
    return Deno.dlopen("libc.so.6", LIBC).symbols;
  } catch {
    return Deno.dlopen("libdl.so.2", LIBC).symbols;
  }
}
