/** The four programs of a working folder outside the clone, as the README of the reference runs them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "npm:yaml@2.9.1";
import { drawPictures, edit, type Outcome, recipe, run, start, temporaryFolder } from "../_programs.ts";

Deno.test("a working folder outside the clone trains, stops, goes on, evaluates", async (t) => {
  await using folder = await temporaryFolder();
  const pictures = join(folder.path, "pictures"), work = join(folder.path, "work");
  await drawPictures(pictures, { train: 6, val: 2 }); // 16 are the fewest to find ranges with
  const trainRoot = join(pictures, "train"), valRoot = join(pictures, "val");
  const data = [
    "--train-ann-files",
    "",
    "--train-data-roots",
    trainRoot,
    "--val-ann-files",
    "",
    "--val-data-roots",
    valRoot,
  ];
  const small = ["--batch-size", "4", "--from-scratch"];
  const program = (name: string, ...args: string[]): Promise<Outcome> => run(join(work, name), args, work);

  await t.step("instantiate makes it", async () => {
    const template = recipe("custom_classification/mobilenet_v3_small/template.yaml");
    const { code, output, errors } = await run(
      recipe("instantiate.ts"),
      [template, work, "--do-not-load-snapshot", "-v"],
      folder.path,
    );
    assert.equal(code, 0, errors);
    const files = Array.from(Deno.readDirSync(work), ({ name }) => name).sort();
    assert.deepEqual(files, [
      "aux_model.yaml",
      "compress.ts",
      "deno.json",
      "eval.ts",
      "export.ts",
      "main_model.yaml",
      "template.yaml",
      "train.ts",
    ]);
    for (const file of files) assert.ok(output.includes(`${join(work, file)}\n`), output);
    assert.match(
      output,
      /mobilenet-v3-small is in .*\. Go on with\n {2}cd .*work\n {2}(npx -y deno@[\d.]+|deno) run -A train\.ts /,
    );
    assert.equal(await Deno.readTextFile(join(work, "template.yaml")), await Deno.readTextFile(template));
  });

  await t.step("its first run says nothing of scripts that packages would run", async () => {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "train.ts", "--help"],
      cwd: work,
      env: { NO_COLOR: "1" },
    }).output();
    const [output, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assert.ok(success, errors);
    assert.match(output!, /^Usage: /);
    assert.doesNotMatch(errors!, /script/);
  });

  await t.step("instantiate leaves a folder with something in it alone", async () => {
    const before = Deno.readTextFileSync(join(work, "deno.json"));
    const { code, errors } = await run(recipe("instantiate.ts"), [
      "efficientnet-b0",
      work,
      "--do-not-load-snapshot",
    ], folder.path);
    assert.equal(code, 2);
    assert.equal(
      errors,
      `Cannot instantiate into "${work}": the folder is not empty, it has aux_model.yaml, compress.ts, deno.json and 5 more\n` +
        `  help: name a new folder, or empty this one\n`,
    );
    assert.equal(Deno.readTextFileSync(join(work, "deno.json")), before);
  });

  await t.step("its programs have sound types, found through deno.json alone", async () => {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", "train.ts", "eval.ts", "export.ts", "compress.ts"],
      cwd: work,
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
  });

  await t.step("--help lists every flag of the reference", async () => {
    const common = ["--load-weights", "--classes", "--load-aux-weights"];
    const training = [
      ...common,
      ...[
        "--train-ann-files",
        "--train-data-roots",
        "--val-ann-files",
        "--val-data-roots",
        "--save-checkpoints-to",
      ],
      ...["--resume-from", "--gpu-num", "--tensorboard-dir"],
    ];
    const flags: Record<string, string[]> = {
      "train.ts": [...training, "--batch-size", "--epochs", "--base-learning-rate"],
      "compress.ts": [
        ...training,
        ...["--nncf-quantization", "--nncf-sparsity", "--nncf-pruning", "--nncf-binarization"],
      ],
      "eval.ts": [
        ...common,
        "--test-ann-files",
        "--test-data-roots",
        "--save-metrics-to",
        "--save-output-to",
      ],
      "export.ts": [
        ...common,
        ...["--save-model-to", "--onnx", "--openvino", "--openvino-input-format", "--openvino-mo-args"],
      ],
    };
    for (const [name, known] of Object.entries(flags)) {
      const { code, output } = await program(name, "--help");
      assert.equal(code, 0);
      for (const flag of known) assert.match(output, new RegExp(`^  ${flag}\\b`, "m"), name);
      assert.match(output, /^Exit codes: /m);
    }
  });

  await t.step("train.ts --dry-run shows what would be trained", async () => {
    const { code, output, errors } = await program(
      "train.ts",
      ...data,
      "--dry-run",
      "--epochs",
      "3",
      "--gpu-num",
      "0",
    );
    assert.equal(code, 0, errors);
    assert.equal(errors, "warning: the warm-up of 5 epochs is shortened to 2, for a run of 3\n");
    assert.equal(output.replaceAll(pictures, "PICTURES"), dryRun);
    assert.deepEqual(parse(output).recipe.auxiliaryModels[0].model, "mobilenetv3_large_100.ra_in1k");
  });

  await t.step("train.ts finds a learning rate and ends, with stop_after", async () => {
    await edit(join(work, "main_model.yaml"), {
      "stop_after: False": "stop_after: True",
      "num_epochs: 6": "num_epochs: 1",
      "n_trials: 15": "n_trials: 2",
      "height: 224": "height: 32",
      "width: 224": "width: 32",
    });
    const { code, output, errors } = await program(
      "train.ts",
      ...data,
      ...small,
      "--save-checkpoints-to",
      "searched",
    );
    assert.equal(code, 0, errors);
    assert.match(
      errors,
      /2 trials of 1 epochs? at rates from 0\.005 to 0\.029 in steps of 0\.001, chosen by TPE/,
    );
    assert.match(output, /^trial {2}learning rate/m);
    for (const file of ["lr_finder.png", "searched/find_lr.json"]) {
      assert.ok((await Deno.stat(join(work, file))).isFile);
    }
    assert.ok(!(await exists(join(work, "searched", "resume.safetensors"))));
  });

  await t.step("Ctrl-C in the search keeps its trials, and --resume-from goes on", async () => {
    const searching = [...data, ...small, "--save-checkpoints-to", "stopped"];
    const child = start(join(work, "train.ts"), searching, work);
    const errors = readAndStop(child, /^trial 1\/2 /m);
    const [{ code }] = await Promise.all([child.status, readAndStop(child, undefined, child.stdout)]);
    assert.equal(code, 130, await errors);
    assert.match(await errors, /^Stopped\. The same command with --resume-from "stopped" goes on\.$/m);
    await edit(join(work, "main_model.yaml"), { "num_epochs: 1": "num_epochs: 3" });
    const other = await program("train.ts", ...searching, "--resume-from", "stopped");
    assert.equal(other.code, 1);
    assert.ok(
      other.errors.endsWith(`it is another search
  findLR.epochs: was 1, is 3 (main_model.yaml:6:15 lr_finder.num_epochs)
  help: pass the same model, data and options, or start a new search
`),
      other.errors,
    );
    await edit(join(work, "main_model.yaml"), { "num_epochs: 3": "num_epochs: 1" });
    const again = await program("train.ts", ...searching, "--resume-from", "stopped");
    assert.equal(again.code, 0, again.errors);
    assert.doesNotMatch(again.errors, /^trial 1\/2 /m);
    assert.match(again.errors, /^trial 2\/2 /m);
  });

  const outputs = join(work, "outputs");
  const training = [
    ...data,
    ...small,
    "--base-learning-rate",
    "0.01",
    "--epochs",
    "3",
    "--save-checkpoints-to",
    outputs,
  ];
  await t.step("Ctrl-C keeps the model", async () => {
    const child = start(join(work, "train.ts"), training, work);
    // After the first epoch, so that there is a best one.
    const errors = readAndStop(child, /^epoch 1\/3 /m);
    const [{ code }, output] = await Promise.all([child.status, readAndStop(child, undefined, child.stdout)]);
    assert.equal(code, 130, await errors);
    assert.match(await errors, /^interrupted after .*best epoch 1: top-1/m);
    assert.ok(
      (await errors).includes(`Stopped. The same command with --resume-from "${outputs}" goes on.\n`),
    );
    assert.match(output, /^best epoch 1: top-1 \d+\.\d %, top-5 100\.0 %\n.*best\.safetensors\n$/);
    for (const file of ["best.safetensors", "resume.safetensors"]) {
      assert.ok(await exists(join(outputs, file)), file);
    }
  });

  await t.step(
    "--resume-from refuses another recipe, and says what differs and where it is asked for",
    async () => {
      for (const file of ["main_model.yaml", "aux_model.yaml"]) {
        await edit(join(work, file), { "weight_decay: 5e-4": "weight_decay: 4e-4" });
      }
      const { code, errors } = await program(
        "train.ts",
        ...training,
        "--resume-from",
        outputs,
        "--batch-size",
        "6",
      );
      assert.equal(code, 1);
      assert.ok(
        errors.endsWith(`Cannot resume from "${outputs}": it is another run
  batchSize: was 4, is 6 (template.yaml:22:17 hyper_parameters.basic.batch_size, or its flag)
  weightDecay: was 0.0005, is 0.0004 (main_model.yaml:56:17 train.weight_decay, or its flag)
  help: pass the same model, data and options, or start a new run from its weights
`),
        errors,
      );
      for (const file of ["main_model.yaml", "aux_model.yaml"]) {
        await edit(join(work, file), { "weight_decay: 4e-4": "weight_decay: 5e-4" });
      }
    },
  );

  await t.step("--resume-from goes on to the end", async () => {
    const { code, output, errors } = await program("train.ts", ...training, "--resume-from", outputs);
    assert.equal(code, 0, errors);
    assert.match(errors, /3 epochs, resumed at epoch \d step \d/);
    assert.match(errors, /^epoch 3\/3 /m);
    assert.match(output, /^best epoch \d: top-1/);
    const files = Array.from(Deno.readDirSync(outputs), ({ name }) => name).sort();
    assert.deepEqual(files, [
      "auxiliary_1.safetensors",
      "best.safetensors",
      "events.jsonl",
      "history.csv",
      "resume.safetensors",
      "tensorboard",
    ]);
  });

  await t.step(
    "eval.ts writes metrics.yaml and predictions; the reference's path of a checkpoint will do",
    async () => {
      const { code, output, errors } = await program(
        "eval.ts",
        ...[
          "--load-weights",
          join(outputs, "model/model.pth.tar-150"),
          "--test-ann-files",
          "--test-data-roots",
          valRoot,
        ],
        ...[
          "--save-metrics-to",
          "metrics.yaml",
          "--save-output-to",
          "predictions.csv",
          "--classes",
          "disc,cross,square",
        ],
      );
      assert.equal(code, 0, errors);
      const best = join(outputs, "best.safetensors");
      assert.equal(
        errors,
        `warning: there is no "${
          join(outputs, "model/model.pth.tar-150")
        }"; taking "${best}", the run's best weights\n`,
      );
      assert.match(output, /^top-1 accuracy .*\n[^]*\nmetrics\.yaml\npredictions\.csv\n$/);
      const { files, metrics } = parse(await Deno.readTextFile(join(work, "metrics.yaml")));
      assert.equal(files[0].source, best);
      assert.deepEqual(metrics.map(({ key }: { key: string }) => key), [
        "size",
        "complexity",
        "accuracy",
        "top_5_accuracy",
      ]);
      const lines = (await Deno.readTextFile(join(work, "predictions.csv"))).trim().split("\r\n");
      assert.equal(lines[0], "name,label,predicted,probability,label_probability");
      assert.equal(lines.length, 1 + 6);
    },
  );

  await t.step("export.ts writes OpenVINO IR and ONNX, and says how they compare", async () => {
    const exporting = ["--load-weights", join(outputs, "latest.pth"), "--save-model-to", "exported"];
    const dry = await program("export.ts", ...exporting, "--onnx", "--dry-run");
    assert.equal(
      dry.output,
      `weights: ${join(outputs, "best.safetensors")}, float\nclasses: cross, disc, square\n` +
        `${join("exported", "main_model.onnx")}\n`,
    );
    assert.ok(!(await exists(join(work, "exported"))));
    const { code, output, errors } = await program(
      "export.ts",
      ...exporting,
      ...["--openvino-mo-args", "--reverse", "--load-aux-weights", "x", "--classes", "square,disc,cross"],
    );
    assert.equal(code, 0, errors);
    assert.match(
      errors,
      /^warning: there is no ".*latest\.pth"; taking .*\nwarning: --openvino-mo-args has no effect: .*\n$/,
    );
    assert.match(
      output,
      new RegExp(
        "^exported/main_model\\.xml and main_model\\.bin: .* MB, fp32, takes BGR planes, raw values 0\\.\\.255\n" +
          "compared with the trained model on 8 made-up pictures in OpenVINO .*\n" +
          "exported/main_model\\.onnx: .* MB, fp32, takes RGB planes, normalised\n" +
          "compared with the trained model on 8 made-up pictures in onnxruntime .*\n$",
      ),
    );
    const files = Array.from(Deno.readDirSync(join(work, "exported")), ({ name }) => name).sort();
    assert.deepEqual(files, ["main_model.bin", "main_model.onnx", "main_model.xml"]);
  });

  await t.step("eval.ts measures an exported file as it measures the weights", async () => {
    const best = join(outputs, "best.safetensors"), exported = join(work, "exported", "main_model.onnx");
    const measure = async (path: string) => {
      const { code, output, errors } = await program(
        "eval.ts",
        ...["--load-weights", path, "--test-data-roots", valRoot, "--save-metrics-to", "exported.yaml"],
      );
      assert.equal(code, 0, errors);
      const { files, metrics } = parse(await Deno.readTextFile(join(work, "exported.yaml")));
      assert.equal(files[0].source, path);
      return { output, metrics };
    };
    assert.deepEqual(await measure(exported), await measure(best));
    const classes = ["--test-data-roots", valRoot, "--save-metrics-to", "m.yaml", "--classes", "a,b"];
    const refused = await program("eval.ts", "--load-weights", exported, ...classes);
    assert.equal(refused.code, 2);
    assert.match(
      refused.errors,
      /found --classes a,b, wanted the classes of the weights: cross,disc,square\n$/,
    );
  });

  await t.step(
    "--skip-unreadable leaves out a picture that cannot be read, which is an error else",
    async () => {
      const broken = join(valRoot, "disc", "broken.png");
      await Deno.writeTextFile(broken, "nothing");
      const args = ["--load-weights", outputs, "--test-data-roots", valRoot, "--save-metrics-to", "m.yaml"];
      const refused = await program("eval.ts", ...args);
      assert.equal(refused.code, 1);
      assert.match(refused.errors, /\n {2}help: remove them, or pass --skip-unreadable\n$/);
      const skipped = await program("eval.ts", ...args, "--skip-unreadable");
      assert.deepEqual([skipped.code, skipped.errors], [
        0,
        "warning: 1 picture of 7 could not be read\n",
      ]);
      await Deno.remove(broken);
    },
  );

  await t.step("eval.ts refuses other classes and other networks", async () => {
    const test = ["--test-data-roots", valRoot, "--save-metrics-to", "m.yaml"];
    const classes = await program("eval.ts", "--load-weights", outputs, ...test, "--classes", "a,b");
    assert.equal(classes.code, 2);
    const best = join(outputs, "best.safetensors");
    assert.equal(
      classes.errors,
      `Cannot evaluate "${best}": found --classes a,b, wanted the classes of the weights: cross,disc,square\n`,
    );
    const auxiliary = join(outputs, "auxiliary_1.safetensors");
    const network = await program("eval.ts", "--load-weights", auxiliary, ...test);
    assert.equal(network.code, 2);
    assert.equal(
      network.errors,
      `Cannot evaluate "${auxiliary}": it is of mobilenetv3_large_100, and the template's model is mobilenetv3_small_100\n`,
    );
    const exported = await program("eval.ts", "--load-weights", "model.xml", ...test);
    assert.equal(exported.code, 2);
    assert.match(exported.errors, /^Cannot evaluate "model\.xml": no such file\n/);
  });

  await t.step("export.ts and compress.ts refuse what they cannot use, and write nothing", async () => {
    const refused = async (name: string, ...args: string[]) => {
      const { code, output, errors } = await program(name, ...args);
      assert.deepEqual([code, output], [2, ""], errors);
      return errors;
    };
    const best = join(outputs, "best.safetensors");
    const missing = await refused("export.ts", "--load-weights", "nowhere", "--save-model-to", "no");
    assert.match(missing, /^Cannot export "nowhere": no such file\n {2}help: /);
    assert.equal(
      await refused("export.ts", "--load-weights", "exported/main_model.xml", "--save-model-to", "no"),
      'Cannot export "exported/main_model.xml": it is an exported file already\n' +
        "  help: pass the folder of a run, or its best.safetensors\n",
    );
    const exporting = ["--load-weights", best, "--save-model-to", "no"];
    assert.equal(
      await refused("export.ts", ...exporting, "--classes", "a,b"),
      `Cannot export "${best}": found --classes a,b, wanted the classes of the weights: cross,disc,square\n`,
    );
    assert.match(
      await refused("export.ts", ...exporting, "--openvino-input-format", "GRB"),
      /^error: option '--openvino-input-format <format>' argument 'GRB' is invalid\. Allowed choices are BGR, RGB\./,
    );
    assert.equal(
      await refused("export.ts", ...exporting, "--min-top1-agreement", "2", "--pictures", valRoot),
      "Cannot run exportIR(): 1 option has a value that cannot be used\n" +
        "  --min-top1-agreement: found 2, wanted a number from 0 to 1\n" +
        "  help: leave an option out to get its default\n",
    );
    const compressing = ["--load-weights", outputs, ...data, "--save-checkpoints-to", "no"];
    assert.equal(
      await refused(
        "compress.ts",
        ...compressing,
        "--nncf-quantization",
        "--nncf-pruning",
        "--nncf-sparsity",
      ),
      "Cannot compress mobilenet-v3-small: found --nncf-sparsity, --nncf-pruning, wanted --nncf-quantization, " +
        "the only method there is\n",
    );
    const quantising = [...compressing, "--nncf-quantization"];
    assert.equal(
      await refused(
        "compress.ts",
        ...quantising,
        "--load-aux-weights",
        "a,b",
        "--resume-from",
        "x",
        "--no-fine-tune",
      ),
      `Cannot compress: 3 problems
  --load-aux-weights: found "a,b", wanted nothing with --no-fine-tune
  --resume-from: found "x", wanted nothing with --no-fine-tune
  --load-aux-weights: found "a,b", wanted 1 file
`,
    );
    assert.equal(
      await refused("compress.ts", ...quantising, "--max-drop", "1", "--calibration", "0"),
      `Cannot run quantize(): 2 options have values that cannot be used
  --max-drop: found 1, wanted a number from 0 up to, not including, 1
  --calibration: found 0, wanted a whole number of at least 1
  help: leave an option out to get its default
`,
    );
    const template = join(work, "template.yaml"), text = await Deno.readTextFile(template);
    await edit(template, { "optimisations:\n  nncf_quantization:\n    default: false": "optimisations: ~" });
    assert.match(
      await refused("compress.ts", ...compressing),
      /^Cannot compress mobilenet-v3-small: its template has no optimisations\n {2}help: /,
    );
    await Deno.writeTextFile(template, text);
    await edit(template, {
      "  onnx:\n    default: true\n  openvino:\n    default: true": "  openvino:\n    default: false",
    });
    assert.equal(
      await refused("export.ts", ...exporting),
      "Cannot export mobilenet-v3-small: both output formats are False in template.yaml:37:3\n" +
        "  help: pass --openvino or --onnx\n",
    );
    await Deno.writeTextFile(template, text);
    assert.ok(!(await exists(join(work, "no"))));
  });

  await t.step("compress.ts without a method warns and does nothing", async () => {
    const compressing = ["--load-weights", outputs, ...data, "--save-checkpoints-to", "no"];
    assert.deepEqual(await program("compress.ts", ...compressing), {
      code: 0,
      output: "",
      errors: "warning: nothing was done: no method was asked for. Pass --nncf-quantization\n",
    });
    assert.ok(!(await exists(join(work, "no"))));
  });

  const compressing = [...["--load-weights", outputs, ...data], "--nncf-quantization", "--max-drop", "0.9"];
  const int8 = join(outputs, "int8");
  await t.step(
    "compress.ts --dry-run tells the rate, the teacher, and a folder beside the float weights",
    async () => {
      await edit(join(work, "template.yaml"), { "epochs: 200": "epochs: 2" });
      const { code, output, errors } = await program(
        "compress.ts",
        ...compressing,
        ...["--save-checkpoints-to", outputs, "--dry-run"],
      );
      assert.equal(code, 0, errors);
      assert.equal(
        errors,
        `warning: "${outputs}" holds the float weights; those in int8 go to "${int8}"\n`,
      );
      const shown = parse(output);
      assert.equal(shown.outputDir, int8);
      assert.deepEqual([shown.maxDrop, shown.data.calibration, shown.fineTune.epochs], [
        0.9,
        "18 pictures",
        2,
      ]);
      assert.ok(Math.abs(shown.fineTune.learningRate - 0.01 * 0.035) < 1e-9, output);
      const [{ model, weights, frozen }] = shown.fineTune.auxiliaryModels;
      assert.deepEqual([model, weights, frozen], [
        "mobilenetv3_large_100.ra_in1k",
        join(outputs, "auxiliary_1.safetensors"),
        true,
      ]);
      const without = await program("compress.ts", ...compressing, "--load-aux-weights", "", "--dry-run");
      assert.equal(parse(without.output).fineTune.auxiliaryModels, undefined);
    },
  );

  await t.step("compress.ts keeps what there is at Ctrl-C, and goes on", async () => {
    const quantising = [...compressing, "--save-checkpoints-to", outputs];
    const before = await Deno.readFile(join(outputs, "best.safetensors"));
    const child = start(join(work, "compress.ts"), quantising, work);
    const errors = readAndStop(child, /^epoch 1\/2 /m);
    const [{ code }] = await Promise.all([child.status, readAndStop(child, undefined, child.stdout)]);
    assert.equal(code, 130, await errors);
    assert.ok(
      (await errors).endsWith(`Stopped. The same command with --resume-from "${int8}" goes on.\n`),
      await errors,
    );
    const again = await program("compress.ts", ...quantising, "--resume-from", int8);
    assert.equal(again.code, 0, again.errors);
    assert.match(again.errors, /2 epochs, resumed at epoch \d step \d\n[^]*^all layers in int8: top-1 /m);
    assert.match(
      again.output,
      /^mobilenetv3_small_100\.lamb_in1k in int8, [^]*^measured with the int8 file in OpenVINO [^]*^before 2 epochs of fine-tuning/m,
    );
    assert.ok(again.output.includes(`\nsaved as ${join(int8, "best.safetensors")}\n`), again.output);
    assert.deepEqual(await Deno.readFile(join(outputs, "best.safetensors")), before);
  });

  await t.step("a compressed model is evaluated, exported and resumed by the same programs", async () => {
    const test = ["--test-data-roots", valRoot, "--save-metrics-to", "m.yaml"];
    const measured = await program("eval.ts", "--load-weights", int8, ...test);
    assert.equal(measured.code, 0, measured.errors);
    assert.match(measured.output, /^top-1 accuracy /);
    const exported = await program(
      "export.ts",
      ...[
        "--load-weights",
        int8,
        "--save-model-to",
        "exported8",
        "--openvino",
        "--openvino-input-format",
        "RGB",
      ],
    );
    assert.equal(exported.code, 0, exported.errors);
    assert.match(
      exported.output,
      /^exported8\/main_model\.xml and main_model\.bin: .* MB, int8, takes RGB planes/,
    );
    assert.ok(!(await exists(join(work, "exported8", "main_model.onnx"))));
    const resumed = await program("train.ts", ...data, "--resume-from", int8, "--save-checkpoints-to", int8);
    assert.equal(resumed.code, 0, resumed.errors);
    assert.match(
      resumed.errors,
      /^warning: .*int8 fine-tunes an int8 model: its own recipe counts, not the template's; /,
    );
    const twice = await program("compress.ts", "--load-weights", int8, ...data, "--nncf-quantization");
    assert.deepEqual([twice.code, twice.errors.split("\n")[0]], [
      2,
      `Cannot compress "${join(int8, "best.safetensors")}": it is int8 already`,
    ]);
    await edit(join(work, "template.yaml"), { "epochs: 2": "epochs: 200" });
  });

  await t.step("mistakes in flags and files end with 2, mistakes in the data with 1", async () => {
    const flag = await program("train.ts", ...data, "--epoch", "3");
    assert.deepEqual([flag.code, flag.errors], [
      2,
      "error: unknown option '--epoch'\n(Did you mean --epochs?)\n(--help lists all options)\n",
    ]);
    const value = await program("train.ts", ...data, "--epochs", "many");
    assert.deepEqual([value.code, value.errors], [
      2,
      "error: option '--epochs <n>' argument 'many' is invalid. wanted a whole number of at least 1\n" +
      "(--help lists all options)\n",
    ]);
    const missing = await program("eval.ts");
    assert.deepEqual([missing.code, missing.errors], [
      2,
      "error: required options are missing: --load-weights <file>, --test-data-roots <folders>, " +
      "--save-metrics-to <file>\n(--help lists all options)\n",
    ]);
    const unset = await program(
      "train.ts",
      "--train-data-roots",
      "--val-ann-files",
      "",
      "--val-data-roots",
      "v",
    );
    assert.deepEqual([unset.code, unset.errors], [
      2,
      "error: found no value between --train-data-roots and --val-ann-files. A variable of the shell may not be " +
      "set\n(--help lists all options)\n",
    ]);
    const roots = await program("train.ts", "--train-data-roots", "t", "--val-data-roots", "v");
    assert.deepEqual([roots.code, roots.errors], [
      2,
      `Cannot open pictures: 2 problems\n  --train-data-roots: "t" is not there, seen from "${work}"\n` +
      `  --val-data-roots: "v" is not there, seen from "${work}"\n`,
    ]);
    const weights = await program("train.ts", ...data, "--load-weights", "nowhere.pth");
    assert.deepEqual([weights.code, weights.errors], [
      2,
      'Cannot use "nowhere.pth": no such file\n' +
      "  help: pass the folder of a run, or a file of weights, .safetensors or .pth\n",
    ]);
    const folder = await program("train.ts", ...data, ...small, "--save-checkpoints-to", "deno.json");
    assert.equal(folder.code, 1);
    assert.ok(
      folder.errors.endsWith("  help: pass --save-checkpoints-to ..., a folder that you may write to\n"),
      folder.errors,
    );
    const classes = await program(
      "train.ts",
      ...data,
      "--classes",
      "disc,cross,square,star",
      "--from-scratch",
    );
    assert.deepEqual([classes.code, classes.errors.split("\n")[0]], [
      1,
      'Cannot train: 1 of 4 classes have no pictures in "train": "star"',
    ]);
    await edit(join(work, "main_model.yaml"), { "n_trials: 2": "n_trials: 0" });
    const yaml = await program("train.ts", ...data);
    assert.deepEqual([yaml.code, yaml.errors], [
      2,
      `Cannot use the template in "${work}": 1 problem\n` +
      "  main_model.yaml:12:13: lr_finder.n_trials: found 0, wanted a whole number of at least 1\n",
    ]);
  });
});

const dryRun = `template: mobilenet-v3-small
model: mobilenetv3_small_100.lamb_in1k
weights: published for mobilenetv3_small_100.lamb_in1k, fetched once
data:
  classes:
    - cross
    - disc
    - square
  train: 18 pictures of PICTURES/train
  validation: 6 pictures of PICTURES/val
imageSize: 224
device: cpu
outputDir: outputs
findLR:
  mode: tpe
  minLearningRate: 0.005
  maxLearningRate: 0.029
  step: 0.001
  epochs: 6
  trials: 15
  warmUpEpochs: 1
  savefig: lr_finder.png
recipe:
  name: mobilenet-v3-small
  loss: softmax
  epochs: 3
  schedule: plateau
  warmUpEpochs: 2
  momentum: 0.9
  weightDecay: 0.0005
  labelSmoothing: 0
  augmentation:
    - kind: augMix
      magnitude: 4
      width: 2
    - kind: flip
      probability: 0.5
    - kind: rotate
      probability: 0.35
      degrees: 10
  batchSize: 128
  plateau:
    patience: 5
    factor: 0.1
    floor: 0.005
  earlyStoppingPatience: 5
  noBiasDecay: true
  sam:
    rho: 0.05
  ema:
    decay: 0.999
  auxiliaryModels:
    - model: mobilenetv3_large_100.ra_in1k
      loss: amSoftmax
      scale: auto
      dropout: 0.2
`;

/** All that a program writes; Ctrl-C when a line comes. Once: a second signal would end the process at once. */
async function readAndStop(
  child: Deno.ChildProcess,
  sign?: RegExp,
  stream: ReadableStream<Uint8Array> = child.stderr,
): Promise<string> {
  let all = "", isTold = sign === undefined;
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    all += part;
    if (isTold || !sign!.test(all)) continue;
    isTold = true;
    child.kill("SIGINT");
  }
  return all;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
