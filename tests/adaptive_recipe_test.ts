/** Recipes as plain data, the adaptive recipe, and its parts in whole runs. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { evaluate, fineTune, type FineTuneOptions, type FineTuneResult, loadModel, predict } from "../mod.ts";
import { softmax } from "../lib/metrics/softmax.ts";
import { modelIds, modelRecord } from "../lib/models/registry.ts";
import { readSafetensors } from "../lib/models/weights/safetensors.ts";
import { adaptiveRecipe, baselineRecipe } from "../lib/training/recipe.ts";
import { failure, freshFolder } from "./training/_runs.ts";
import { shapeSplits } from "./training/_shapes.ts";

const small = "mobilenetv3_small_100";
const data = shapeSplits({ train: 16, validation: 8 });
const quick = {
  weights: null,
  imageSize: 32,
  batchSize: 8,
  epochs: 4,
  learningRate: 0.02,
  warmUpEpochs: 1,
  seed: 3,
  logs: [],
  view: false,
} as const satisfies FineTuneOptions;
const run = (options: FineTuneOptions, model = small): Promise<FineTuneResult> =>
  fineTune(model, data, { outputDir: freshFolder(), ...quick, ...options });
const smallAuxiliary = [{ model: small, weights: null, dropout: 0.2 }];

Deno.test("adaptiveRecipe() is the reference's, for each model, and JSON keeps it", () => {
  const turned = [{ kind: "flip" }, { kind: "rotate", probability: 0.35, degrees: 10 }];
  const cutout = { kind: "cutout", probability: 0.35, share: 0.3 };
  for (const id of modelIds) {
    const record = modelRecord(id), { architecture } = record;
    const recipe = adaptiveRecipe(record);
    const common = {
      name: "adaptive",
      epochs: 200,
      schedule: "plateau",
      warmUpEpochs: 5,
      earlyStoppingPatience: 5,
      sam: { rho: 0.05 },
      noBiasDecay: true,
      ema: { decay: 0.999 },
    };
    const own = architecture.startsWith("efficientnet")
      ? { loss: "amSoftmax", augmentation: [{ kind: "augMix", magnitude: 5, width: 3 }, ...turned] }
      : {
        augmentation: [
          { kind: "augMix", magnitude: 4, width: 2 },
          ...(architecture.includes("large") ? [cutout] : []),
          ...turned,
        ],
        auxiliaryModels: [{ model: "mobilenetv3_large_100", dropout: 0.2 }],
      };
    assert.deepEqual(recipe, { ...baselineRecipe(record), ...common, ...own });
    assert.deepEqual(JSON.parse(JSON.stringify(recipe)), recipe);
  }
});

Deno.test("fineTune() with every technique of the adaptive recipe resumes exactly", async () => {
  const options: FineTuneOptions = {
    recipe: "adaptive",
    auxiliaryModels: smallAuxiliary,
    ema: { decay: 0.9 },
    dropout: 0.1,
  };
  const whole = await run(options);
  assert.equal(whole.recipe.name, "adaptive");
  assert.deepEqual(whole.recipe.auxiliaryModels, [{ ...smallAuxiliary[0], model: `${small}.lamb_in1k` }]);
  const stop = new AbortController(), outputDir = freshFolder();
  const part = await run({
    ...options,
    outputDir,
    signal: stop.signal,
    onEvent: (event) => event.type === "step" && event.epoch === 1 && event.step === 2 && stop.abort(),
  });
  assert.equal(part.stopped, "interrupted");
  const rest = await fineTune(small, data, { ...quick, ...options, resumeFrom: outputDir });
  assert.deepEqual(rest.history, whole.history);
  assert.deepEqual(rest.model.weights, whole.model.weights);
  const ends = await Promise.all(
    [whole, rest].map(({ outputDir }) => readSafetensors(join(outputDir, "resume.safetensors"))),
  );
  assert.deepEqual(ends[0]!.tensors, ends[1]!.tensors);
  const names = Object.keys(ends[0]!.tensors);
  assert.ok(names.includes("auxiliary/1/velocities/classifier.weight"));

  // The auxiliary model can be used for itself.
  const auxiliary = join(rest.outputDir, "auxiliary_1.safetensors");
  assert.equal((await evaluate(auxiliary, data.validation)).classNames.length, 3);

  const other = await failure(
    fineTune(small, data, {
      ...quick,
      ...options,
      resumeFrom: outputDir,
      recipe: "baseline",
      auxiliaryModels: [{ model: small, weights: null }],
    }),
  );
  const wasModel = `{"dropout":0.2,"model":"${small}.lamb_in1k","weights":null}`;
  assert.equal(
    other.message,
    `Cannot resume from "${outputDir}": it is another run\n` +
      `  auxiliaryModels: was [${wasModel}], is [{"model":"${small}.lamb_in1k","weights":null}]\n` +
      `  recipe: was "adaptive", is "baseline"\n` +
      "  help: pass the same model, data and options, or start a new run from its weights",
  );
});

Deno.test("fineTune() with AM-softmax saves the scale with the weights, and everybody computes with it", async () => {
  const options: FineTuneOptions = { loss: "amSoftmax", scale: 5, margin: 0.2, warmUpEpochs: 0 };
  const trained = await run(options);
  const { tensors } = await readSafetensors(trained.checkpoint);
  assert.deepEqual(tensors["classifier.scale"]!.data, Float32Array.of(5));
  assert.equal("classifier.bias" in tensors, false);
  assert.deepEqual([trained.recipe.loss, trained.recipe.scale, trained.recipe.margin], ["amSoftmax", 5, 0.2]);

  const opened = await loadModel(trained.checkpoint);
  assert.equal(opened.network.head, "cosine");
  const pictures = data.validation.samples.map(({ image }) => image);
  const logits = await opened.logits(pictures);
  assert.deepEqual(logits, await trained.model.logits(pictures));
  assert.ok(logits.flatMap((row) => [...row]).every((score) => Math.abs(score) <= 5 * (1 + 1e-6)));
  const [first] = await predict(trained.checkpoint, pictures.slice(0, 1));
  const best = Math.max(...softmax(logits[0]!));
  assert.ok(Math.abs(first![0]!.probability - best) < 1e-6);
  const evaluation = await evaluate(trained.checkpoint, data.validation);
  assert.equal(evaluation.top1, trained.best!.validationTop1);

  // It goes on with the same classifier for the same loss, and with a new one for another.
  const again = await fineTune(trained.checkpoint, data, {
    ...quick,
    weights: undefined,
    imageSize: undefined,
    loss: "amSoftmax",
    epochs: 1,
    warmUpEpochs: 0,
    learningRate: 1e-9,
    outputDir: freshFolder(),
  });
  const weight = (weights: FineTuneResult) =>
    weights.model.weights["classifier.weight"]!.data as Float32Array;
  assert.ok(weight(again).every((value, index) => Math.abs(value - weight(trained)[index]!) < 1e-6));
  assert.deepEqual(again.model.weights["classifier.scale"]!.data, Float32Array.of(3), "of its own recipe");
  const linear = await fineTune(trained.checkpoint, data, {
    ...quick,
    weights: undefined,
    imageSize: undefined,
    epochs: 1,
    warmUpEpochs: 0,
    outputDir: freshFolder(),
  });
  assert.equal(linear.model.network.head, "linear");
  assert.deepEqual(
    linear.model.network.parameters.filter(({ name }) => name.startsWith("classifier.")).map(({ kind }) =>
      kind
    ),
    ["linear", "bias"],
  );
});

Deno.test("fineTune() takes a recipe as plain data, and options over it", async () => {
  const { recipe } = await run({
    recipe: { name: "mine", schedule: "plateau", plateau: { patience: 2 }, momentum: 0.5, epochs: 9 },
    epochs: 2,
  });
  assert.deepEqual(
    recipe,
    baselineRecipe(modelRecord(small), {
      name: "mine",
      schedule: "plateau",
      plateau: { patience: 2 },
      momentum: 0.5,
      epochs: 2,
      batchSize: 8,
      learningRate: 0.02,
      warmUpEpochs: 1,
    }),
  );
  // What a run reports is a recipe again.
  const { recipe: again } = await fineTune(small, data, {
    weights: null,
    imageSize: 32,
    recipe,
    seed: 3,
    logs: [],
    view: false,
    outputDir: freshFolder(),
  });
  assert.deepEqual(again, recipe);
});

Deno.test("fineTune() refuses unknown fields of a recipe, with the nearest known one", async () => {
  const error = await failure(
    run({ recipe: { learnRate: 0.1, shedule: "cosine" } as unknown as FineTuneOptions["recipe"] }),
  );
  assert(error instanceof TypeError);
  assert.equal(
    error.message,
    "Cannot run fineTune(): 2 fields of the recipe are not known\n" +
      '  "learnRate": did you mean "learningRate"?\n' +
      '  "shedule": did you mean "schedule"?\n' +
      "  help: the fields of the recipe are augmentation, auxiliaryModels, batchSize, classWeights, cutmix, dropout, " +
      "earlyStoppingPatience, ema, epochs, freezeEpochs, freezeLearningRate, labelSmoothing, layerDecay, " +
      "learningRate, loss, margin, mixup, momentum, name, noBiasDecay, oneCycle, plateau, precision, sam, sampler, scale, schedule, warmUpEpochs, weightDecay",
  );
});

Deno.test("fineTune() refuses values of a recipe and of auxiliary models, all at once", async () => {
  const error = await failure(run({
    recipe: { loss: "am_softmax", plateau: { patiense: 3 }, name: 4 } as unknown as FineTuneOptions["recipe"],
    auxiliaryModels: [{ dropout: 2 }, "mobilenet"] as unknown as FineTuneOptions["auxiliaryModels"],
    scale: -1,
  }));
  assert.equal(
    error.message,
    "Cannot run fineTune(): 7 options have values that cannot be used\n" +
      "  recipe.name: found 4, wanted a string\n" +
      "  recipe.plateau.patiense: found 3, wanted no other settings than patience, factor, threshold, floor " +
      '(did you mean "patience"?)\n' +
      '  recipe.loss: found "am_softmax", wanted "softmax", "amSoftmax" or "cosineSoftmax"\n' +
      '  scale: found -1, wanted a number above 0, or "auto"\n' +
      "  auxiliaryModels[0].model: found null, wanted a string\n" +
      "  auxiliaryModels[0].dropout: found 2, wanted a number from 0 up to, not including, 1\n" +
      '  auxiliaryModels[1]: found "mobilenet", wanted an object like { model: "mobilenetv3_large_100" }\n' +
      "  help: leave an option out to get its default",
  );
});

Deno.test("fineTune() refuses settings that contradict each other, before anything is opened", async () => {
  const error = await failure(run({
    recipe: { plateau: { patience: 3 } },
    margin: 0.3,
    scale: 4,
    warmUpEpochs: 4,
    auxiliaryModels: [{ model: small, loss: "cosineSoftmax", margin: 0.1 }],
  }));
  assert(error instanceof RangeError);
  assert.equal(
    error.message,
    "Cannot run fineTune(): 5 options have values that cannot be used\n" +
      "  warmUpEpochs: found 4, wanted fewer than the 4 epochs\n" +
      '  plateau: found an object, wanted nothing with the schedule "cosine"\n' +
      '  margin: found 0.3, wanted nothing with the loss "softmax"\n' +
      '  scale: found 4, wanted nothing with the loss "softmax"\n' +
      '  auxiliaryModels[0].margin: found 0.1, wanted nothing with the loss "cosineSoftmax"\n' +
      "  help: leave an option out to get its default",
  );
});

Deno.test("fineTune() refuses an auxiliary model without weights, or trained on other classes", async () => {
  const without = await failure(run({ auxiliaryModels: [{ model: "mobilenetv3_large_100.ote" }] }));
  assert.equal(
    without.message,
    "Cannot open the auxiliary model: Cannot load mobilenetv3_large_100.ote: no weights are published for it " +
      "under a name that can be fetched\n" +
      '  help: pass { weights: "path/to/file.pth" }, or { weights: null } to train from scratch',
  );
  const first = await run({ epochs: 1, warmUpEpochs: 0 });
  const renamed = { ...data, classNames: ["a", "b", "c"] };
  const names = { classNames: renamed.classNames };
  const others = await failure(
    fineTune(small, {
      ...renamed,
      train: { ...data.train, ...names },
      validation: { ...data.validation, ...names },
    }, {
      ...quick,
      outputDir: freshFolder(),
      auxiliaryModels: [{ model: small, weights: first.checkpoint, loss: "softmax" }],
    }),
  );
  assert.equal(
    others.message,
    `Cannot open the auxiliary model: its weights "${first.checkpoint}" are for the classes "disc", "square", "cross", ` +
      `and the data's are "a", "b", "c"\n` +
      "  help: pass weights trained on these classes, or leave weights out to begin with those published for " +
      small,
  );
});
