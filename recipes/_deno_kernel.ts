import { join } from "node:path";
import { writeFile } from "../lib/files/write_file.ts";

/**
 * Writes the kernel that runs TypeScript in notebooks: the Deno that runs this program. It goes into a folder of
 * Whittle's, which Jupyter finds through `JUPYTER_PATH`; kernels the user has installed stay as they are. It is written
 * again on every start, so that it never points to a Deno that is gone (npx keeps Deno in a cache of its own).
 *
 * The kernel has no `interrupt_mode`, so that Stop means SIGINT, which Whittle's runs listen to; with the mode `message`
 * a kernel that is stopped while it waits would never answer again.
 *
 * @param cache Whittle's cache.
 * @returns The folder to put into `JUPYTER_PATH`.
 */
export async function writeDenoKernel(cache: string): Promise<string> {
  const folder = join(cache, "jupyter");
  const kernel = join(folder, "kernels", "deno");
  const spec = {
    argv: [Deno.execPath(), "jupyter", "--kernel", "--conn", "{connection_file}"],
    display_name: "Deno",
    language: "typescript",
  };
  await writeFile(join(kernel, "kernel.json"), JSON.stringify(spec, null, 2) + "\n");
  return folder;
}
