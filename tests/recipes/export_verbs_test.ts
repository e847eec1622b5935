/** Exports and int8 without a template: recipes/export_ir.ts, export_onnx.ts and quantize.ts. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "npm:yaml@2.9.1";
import { loadModel } from "../../lib/load_model.ts";
import { saveWeights } from "../../lib/training/checkpoint.ts";
import { shapeNames } from "../training/_shapes.ts";
import { drawPictures, recipe, run, temporaryFolder } from "./_programs.ts";

Deno.test("quantize.ts makes int8 weights that the exporters write as files", async (t) => {
  await using folder = await temporaryFolder();
  const at = folder.path;
  await drawPictures(join(at, "pictures"), { train: 6, val: 2 });
  await saveModel(join(at, "float"));
  const program = (name: string, ...args: string[]) => run(recipe(name), args, at);

  await t.step("--dry-run tells the recipe of fine-tuning, and how many pictures there are", async () => {
    const { code, output, errors } = await program(
      "quantize.ts",
      ...["float", "pictures", "--learning-rate", "0.002", "--calibration", "pictures/val", "--dry-run"],
    );
    assert.equal(code, 0, errors);
    const { source, data, fineTune } = parse(output);
    assert.equal(source, "float/best.safetensors");
    assert.deepEqual([data.train, data.calibration], ["18 pictures", "6 pictures"]);
    assert.deepEqual([fineTune.learningRate, fineTune.epochs, fineTune.schedule], [0.002, 200, "plateau"]);
  });

  await t.step("quantize.ts prints what int8 costs, and where its weights are", async () => {
    const { code, output, errors } = await program(
      "quantize.ts",
      ...["float/best.safetensors", "pictures", "--no-fine-tune", "--calibration", "16", "--max-drop", "0.9"],
      ...["--ranges", "percentile", "--output", "int8"],
    );
    assert.equal(code, 0, errors);
    assert.match(
      errors,
      /^pictures: its train and val folders\nall layers in int8: top-1 .* %, in float .* %, on 6 pictures\n$/,
    );
    assert.match(output, /^mobilenetv3_small_100\.lamb_in1k in int8, /);
    assert.match(
      output,
      /, at most 90\.00 points was promised\nranges by percentile from 16 pictures, means /,
    );
    assert.match(output, /given back\nmeasured with the int8 file in OpenVINO /);
    assert.ok(output.includes("\nsaved as int8/best.safetensors\n"), output);
  });

  await t.step("export_ir.ts and export_onnx.ts take a run's folder, in int8 too", async () => {
    const ir = await program("export_ir.ts", "int8", "ir", "--name", "shapes", "--channel-order", "rgb");
    assert.equal(ir.code, 0, ir.errors);
    assert.match(
      ir.output,
      /^ir\/shapes\.xml and shapes\.bin: .* MB, int8, takes RGB planes, raw values 0\.\.255\ncompared with .* OpenVINO /,
    );
    const onnx = await program(
      "export_onnx.ts",
      ...["float", "shapes.onnx", "--preprocessing", "normalized", "--precision", "fp16", "--dynamic-batch"],
      ...["--pictures", "pictures/val"],
    );
    assert.equal(onnx.code, 0, onnx.errors);
    assert.match(
      onnx.output,
      /^shapes\.onnx: .* MB, fp16, takes BGR planes, normalised\ncompared with the trained model on 6 pictures in onnxruntime /,
    );
    for (const file of ["ir/shapes.xml", "ir/shapes.bin", "shapes.onnx"]) {
      assert.ok((await Deno.stat(join(at, file))).size > 10_000, file);
    }
  });

  await t.step(
    "a file outside the limits is not written: exit code 1, with flags in the advice",
    async () => {
      const { code, output, errors } = await program(
        "export_onnx.ts",
        "int8",
        "no.onnx",
        "--max-relative-difference",
        "0",
      );
      assert.deepEqual([code, output], [1, ""]);
      assert.match(
        errors,
        /^Cannot export mobilenetv3_small_100\.lamb_in1k: the file computes something else /,
      );
      assert.match(errors, /, wanted at most 0 %\n/);
      assert.match(errors, /accept the difference with --max-relative-difference <share>/);
      await assert.rejects(Deno.stat(join(at, "no.onnx")), Deno.errors.NotFound);
    },
  );

  await t.step("mistakes in arguments end with 2", async () => {
    const refused = async (name: string, ...args: string[]) => {
      const { code, output, errors } = await program(name, ...args);
      assert.deepEqual([code, output], [2, ""], errors);
      return errors;
    };
    assert.match(
      await refused("export_ir.ts", "gone.safetensors", "x"),
      /^Cannot export "gone\.safetensors": no such file\n/,
    );
    assert.match(
      await refused("export_onnx.ts", "mobilenetv3_smal_100", "x.onnx"),
      /did you mean "mobilenetv3_small_100"\?/,
    );
    assert.equal(
      await refused("export_onnx.ts", "shapes.onnx", "x.onnx"),
      'Cannot export "shapes.onnx": it is an exported file already\n  help: pass the checkpoint it was made from\n',
    );
    assert.match(
      await refused("export_onnx.ts", "float", "x.txt"),
      /found "x\.txt" for the file, wanted a path that ends in \.onnx\n/,
    );
    assert.equal(
      await refused("export_ir.ts", "float", "x", "--any-size", "--preprocessing", "normalized"),
      "Cannot export: found --any-size and --preprocessing normalized, wanted one: a file resizes raw pictures only\n",
    );
    assert.equal(
      await refused("quantize.ts", "float", "pictures", "--no-fine-tune", "--epochs", "3", "--max-drop", "2"),
      `Cannot run quantize(): 2 options have values that cannot be used
  --max-drop: found 2, wanted a number from 0 up to, not including, 1
  --epochs: found 3, wanted nothing with --no-fine-tune
  help: leave an option out to get its default
`,
    );
  });

  await t.step("int8 weights do not replace the float ones", async () => {
    const { code, errors } = await program("quantize.ts", "float", "pictures", "--output", "float");
    assert.equal(code, 1);
    assert.equal(
      errors,
      'pictures: its train and val folders\nCannot write to "float": it holds the float weights, and those in int8 ' +
        "would replace them\n  help: pass --output ..., another folder\n",
    );
  });
});

Deno.test("a drop that is too large ends a program with 1 and the table, with flags in the text", async () => {
  await using folder = await temporaryFolder();
  const script = join(folder.path, "program.ts");
  const at = (path: string) => JSON.stringify(new URL(`../../${path}`, import.meta.url).href);
  await Deno.writeTextFile(
    script,
    `import { AccuracyDropError } from ${at("lib/quantization/accuracy_drop_error.ts")};
import { runProgram } from ${at("recipes/_program.ts")};
import { quantizeAdvice } from ${at("recipes/_quantize_flags.ts")};
const drop = { float: 0.9, int8: 0.8, drop: 0.1, agreement: 0.85, pictures: 100, interval: [0.05, 0.15] };
const steps = [{ floatLayers: [], drop }, { floatLayers: ["conv_head"], drop: { ...drop, int8: 0.85, drop: 0.05 } }];
await runProgram(() => Promise.reject(new AccuracyDropError(steps as never, 0.01, 1)), quantizeAdvice);
`,
  );
  const { code, output, errors } = await run(script, [], folder.path);
  assert.deepEqual([code, output], [1, ""]);
  assert.match(
    errors,
    /^Cannot quantise within --max-drop 0\.01: with up to 1 layers in float the least drop is 5\.0 %/,
  );
  assert.match(
    errors,
    /\n {2}all layers in int8: top-1 80\.0 %, drop 10\.0 %\n {2}1 in float, with conv_head: /,
  );
});

/** A run's folder with weights that nobody trained. */
async function saveModel(path: string): Promise<void> {
  await Deno.mkdir(path);
  const classNames = [...shapeNames].sort();
  const model = await loadModel("mobilenetv3_small_100", { weights: null, imageSize: 32, classNames });
  await saveWeights(join(path, "best.safetensors"), model.weights, {
    format: 1,
    model: model.id,
    classNames,
    preprocessing: model.preprocessing,
  });
  await model.dispose();
}
