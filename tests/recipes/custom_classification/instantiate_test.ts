import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { startHub } from "../../models/weights/_hub_server.ts";
import { edit, type Outcome, recipe, temporaryFolder } from "../_programs.ts";

const weights = new TextEncoder().encode("weights");
const published = "timm/efficientnet_b0.ra_in1k/resolve/main/model.safetensors";

async function instantiate(args: string[], env: Record<string, string>): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", recipe("instantiate.ts"), ...args],
    env: { NO_COLOR: "1", ...env },
  }).output();
  return { code, output: new TextDecoder().decode(stdout), errors: new TextDecoder().decode(stderr) };
}

/** A template whose weights are the test hub's. */
async function template(folder: string, dependency: string): Promise<string> {
  const path = join(folder, "template");
  await Deno.mkdir(path);
  for (const file of ["template.yaml", "main_model.yaml"]) {
    await Deno.copyFile(recipe(`custom_classification/efficientnet_b0/${file}`), join(path, file));
  }
  await edit(join(path, "template.yaml"), { [`source: https://huggingface.co/${published}`]: dependency });
  return path;
}

Deno.test("instantiate fetches the first weights from the hub and puts them into the folder", async () => {
  await using folder = await temporaryFolder();
  await using hub = startHub({ files: { "model.safetensors": weights } });
  const env = { HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: join(folder.path, "cache") };
  const sha256 = createHash("sha256").update(weights).digest("hex");
  const source = await template(
    folder.path,
    `source: https://huggingface.co/timm/net/resolve/main/model.safetensors\n    size: 7\n    sha256: ${sha256}`,
  );
  const work = join(folder.path, "work");
  const { code, errors } = await instantiate([source, work], env);
  assert.equal(code, 0, errors);
  assert.deepEqual(await Deno.readFile(join(work, "snapshot.safetensors")), weights);
});

Deno.test("instantiate refuses weights that are not those the template names, and writes nothing", async () => {
  await using folder = await temporaryFolder();
  await using hub = startHub({ files: { "model.safetensors": weights } });
  const env = { HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: join(folder.path, "cache") };
  const source = await template(
    folder.path,
    `source: https://huggingface.co/timm/net/resolve/main/model.safetensors\n    size: 8\n    sha256: ${
      "f".repeat(64)
    }`,
  );
  const work = join(folder.path, "work");
  const { code, errors } = await instantiate([source, work], env);
  assert.equal(code, 1);
  const sha256 = createHash("sha256").update(weights).digest("hex");
  assert.equal(
    errors.slice(errors.indexOf("Cannot")), // after what was downloaded
    `Cannot use snapshot.safetensors: it is not the file that ${source}/template.yaml names\n` +
      `  found 7 bytes, wanted 8\n  found SHA-256 ${sha256}, wanted ${"f".repeat(64)}\n`,
  );
  await assert.rejects(Deno.stat(work), Deno.errors.NotFound);
});

Deno.test("instantiate tells that there is no network, and writes nothing", async () => {
  await using folder = await temporaryFolder();
  const env = { HF_HUB_OFFLINE: "1", HF_HUB_CACHE: join(folder.path, "cache") };
  const work = join(folder.path, "work");
  const { code, errors } = await instantiate(["efficientnet_b0", work], env);
  assert.equal(code, 1);
  assert.match(
    errors,
    /^Cannot download "model\.safetensors" of timm\/efficientnet_b0\.ra_in1k: HF_HUB_OFFLINE is set/,
  );
  assert.match(
    errors,
    /pass --do-not-load-snapshot here, and to train\.ts --load-weights "path\/to\/model\.safetensors"\n$/,
  );
  await assert.rejects(Deno.stat(work), Deno.errors.NotFound);
});

Deno.test("instantiate says why a folder cannot be made", async () => {
  await using folder = await temporaryFolder();
  const link = join(folder.path, "link"), work = join(link, "work");
  await Deno.symlink(join(folder.path, "nowhere"), link);
  const { code, errors } = await instantiate(["efficientnet_b0", work, "--do-not-load-snapshot"], {});
  assert.equal(code, 1);
  assert.match(errors, /^Cannot instantiate into ".*work": .*\n {2}help: name another folder\n$/);
});

Deno.test("instantiate refuses a source that is not on the hub, a file that leads out of the folder, an unknown template", async () => {
  await using folder = await temporaryFolder();
  const source = await template(folder.path, "source: https://example.org/snapshot.pth");
  const elsewhere = await instantiate([source, join(folder.path, "work")], {});
  assert.equal(elsewhere.code, 2);
  assert.match(
    elsewhere.errors,
    /^Cannot fetch snapshot\.safetensors: found "https:\/\/example\.org\/snapshot\.pth" for its source in .*template\.yaml/,
  );
  await edit(join(source, "template.yaml"), {
    "destination: snapshot.safetensors": "destination: ../snapshot.safetensors",
  });
  const outside = await instantiate([source, join(folder.path, "work")], {});
  assert.equal(outside.code, 2);
  assert.match(
    outside.errors,
    /template\.yaml:12:18: dependencies\[0\]\.destination: found "\.\.\/snapshot\.safetensors", wanted the name of a file in this folder/,
  );
  const unknown = await instantiate(["mobilenet_v3_smal", join(folder.path, "work")], {});
  assert.deepEqual([unknown.code, unknown.errors], [
    2,
    `Cannot instantiate "mobilenet_v3_smal": there is no such template\n` +
    `  "mobilenet_v3_smal": did you mean "mobilenet_v3_small"?\n` +
    `  help: the templates are efficientnet_b0, mobilenet_v3_large_075, mobilenet_v3_large_1, mobilenet_v3_small\n`,
  ]);
});
