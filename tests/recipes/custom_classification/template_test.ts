import assert from "node:assert/strict";
import { join } from "node:path";
import { readTemplate } from "../../../recipes/custom_classification/_template.ts";
import { edit, recipe, temporaryFolder } from "../_programs.ts";

const shelf = recipe("custom_classification");

/** Values of OpenVINO Training Extensions 2021 at the commit whose results the recipes have. */
const mobileNet = {
  batchSize: 128,
  learningRate: 0.013,
  search: {
    mode: "tpe",
    minLearningRate: 0.005,
    maxLearningRate: 0.029,
    step: 0.001,
    epochs: 6,
    trials: 15,
    warmUpEpochs: 1,
    savefig: "lr_finder.png",
  },
  loss: { loss: "softmax" },
  augMix: { kind: "augMix", magnitude: 4, width: 2 },
};
const cutout = [{ kind: "cutout", probability: 0.35, share: 0.3 }];
const expected = {
  efficientnet_b0: {
    name: "efficientnet-b0",
    id: "efficientnet_b0.ra_in1k",
    batchSize: 64,
    learningRate: 0.003,
    search: { ...mobileNet.search, minLearningRate: 0.001, maxLearningRate: 0.01, smoothing: 0.01 },
    loss: { loss: "amSoftmax", scale: "auto" },
    augMix: { kind: "augMix", magnitude: 5, width: 3 },
    cutout: [],
    auxiliary: 0,
    quantization: undefined,
  },
  mobilenet_v3_large_1: {
    ...mobileNet,
    name: "mobilenet-v3-large-1",
    id: "mobilenetv3_large_100.ra_in1k",
    cutout,
    auxiliary: 1,
    quantization: { default: false },
  },
  mobilenet_v3_large_075: {
    ...mobileNet,
    name: "mobilenet-v3-large-075",
    id: "tf_mobilenetv3_large_075.in1k",
    cutout,
    auxiliary: 1,
    quantization: undefined,
  },
  mobilenet_v3_small: {
    ...mobileNet,
    name: "mobilenet-v3-small",
    id: "mobilenetv3_small_100.lamb_in1k",
    cutout: [],
    auxiliary: 1,
    quantization: { default: false },
  },
};
const schedule = {
  schedule: "plateau",
  plateau: { patience: 5, factor: 0.1, floor: 1 / 200 },
  warmUpEpochs: 5,
  earlyStoppingPatience: 5,
  momentum: 0.9,
  weightDecay: 5e-4,
  noBiasDecay: true,
  sam: { rho: 0.05 },
};

for (const [folder, wanted] of Object.entries(expected)) {
  Deno.test(`readTemplate() reads the reference's values of ${folder}`, async () => {
    const template = await readTemplate(join(shelf, folder));
    const { main, auxiliary } = template;
    assert.deepEqual(
      { name: template.name, ...template.defaults, quantization: template.quantization },
      {
        name: wanted.name,
        batchSize: wanted.batchSize,
        learningRate: wanted.learningRate,
        epochs: 200,
        devices: 2,
        quantization: wanted.quantization,
      },
    );
    assert.deepEqual(template.output, { onnx: true, openvino: true, inputFormat: "BGR" });
    assert.equal(main.id, wanted.id);
    assert.equal(
      template.snapshot.source,
      `https://huggingface.co/timm/${wanted.id}/resolve/main/model.safetensors`,
    );
    assert.deepEqual(main.search, wanted.search);
    assert.equal(main.imageSize, 224);
    assert.deepEqual(main.recipe, {
      ...wanted.loss,
      ...schedule,
      epochs: 200,
      batchSize: 84,
      learningRate: wanted.learningRate,
      ema: { decay: 0.999 },
      augmentation: [
        wanted.augMix,
        ...wanted.cutout,
        { kind: "flip", probability: 0.5 },
        { kind: "rotate", probability: 0.35, degrees: 10 },
      ],
    });
    assert.deepEqual(
      auxiliary.map(({ id, recipe }) => ({ id, ...recipe })),
      Array(wanted.auxiliary).fill({
        id: "mobilenetv3_large_100.ra_in1k",
        ...schedule,
        loss: "amSoftmax",
        scale: "auto",
        dropout: 0.2,
        learningRate: 0.013,
        augmentation: "none",
      }),
    );
    assert.deepEqual(template.warnings, []);
  });
}

Deno.test("readTemplate() reads a random crop as the reference means it, and refuses a scale that is none", async () => {
  await using copy = await copyOf("mobilenet_v3_small");
  const path = join(copy.path, "main_model.yaml");
  const crop = "random_crop:\n      enable: True\n      p: 0.3\n      scale: 0.9\n    random_flip:";
  await edit(path, { "random_flip:": crop });
  const { main: { recipe: { augmentation } } } = await readTemplate(copy.path);
  assert.deepEqual((augmentation as readonly object[])[0], {
    kind: "randomResizedCrop",
    probability: 0.3,
    minArea: 0.9 ** 2,
    minAspect: 1,
  });
  await edit(path, { "scale: 0.9": "scale: 1.2" });
  assert.match(
    await problemsOf(copy.path),
    /data\.transforms\.random_crop\.scale: found 1\.2, wanted a number above 0, at most 1/,
  );
});

Deno.test("readTemplate() reads what else the reference's files hold, and tells what does not count", async () => {
  await using copy = await copyOf("mobilenet_v3_large_075");
  await edit(join(copy.path, "main_model.yaml"), {
    'path_to_savefig: "lr_finder.png"': "path_to_savefig: 'lr_finder.jpg'",
    "data:\n": `custom_datasets:
  roots: ['path/to/train_folder', 'path/to/val_folder']
  types: ['classification_image_folder', 'classification_image_folder']
  names: ['data_train', 'data_val']

data:
  root: './'
  sources: ['data_train']
  targets: ['data_val']
  norm_mean: [0.485, 0.456, 0.406]
  norm_std: [0.229, 0.224, 0.225]
  save_dir: 'path/to/output_dir'
  workers: 6
`,
    "angle: (-10, 10)": "angle: (-10,10)",
  });
  await edit(join(copy.path, "aux_model.yaml"), { "compute_s: True": "s: 1.0\n    compute_s: False" });
  const { main, auxiliary, warnings } = await readTemplate(copy.path);
  assert.equal(main.workers, 6);
  assert.equal(main.search?.savefig, "lr_finder.png");
  assert.equal(auxiliary[0]!.recipe.scale, 1);
  assert.deepEqual(warnings.map((text) => text.replaceAll(`${copy.path}/`, "")), [
    "main_model.yaml:33:14: data.norm_mean does not count: pictures are normalised as the weights want it",
    "main_model.yaml:34:13: data.norm_std does not count: pictures are normalised as the weights want it",
    "main_model.yaml:9:20: lr_finder.path_to_savefig: the plot is written as .png",
    "aux_model.yaml:14:8: loss.softmax.s: with the scale 1 AM-softmax is almost flat; write compute_s: True",
  ]);
});

Deno.test("readTemplate() writes a plot as .png where the path does not say what it is, and refuses other endings", async () => {
  await using copy = await copyOf("efficientnet_b0");
  const main = join(copy.path, "main_model.yaml");
  await edit(main, { 'path_to_savefig: "lr_finder.png"': "path_to_savefig: 'some/path/to/figure'" });
  const { main: { search }, warnings } = await readTemplate(copy.path);
  assert.equal(search?.savefig, "some/path/to/figure.png");
  assert.match(warnings.join(), /lr_finder\.path_to_savefig: the plot is written as \.png$/);
  await edit(main, { "to/figure": "to/figure.pdf" });
  assert.match(
    await problemsOf(copy.path),
    /lr_finder\.path_to_savefig: found "some\/path\/to\/figure\.pdf", wanted a path that ends in \.svg, \.png, /,
  );
});

Deno.test("readTemplate() tells all that is wrong in all files at once, with lines and columns", async () => {
  await using copy = await copyOf("mobilenet_v3_small");
  await edit(join(copy.path, "template.yaml"), {
    "batch_size: 128": "batch_size: big",
    "gpu_num: 2": "gpu_nums: 2",
    "config: main_model.yaml": "config: main_model.yaml\nname: twice",
  });
  await edit(join(copy.path, "main_model.yaml"), {
    "enable: True": "enable: yes",
    "n_trials: 15": "n_trials: 0",
    "min_lr: 0.005": "min_lr: 0.05",
    "feature_dim: 1024": "feature_dim: 1280",
    "angle: (-10, 10)": "angle: (10, -10)",
    '"augmix-m4-w2"': "augmix-m40",
    "lr: 0.013": "lr: fast",
    "nbd: True": "nbdd: True",
    "gamma: 0.1": "gamma:",
    "rho: 0.05": "rho: 0.05\n  rho: 0.1",
  });
  await edit(join(copy.path, "aux_model.yaml"), { "weight_decay: 5e-4": "weight_decay: little" });
  assert.equal(
    await problemsOf(copy.path),
    `14 problems
  template.yaml:22:17: hyper_parameters.basic.batch_size: found "big", wanted a whole number of at least 1
  template.yaml:59:1: gpu_nums: unknown key, did you mean "gpu_num"?
  template.yaml:62:1: "name": duplicate key, the first one is in line 1
  main_model.yaml:3:11: lr_finder.enable: found "yes", wanted True or False
  main_model.yaml:11:11: lr_finder.min_lr: found 0.05, wanted less than max_lr, which is 0.029
  main_model.yaml:12:13: lr_finder.n_trials: found 0, wanted a whole number of at least 1
  main_model.yaml:19:16: model.feature_dim: found 1280, wanted 1024, the width of mobilenetv3_small
  main_model.yaml:34:14: data.transforms.random_rotate.angle: found "(10, -10)", wanted whole degrees, as many to both sides, like (-10, 10)
  main_model.yaml:37:16: data.transforms.augmix.cfg_str: found "augmix-m40", wanted magnitude (at most 10) and width, like augmix-m4-w2
  main_model.yaml:53:7: train.lr: found "fast", wanted a number above 0
  main_model.yaml:54:3: train.nbdd: unknown key, did you mean "nbd"?
  main_model.yaml:66:3: train.gamma: found nothing, wanted a number from 0 up to, not including, 1
  main_model.yaml:74:3: "rho": duplicate key, the first one is in line 73
  aux_model.yaml:23:17: train.weight_decay: found "little", wanted a number of at least 0
`,
  );
});

Deno.test("readTemplate() refuses an auxiliary model that does not follow the main one", async () => {
  await using copy = await copyOf("mobilenet_v3_small");
  await edit(join(copy.path, "aux_model.yaml"), {
    "weight_decay: 5e-4": "weight_decay: 1e-4",
    "rho: 0.05": "rho: 0.1",
    "nbd: True": "nbd: False",
  });
  await Deno.writeTextFile(
    join(copy.path, "aux_model.yaml"),
    "lr_finder:\n  enable: True\nmutual_learning:\n  aux_configs: ['main_model.yaml']\n",
    { append: true },
  );
  const follows = "an auxiliary model follows the main one";
  assert.equal(
    await problemsOf(copy.path),
    `5 problems
  aux_model.yaml:22:8: train.nbd: makes noBiasDecay nothing, wanted true as in main_model.yaml:54:8: ${follows}
  aux_model.yaml:23:17: train.weight_decay: makes weightDecay 0.0001, wanted 0.0005 as in main_model.yaml:56:17: ${follows}
  aux_model.yaml:36:8: sam.rho: makes sam {"rho":0.1}, wanted {"rho":0.05} as in main_model.yaml:73:8: ${follows}
  aux_model.yaml:43:11: lr_finder.enable: the rate is found for the main model alone
  aux_model.yaml:45:16: mutual_learning: an auxiliary model has no auxiliary models
`,
  );
});

const contradictory: [string, Record<string, string>, string][] = [
  [
    "plateau with a fixed cosine",
    { 'base_scheduler: "reduce_on_plateau"': "base_scheduler: cosine" },
    `3 problems
  main_model.yaml:63:20: train.lr_decay_factor: found 200, wanted nothing with the scheduler cosine, which has no plateaus
  main_model.yaml:65:13: train.patience: found 5, wanted nothing with the scheduler cosine, which has no plateaus
  main_model.yaml:66:10: train.gamma: found 0.1, wanted nothing with the scheduler cosine, which has no plateaus
`,
  ],
  [
    "a warm-up without its scheduler",
    { 'lr_scheduler: "warmup"': "lr_scheduler: reduce_on_plateau" },
    `2 problems
  main_model.yaml:59:11: train.warmup: found 5, wanted nothing with lr_scheduler: 'reduce_on_plateau'
  main_model.yaml:60:19: train.base_scheduler: found "reduce_on_plateau", wanted nothing with lr_scheduler: 'reduce_on_plateau'
`,
  ],
  [
    "a warm-up longer than the run",
    { "max_epoch: 200": "max_epoch: 4" },
    `1 problem
  main_model.yaml:59:11: train.warmup: found 5, wanted fewer than the 4 epochs
`,
  ],
  [
    "sharpness-aware minimisation that is off",
    { "sam:\n  enable: True": "sam:\n  enable: False" },
    `1 problem
  main_model.yaml:72:11: sam.enable: found false, wanted True with the optimiser sam, or optim: 'sgd'
`,
  ],
  [
    "settings of AM-softmax with softmax",
    { "s: 1.0\n    compute_s: False": "s: 2.0\n    m: 0.3\n    compute_s: True" },
    `3 problems
  main_model.yaml:42:8: loss.softmax.s: found 2, wanted 1 with the loss softmax
  main_model.yaml:43:8: loss.softmax.m: found 0.3, wanted nothing with the loss softmax
  main_model.yaml:44:16: loss.softmax.compute_s: found true, wanted False with the loss softmax
`,
  ],
  [
    "pictures that are not square, a switch that is not set, an augmentation that is not there",
    {
      "width: 224": "width: 192",
      "random_flip:\n      enable: True": "color_jitter:\n      p: 1\n    random_flip:",
    },
    `3 problems
  main_model.yaml:26:10: data.width: found 192, wanted 224 as the height: pictures are square
  main_model.yaml:29:7: data.transforms.color_jitter: found an object, wanted nothing, or enable: False: there is no such augmentation
  main_model.yaml:30:5: data.transforms.random_flip.enable: found nothing, wanted True or False
`,
  ],
  [
    "auxiliary models that are not there",
    { '["aux_model.yaml"]': "['aux.yaml', '../../template.yaml']" },
    `2 problems
  main_model.yaml:22:17: mutual_learning.aux_configs: there is no file "aux.yaml" beside it
  main_model.yaml:22:29: mutual_learning.aux_configs: there is no file "../../template.yaml" beside it
`,
  ],
];

for (const [what, changes, message] of contradictory) {
  Deno.test(`readTemplate() refuses ${what}`, async () => {
    await using copy = await copyOf("mobilenet_v3_small");
    await edit(join(copy.path, "main_model.yaml"), changes);
    assert.equal(await problemsOf(copy.path), message);
  });
}

Deno.test("readTemplate() reads what export and compress do by themselves, and refuses an order of channels that is none", async () => {
  await using copy = await copyOf("mobilenet_v3_small");
  const path = join(copy.path, "template.yaml");
  await edit(path, {
    "onnx:\n    default: true": "onnx:\n    default: false",
    "input_format: BGR": "input_format: RGB",
    "nncf_quantization:\n    default: false": "nncf_quantization:\n    default: true",
  });
  const { output, quantization } = await readTemplate(copy.path);
  assert.deepEqual(output, { onnx: false, openvino: true, inputFormat: "RGB" });
  assert.deepEqual(quantization, { default: true });
  await edit(path, { "input_format: RGB": 'input_format: "grb"' });
  assert.match(
    await problemsOf(copy.path),
    /output_format\.openvino\.input_format: found "grb", wanted "BGR" or "RGB"/,
  );
});

Deno.test("readTemplate() names a file that is missing, and keys that are", async () => {
  await using copy = await copyOf("efficientnet_b0");
  await Deno.writeTextFile(join(copy.path, "template.yaml"), "");
  await edit(join(copy.path, "main_model.yaml"), { 'name: "efficientnet_b0"\n': "\n" });
  assert.equal(
    await problemsOf(copy.path),
    `7 problems
  template.yaml:1:1: found nothing, wanted keys like "name: ..."
  template.yaml:1:1: name: found nothing, wanted the model's name
  template.yaml:1:1: config: found nothing, wanted the name of the model's file, main_model.yaml
  template.yaml:1:1: hyper_parameters.basic.batch_size: found nothing, wanted a whole number of at least 1
  template.yaml:1:1: hyper_parameters.basic.base_learning_rate: found nothing, wanted a number above 0
  template.yaml:1:1: hyper_parameters.basic.epochs: found nothing, wanted a whole number of at least 1
  main_model.yaml:17:3: model.name: found nothing, wanted a network like "mobilenetv3_large"
`,
  );
  await Deno.remove(join(copy.path, "template.yaml"));
  await assert.rejects(readTemplate(copy.path), {
    name: "UsageError",
    message: `Cannot read "${join(copy.path, "template.yaml")}": no such file`,
  });
});

async function copyOf(name: string): Promise<{ path: string } & AsyncDisposable> {
  const folder = await temporaryFolder();
  for await (const { name: file } of Deno.readDir(join(shelf, name))) {
    await Deno.copyFile(join(shelf, name, file), join(folder.path, file));
  }
  return folder;
}

/** The message of the error, without the folder; what it says was found must stand where it says. */
async function problemsOf(folder: string): Promise<string> {
  const error = await readTemplate(folder).then(() => undefined, (error: Error) => error);
  assert.equal(error?.name, "UsageError");
  const start = `Cannot use the template in "${folder}": `;
  assert.ok(error.message.startsWith(start), error.message);
  for (
    const [, file, line, column, found] of error.message.matchAll(/(\S+\.yaml):(\d+):(\d+): .*found (\S+),/g)
  ) {
    if (found === "nothing") continue;
    const lines = (await Deno.readTextFile(file!)).split("\n");
    const there = lines[Number(line) - 1]!.slice(Number(column) - 1).replaceAll(/["']/g, "");
    assert.ok(
      there.toLowerCase().startsWith(found!.replaceAll('"', "")) || Number(there) === Number(found),
      `${line}:${column}: ${there} is not ${found}`,
    );
  }
  return error.message.slice(start.length).replaceAll(`${folder}/`, "") + "\n";
}
