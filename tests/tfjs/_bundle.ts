import { createRequire } from "node:module";
import "npm:@tensorflow/tfjs-core@4.22.0";
import * as esbuild from "npm:esbuild@0.25.12";

/** What the specs import from other packages, in the versions tfjs-core 4.22.0 was published with. */
const dependencies: Record<string, string> = {
  "long": `export { default } from "npm:long@4.0.0";`,
  "seedrandom": `import seedrandom from "npm:seedrandom@3.0.5"; export const { alea } = seedrandom;`,
  "node-fetch": "export default fetch;",
  "util": `export { TextDecoder, TextEncoder, types } from "node:util";`,
};

/**
 * Puts the spec files tfjs-core publishes into one module that Deno can import: they leave out file extensions, which
 * only bundlers resolve.
 *
 * @param file Where to write the module.
 */
export async function bundleSpecs(file: string): Promise<void> {
  const main = Object.keys(createRequire(import.meta.url).cache)
    .find((path) => path.endsWith("/tf-core.node.js"));
  if (main === undefined) throw new Error("Cannot find the files of @tensorflow/tfjs-core");
  const folder = main.slice(0, main.lastIndexOf("/"));
  try {
    await esbuild.build({
      stdin: { contents: entry, resolveDir: folder },
      bundle: true,
      format: "esm",
      platform: "node",
      outfile: file,
      // The package says that its spec files have no side effects. Registering specs is one.
      ignoreAnnotations: true,
      logLevel: "error",
      plugins: [{
        name: "dependencies",
        setup(build) {
          build.onResolve({ filter: /^(jasmine-core\/|environment$)/ }, ({ path }) => ({
            path: path === "environment" ? path : "jasmine",
            namespace: "here",
          }));
          build.onLoad({ filter: /./, namespace: "here" }, ({ path }) => ({
            contents: path === "environment" ? environment : jasmine,
            resolveDir: folder,
          }));
          // A module of the bundle stands between, because some are required, which an ES module cannot do.
          build.onResolve({ filter: /^(long|seedrandom|node-fetch|util)$/ }, ({ path }) => ({
            path,
            namespace: "dependency",
          }));
          build.onLoad({ filter: /./, namespace: "dependency" }, ({ path }) => ({
            contents: dependencies[path],
          }));
          build.onResolve({ filter: /^(npm|node):/ }, ({ path }) => ({ path, external: true }));
        },
      }],
    });
  } finally {
    await esbuild.stop();
  }
}

const entry = `
import "environment";
import "./public/chained_ops/register_all_chained_ops.js";
import "./register_all_gradients.js";
import "./tests.js";
`;

/** Set before the first spec file is loaded, because each asks for it while it loads. */
const environment = `
import { setTestEnvs } from "./jasmine_util.js";
setTestEnvs([{ name: "test-tensorflow", backendName: "tensorflow", flags: {}, isDataSync: true }]);
`;

/** Loaded by `jasmine_util.js` for one setting of a time limit; the specs use the Jasmine in `globalThis`. */
const jasmine = "exports.core = () => ({})";
