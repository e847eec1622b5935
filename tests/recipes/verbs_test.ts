/** The verbs without a template: recipes/fine_tune.ts and its neighbours. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "npm:yaml@2.9.1";
import { drawPictures, recipe, run, temporaryFolder } from "./_programs.ts";

Deno.test("fine_tune.ts trains with what flags and a file say, and evaluate.ts measures", async (t) => {
  await using folder = await temporaryFolder();
  const at = folder.path;
  await drawPictures(join(at, "pictures"));
  const model = ["mobilenetv3_small_100", "pictures", "--from-scratch", "--image-size", "32"];
  const fineTune = (...args: string[]) => run(recipe("fine_tune.ts"), args, at);

  await t.step("--dry-run prints the resolved recipe, which --config reads again", async () => {
    const adaptive = await fineTune(...model, "--recipe", "adaptive", "--batch-size", "8", "--dry-run");
    assert.equal(adaptive.code, 0, adaptive.errors);
    assert.match(
      adaptive.output,
      /^# mobilenetv3_small_100; pictures: 3 classes, 12 training and 6 validation pictures; its train and val folders\n/,
    );
    const shown = parse(adaptive.output);
    assert.deepEqual([shown.name, shown.batchSize, shown.findLR, shown.weights], ["adaptive", 8, true, null]);
    assert.deepEqual(shown.auxiliaryModels, [{
      model: "mobilenetv3_large_100",
      dropout: 0.2,
      weights: null,
    }]);
    await Deno.writeTextFile(join(at, "recipe.yaml"), adaptive.output);
    const again = await fineTune("mobilenetv3_small_100", "pictures", "--config", "recipe.yaml", "--dry-run");
    assert.deepEqual(parse(again.output), shown);
    const changed = await fineTune(
      ...["mobilenetv3_small_100", "pictures", "--config", "recipe.yaml", "--dry-run"],
      ...["--sam", "0.1", "--learning-rate", "0.5", "--no-bias-decay"],
    );
    const { findLR: _, ...rest } = shown;
    assert.deepEqual(parse(changed.output), { ...rest, sam: { rho: 0.1 }, learningRate: 0.5 });
  });

  await t.step("it trains", async () => {
    const { code, output, errors } = await fineTune(
      ...model,
      ...["--epochs", "1", "--batch-size", "6", "--augmentation", "none", "--output", "out"],
    );
    assert.equal(code, 0, errors);
    assert.match(errors, /^pictures: its train and val folders\n/);
    assert.match(errors, /^epoch 1\/1 {2}train loss/m);
    assert.match(output, /^best epoch 1: top-1 \d+\.\d %, top-5 100\.0 %\nout\/best\.safetensors\n$/);
  });

  await t.step("evaluate.ts prints a table, and writes metrics and predictions", async () => {
    const { code, output, errors } = await run(
      recipe("evaluate.ts"),
      [
        "out/best.safetensors",
        "pictures/val",
        "--save-metrics-to",
        "m.yaml",
        "--save-predictions-to",
        "p.json",
      ],
      at,
    );
    assert.equal(code, 0, errors);
    assert.match(output, /^top-1 accuracy[^]*\nclass +pictures +precision[^]*\n\nm\.yaml\np\.json\n$/);
    assert.equal(parse(await Deno.readTextFile(join(at, "m.yaml"))).files[0].name, "best.safetensors");
    assert.equal(JSON.parse(await Deno.readTextFile(join(at, "p.json"))).length, 6);
  });

  await t.step("find_lr.ts searches, and tells by its exit code whether a rate is suggested", async () => {
    const { code, output, errors } = await run(recipe("find_lr.ts"), [
      ...[
        "mobilenetv3_small_100",
        "pictures/train",
        "--val",
        "pictures/val",
        "--from-scratch",
        "--image-size",
        "32",
      ],
      ...[
        "--batch-size",
        "6",
        "--trials",
        "2",
        "--trial-epochs",
        "1",
        "--output",
        "search",
        "--savefig",
        "curve.svg",
      ],
    ], at);
    assert.equal(code, /no suggestion/.test(output) ? 1 : 0, errors);
    assert.match(output, /^mobilenetv3_small_100\.lamb_in1k, TPE: /);
    assert.match(await Deno.readTextFile(join(at, "curve.svg")), /^<svg/);
  });

  await t.step("mistakes are told at once, with lines and columns", async () => {
    await Deno.writeTextFile(
      join(at, "bad.yaml"),
      "epochs: 0\nsam: {rh: 1}\nbatchsize: 3\naugmentation:\n  - kind: flip\n    probability: 2\nepochs: 4\nfindLR:\n  trials: 0\n",
    );
    const { code, errors } = await fineTune(...model, "--config", "bad.yaml");
    assert.equal(code, 2);
    assert.equal(
      errors,
      `Cannot use the recipe "bad.yaml": 6 problems
  bad.yaml:2:1: sam.rho: found nothing, wanted a number above 0
  bad.yaml:2:11: sam.rh: found 1, wanted no other settings than rho (did you mean "rho"?)
  bad.yaml:3:1: batchsize: unknown field, did you mean "batchSize"?
  bad.yaml:6:18: augmentation[0].probability: found 2, wanted a number from 0 to 1
  bad.yaml:7:1: "epochs": duplicate key, the first one is in line 1
  bad.yaml:9:11: findLR.trials: found 0, wanted a whole number of at least 1
`,
    );
    const flags = await fineTune(
      ...model,
      "--momentum",
      "3",
      "--label-smoothing",
      "x",
      "--weights",
      "ra_in1k",
    );
    assert.deepEqual([flags.code, flags.errors], [
      2,
      `Cannot train: 3 problems
  --label-smoothing: found NaN, wanted a number from 0 up to, not including, 1
  --momentum: found 3, wanted a number from 0 up to, not including, 1
  --weights and --from-scratch: found both, wanted one
`,
    ]);
    const short = await fineTune(...model, "--recipe", "adaptive", "--epochs", "3");
    assert.equal(short.code, 2);
    assert.match(short.errors, /\n {2}--warm-up-epochs: found 5, wanted fewer than the 3 epochs\n/);
    const both = await fineTune(...model, "--find-lr", "--learning-rate", "0.1");
    assert.equal(both.code, 2);
    assert.match(
      both.errors,
      /\n {2}--find-lr: found true, wanted nothing with \{ learningRate: 0\.1 \}\n {2}help: /,
    );
    const gone = await run(recipe("evaluate.ts"), ["gone.safetensors", "pictures/val"], at);
    assert.deepEqual([gone.code, gone.errors.split("\n")[0]], [
      2,
      'Cannot evaluate "gone.safetensors": no such file',
    ]);
    const twice = await fineTune(...model, "--val", "pictures/val");
    assert.deepEqual([twice.code, twice.errors.split("\n")[0]], [
      2,
      'Cannot open "pictures": it has a validation folder of its own, and --val names another',
    ]);
    const unknown = await fineTune("mobilenetv3_smal_100", "pictures");
    assert.deepEqual([unknown.code, unknown.errors.split("\n")[0]], [
      2,
      'Cannot find model "mobilenetv3_smal_100": did you mean "mobilenetv3_small_100"?',
    ]);
  });
});
