import assert from "node:assert/strict";
import { join } from "node:path";
import { readTemplate } from "../../../recipes/custom_classification/_template.ts";
import { settleTraining, type TrainFlags } from "../../../recipes/custom_classification/_train_settings.ts";
import { edit, recipe, temporaryFolder } from "../_programs.ts";

const shelf = recipe("custom_classification");
const plain: TrainFlags = { trainDataRoots: "train", valDataRoots: "val", saveCheckpointsTo: "outputs" };

async function settle(template: string, flags: Partial<TrainFlags> = {}, gpus = 0) {
  const folder = template.includes("/") ? template : join(shelf, template);
  return await settleTraining(await readTemplate(folder), { ...plain, ...flags }, { gpus });
}

Deno.test("settleTraining() takes template.yaml's values, and searches the rate", async () => {
  const { start, recipe, search, options, warnings, weightsFrom } = await settle("mobilenet_v3_large_1");
  assert.deepEqual(start, { source: "mobilenetv3_large_100.ra_in1k" });
  assert.equal(weightsFrom, "published for mobilenetv3_large_100.ra_in1k, fetched once");
  assert.deepEqual([recipe.name, recipe.batchSize, recipe.epochs], ["mobilenet-v3-large-1", 128, 200]);
  assert.equal("learningRate" in recipe, false);
  assert.equal(search?.mode, "tpe");
  assert.deepEqual(recipe.auxiliaryModels, [
    { model: "mobilenetv3_large_100.ra_in1k", loss: "amSoftmax", scale: "auto", dropout: 0.2 },
  ]);
  assert.deepEqual(options, {
    imageSize: 224,
    seed: undefined,
    workers: undefined,
    device: "cpu",
    outputDir: "outputs",
  });
  assert.deepEqual(warnings, []);
});

Deno.test("settleTraining() lets flags count more, and a rate that is given ends the search", async () => {
  const { recipe, search, options } = await settle("efficientnet_b0", {
    batchSize: 8,
    epochs: 30,
    baseLearningRate: 0.02,
    seed: 7,
    saveCheckpointsTo: "there",
  });
  assert.deepEqual([recipe.batchSize, recipe.epochs, recipe.learningRate, recipe.warmUpEpochs], [
    8,
    30,
    0.02,
    5,
  ]);
  assert.equal(search, undefined);
  assert.equal(recipe.auxiliaryModels, undefined);
  assert.deepEqual([options.seed, options.outputDir], [7, "there"]);
});

Deno.test("settleTraining() takes template.yaml's rate where there is no search, and the auxiliary model its own", async () => {
  await using folder = await temporaryFolder();
  await copyTemplate("mobilenet_v3_small", folder.path);
  await edit(join(folder.path, "main_model.yaml"), { "enable: True": "enable: False" });
  await edit(join(folder.path, "aux_model.yaml"), { "lr: 0.013": "lr: 0.016" });
  const { recipe, search } = await settle(folder.path);
  assert.equal(search, undefined);
  assert.equal(recipe.learningRate, 0.013);
  assert.equal(recipe.auxiliaryModels?.[0]?.learningRate, 0.016);
  const given = await settle(folder.path, { baseLearningRate: 0.05 });
  assert.equal(given.recipe.learningRate, 0.05);
  assert.equal(given.recipe.auxiliaryModels?.[0]?.learningRate, undefined);
});

Deno.test("settleTraining() shortens the warm-up of a short run, and says so", async () => {
  const { recipe, warnings } = await settle("efficientnet_b0", { epochs: 3 });
  assert.equal(recipe.warmUpEpochs, 2);
  assert.deepEqual(warnings, ["the warm-up of 5 epochs is shortened to 2, for a run of 3"]);
});

Deno.test("settleTraining() uses GPUs where there are any, and warns where fewer are used than asked for", async () => {
  const device = async (gpuNum: number | undefined, gpus: number) => {
    const { options, warnings } = await settle("efficientnet_b0", { gpuNum }, gpus);
    return [options.device, ...warnings];
  };
  assert.deepEqual(await device(undefined, 0), ["cpu"]);
  assert.deepEqual(await device(undefined, 4), ["auto"]);
  assert.deepEqual(await device(0, 4), ["cpu"]);
  assert.deepEqual(await device(1, 4), ["auto"]);
  assert.deepEqual(await device(1, 0), ["cpu", "--gpu-num 1: there is no GPU here, so the CPU computes"]);
  assert.deepEqual(await device(2, 4), [
    "auto",
    "--gpu-num 2: a run computes on one GPU; several come later",
  ]);
  assert.deepEqual(await device(2, 1), ["auto", "--gpu-num 2: there is only 1 GPU here"]);
});

Deno.test("settleTraining() begins with the folder's snapshot if there is one, or with random weights", async () => {
  await using folder = await temporaryFolder();
  await copyTemplate("mobilenet_v3_small", folder.path);
  await Deno.writeTextFile(join(folder.path, "snapshot.safetensors"), "");
  assert.deepEqual((await settle(folder.path)).start, {
    source: "mobilenetv3_small_100.lamb_in1k",
    weights: `${folder.path}/snapshot.safetensors`,
  });
  const scratch = await settle(folder.path, { fromScratch: true });
  assert.deepEqual(scratch.start, { source: "mobilenetv3_small_100.lamb_in1k", weights: null });
  assert.equal(scratch.recipe.auxiliaryModels?.[0]?.weights, null);
});

Deno.test("settleTraining() refuses flags that contradict each other or the template", async () => {
  await assert.rejects(
    settle("efficientnet_b0", { loadWeights: "a.pth", fromScratch: true, loadAuxWeights: "b.pth" }),
    {
      name: "UsageError",
      message: `Cannot train: 2 problems
  --load-weights and --from-scratch: found both, wanted one: random weights come from no file
  --load-aux-weights: found "b.pth", wanted nothing: efficientnet-b0 has no auxiliary model`,
    },
  );
  await assert.rejects(settle("mobilenet_v3_small", { loadAuxWeights: "a.pth, b.pth" }), {
    message: `Cannot train: 1 problem\n  --load-aux-weights: found "a.pth, b.pth", wanted 1 file`,
  });
});

Deno.test("settleTraining() refuses an auxiliary model without weights beside a pretrained one", async () => {
  await using folder = await temporaryFolder();
  await copyTemplate("mobilenet_v3_small", folder.path);
  await edit(join(folder.path, "aux_model.yaml"), { "pretrained: True": "pretrained: False" });
  await assert.rejects(settle(folder.path), {
    message:
      `Cannot train: 1 problem\n  ${folder.path}/aux_model.yaml:4:15: model.pretrained: found false, wanted True, ` +
      `or --load-aux-weights: an auxiliary model of random weights teaches noise`,
  });
  assert.equal((await settle(folder.path, { fromScratch: true })).recipe.auxiliaryModels?.[0]?.weights, null);
  const given = await settle(folder.path, { loadAuxWeights: "b.pth" });
  assert.equal(given.recipe.auxiliaryModels?.[0]?.weights, "b.pth");
});

Deno.test("settleTraining() refuses bounds of the search that do not fit, with their place", async () => {
  await using folder = await temporaryFolder();
  await copyTemplate("mobilenet_v3_small", folder.path);
  const main = join(folder.path, "main_model.yaml");
  await edit(main, { "  max_lr: 0.029\n": "" });
  assert.equal((await settle(folder.path)).search?.minLearningRate, 0.005);
  await assert.rejects(settle(folder.path, { batchSize: 8 }), {
    name: "UsageError",
    message:
      `Cannot train: 1 problem\n  ${main}:10:11: lr_finder.min_lr: found 0.005, wanted less than max_lr, 0.001875`,
  });
  assert.equal((await settle(folder.path, { batchSize: 8, baseLearningRate: 0.01 })).search, undefined);
  await edit(main, { "step: 0.001": "max_lr: 0.029\n  step: 1e-7" });
  await assert.rejects(settle(folder.path), {
    message: `Cannot train: 1 problem\n  ${main}:8:9: lr_finder.step: found 1e-7, ` +
      "wanted from 0.0000024 to 0.024, for at least 2 and at most 10000 rates from 0.005 to 0.029",
  });
});

async function copyTemplate(name: string, folder: string): Promise<void> {
  for await (const { name: file } of Deno.readDir(join(shelf, name))) {
    await Deno.copyFile(join(shelf, name, file), join(folder, file));
  }
}
