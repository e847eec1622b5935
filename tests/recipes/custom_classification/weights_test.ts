import assert from "node:assert/strict";
import { join } from "node:path";
import { findWeights, resumedRun, startFrom } from "../../../recipes/custom_classification/_weights.ts";
import { toCheckpointMetadata } from "../../../lib/models/checkpoint_metadata.ts";
import { modelRecord } from "../../../lib/models/registry.ts";
import { writeSafetensors } from "../../../lib/models/weights/safetensors.ts";
import { temporaryFolder } from "../_programs.ts";

const tensor = { dtype: "float32" as const, shape: [1], data: Float32Array.of(1) };

Deno.test("findWeights() takes a run's folder, and the reference's names of files in one", async () => {
  await using folder = await temporaryFolder();
  const outputs = join(folder.path, "outputs"), best = join(outputs, "best.safetensors");
  await Deno.mkdir(outputs);
  const warnings: string[] = [];
  const find = (path: string) => findWeights(path, (message) => warnings.push(message));
  assert.equal(await find(outputs), best);
  assert.equal(await find(join(outputs, "latest.pth")), join(outputs, "latest.pth")); // nothing to take instead
  await Deno.writeTextFile(best, "");
  assert.equal(await find(best), best);
  assert.equal(await find(join(folder.path, "other.pth")), join(folder.path, "other.pth"));
  assert.deepEqual(warnings, []);
  for (const name of ["latest.pth", "best.pth", "model/model.pth.tar-150", "main_model/main_model.pth.tar"]) {
    assert.equal(await find(join(outputs, name)), best);
    assert.equal(
      warnings.pop(),
      `there is no "${join(outputs, name)}"; taking "${best}", the run's best weights`,
    );
  }
  await Deno.writeTextFile(join(outputs, "latest.pth"), "");
  assert.equal(await find(join(outputs, "latest.pth")), join(outputs, "latest.pth"));
});

Deno.test("startFrom() lets names in a file choose the variant of the network, and a checkpoint its model", async () => {
  await using folder = await temporaryFolder();
  const write = async (name: string, key: string, metadata: Record<string, string> = {}) => {
    const path = join(folder.path, name);
    await writeSafetensors(path, { [key]: tensor }, metadata);
    return path;
  };
  const id = "tf_mobilenetv3_large_075.in1k";
  const timm = await write("timm.safetensors", "conv_stem.weight");
  assert.deepEqual(await startFrom(timm, id, "--load-weights"), { source: id, weights: timm });
  const ote = await write("ote.safetensors", "features.1.conv.0.weight");
  assert.deepEqual(await startFrom(ote, id, "--load-weights"), {
    source: "mobilenetv3_large_075",
    weights: ote,
  });
  const checkpoint = (model: string) =>
    write(
      `${model}.safetensors`,
      "conv_stem.weight",
      toCheckpointMetadata({
        format: 1,
        model,
        classNames: ["a", "b"],
        preprocessing: modelRecord(model).preprocessing,
      }),
    );
  const own = await checkpoint("mobilenetv3_large_075.ote");
  assert.deepEqual(await startFrom(own, id, "--load-weights"), { source: own });
  const other = await checkpoint("efficientnet_b0.ra_in1k");
  await assert.rejects(startFrom(other, id, "--load-weights"), {
    name: "UsageError",
    message: `Cannot use --load-weights "${other}": it is of efficientnet_b0, and the template's model is ` +
      `mobilenetv3_large_075\n  help: pass a file of mobilenetv3_large_075, or take that model's template`,
  });
});

Deno.test("resumedRun() tells a stopped search from a run, and refuses what is neither", async () => {
  await using folder = await temporaryFolder();
  await assert.rejects(resumedRun(folder.path, "efficientnet_b0"), {
    name: "CheckpointError",
    message: `Cannot resume from "${join(folder.path, "resume.safetensors")}": there is no such file\n` +
      `  help: pass the folder of a run, or its resume.safetensors`,
  });
  await Deno.writeTextFile(join(folder.path, "find_lr.json"), "{}");
  assert.equal(await resumedRun(folder.path, "efficientnet_b0"), undefined);
});
