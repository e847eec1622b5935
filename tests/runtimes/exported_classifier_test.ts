import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { mirrored } from "../../lib/augment/flip.ts";
import type { RawImage } from "../../lib/data/dataset.ts";
import { decodePixels } from "../../lib/data/decode.ts";
import { softmax } from "../../lib/metrics/softmax.ts";
import { openExportedClassifier } from "../../lib/runtimes/exported_classifier.ts";
import type { ExportedDescription } from "../../lib/runtimes/exported_description.ts";
import type { ExportedFile } from "../../lib/runtimes/exported_file.ts";
import { openvinoPython } from "../export/_openvino.ts";
import { failure, freshFolder } from "../training/_runs.ts";
import { shapeNames, shapeSplits } from "../training/_shapes.ts";
import { exportSmall, smallModel } from "./_exported_files.ts";

const model = await smallModel();
const pictures = shapeSplits({ validation: 3 }).validation.samples.map(({ image }) => image as RawImage);
const images = new Uint8Array(pictures.flatMap(({ data }) => [...data]));
const wanted = await model.logits(pictures);

/** Fails where logits differ by more than a ten-thousandth of their range. */
function assertNear(found: readonly Float32Array[], wanted: readonly Float32Array[]): void {
  const all = wanted.flatMap((row) => [...row]);
  const range = Math.max(...all) - Math.min(...all);
  assert.ok(range > 0.05, `the range is ${range}`);
  assert.equal(found.length, wanted.length);
  for (const [row, logits] of found.entries()) {
    assert.equal(logits.length, wanted[row]!.length);
    for (const [index, value] of logits.entries()) {
      const difference = Math.abs(value - wanted[row]![index]!);
      assert.ok(difference < 1e-4 * range, `${row},${index}: ${value} for ${wanted[row]![index]}`);
    }
  }
}

/** Opens, uses and closes a classifier. */
async function using<T>(
  file: ExportedFile,
  work: (classifier: Awaited<ReturnType<typeof openExportedClassifier>>) => T | Promise<T>,
  exported?: Partial<ExportedDescription>,
): Promise<T> {
  const classifier = await openExportedClassifier(file, exported === undefined ? {} : { exported });
  try {
    return await work(classifier);
  } finally {
    await classifier.dispose();
  }
}

for (const values of ["raw", "normalized"] as const) {
  for (const channelOrder of ["bgr", "rgb"] as const) {
    Deno.test(`a ${values} ${channelOrder} file gives the model's logits, in both runtimes`, async () => {
      for (const batch of ["dynamic", 1, 4] as const) {
        const { xml, bin, onnx } = exportSmall(model, { input: { values, channelOrder }, batch });
        for (const file of [{ xml, bin }, { onnx }]) {
          const found = await using(
            file,
            (classifier) => classifier.createInference(pictures.length).logits(images, pictures.length),
          );
          assertNear(found, wanted);
        }
      }
    });
  }
}

Deno.test("createInference() leaves the rows that are padding out, and looks at views", async () => {
  const { xml, bin } = exportSmall(model);
  await using({ xml, bin }, async (classifier) => {
    const inference = classifier.createInference(pictures.length);
    assertNear(await inference.logits(images, 5), wanted.slice(0, 5));
    const views = [{ name: "mirrored", of: mirrored }];
    assertNear(
      (await inference.logits(images, pictures.length, views)).map(softmax).map((row) =>
        Float32Array.from(row)
      ),
      (await model.logits(pictures.map((picture) => ({ ...picture, ...mirrored(picture) })))).map(softmax)
        .map((row) => Float32Array.from(row)),
    );
  });
});

Deno.test("a file of ours tells its classes, preprocessing and complexity by itself", async () => {
  const { xml, bin, onnx, metadata } = exportSmall(model);
  for (const file of [{ xml, bin }, { onnx }]) {
    await using(file, ({ description }) => assert.deepEqual(description, metadata));
    const { message } = await failure(openExportedClassifier(file, { exported: { classNames: shapeNames } }));
    assert.match(
      message,
      /^Cannot open the \w+ model: the file says itself what it is fed, and \{ exported \} says it again\n {2}help: /,
    );
  }
});

const foreign = freshFolder();
await Deno.mkdir(foreign, { recursive: true });
const script = fileURLToPath(new URL("make_foreign_models.py", import.meta.url));
const made = await new Deno.Command(await openvinoPython(), { args: [script, foreign] }).output();
assert.ok(made.success, new TextDecoder().decode(made.stderr));
const expected = JSON.parse(await Deno.readTextFile(join(foreign, "expected.json")));
const picture = await decodePixels(join(foreign, "picture.png"));

const whole: ExportedDescription = {
  classNames: ["ant", "bee", "cat"],
  preprocessing: {
    size: { height: 24, width: 32 },
    interpolation: "bilinear",
    channelOrder: "rgb",
    mean: [120 / 255, 110 / 255, 100 / 255],
    std: [60 / 255, 50 / 255, 40 / 255],
  },
  input: { channelOrder: "rgb", values: "normalized" },
};

/** Probabilities of the picture. */
async function probabilitiesOf(file: string, exported?: Partial<ExportedDescription>): Promise<number[]> {
  return await using(join(foreign, file), async (classifier) => {
    const [logits] = await classifier.createInference(1).logits(picture.data, 1);
    return [...softmax(logits!)];
  }, exported);
}

Deno.test("a file of another program is used as ModelAPI would use it", async () => {
  const found = await probabilitiesOf("model_api.xml");
  for (const [index, value] of found.entries()) assert.ok(Math.abs(value - expected.scores[index]) < 1e-5);
  await using(join(foreign, "model_api.xml"), ({ description }) => {
    assert.deepEqual(description.classNames, ["ant", "bee", "cat"]);
    assert.deepEqual(description.input, whole.input);
    assert.deepEqual(description.preprocessing, whole.preprocessing);
  });
});

Deno.test("a file that says nothing is used as it is described, and so is one that gives probabilities", async () => {
  for (
    const found of [
      await probabilitiesOf("bare.xml", whole),
      await probabilitiesOf("softmax.xml", { ...whole, output: "probabilities" }),
      await probabilitiesOf("model_api.xml", { classNames: ["a", "b", "c"] }),
    ]
  ) {
    for (const [index, value] of found.entries()) assert.ok(Math.abs(value - expected.scores[index]) < 1e-5);
  }
  const other = await probabilitiesOf("bare.xml", {
    ...whole,
    input: { channelOrder: "bgr", values: "raw" },
  });
  assert.ok(Math.abs(other[0]! - expected.scores[0]) > 1e-3);
});

Deno.test("openExportedClassifier() asks for all that a file of another program does not say", async () => {
  const path = join(foreign, "bare.xml");
  const { message } = await failure(openExportedClassifier(path));
  assert.equal(
    message,
    `Cannot open exported model ${
      JSON.stringify(path)
    }: another program wrote it, and it does not say how it is used\n` +
      "  missing: classNames, the names of the classes, in the order of the outputs\n" +
      "  missing: preprocessing, size of the pictures, and mean and standard deviation on the scale 0..1\n" +
      "  missing: input, order of the channels (rgb or bgr), and who applies mean and standard deviation: " +
      "the file itself (raw, 0..255) or the caller (normalized)\n" +
      '  help: write for example { exported: { classNames: ["cat", "dog"], preprocessing: { size: { height: 224, ' +
      'width: 224 }, interpolation: "bilinear", channelOrder: "rgb", mean: [0.485, 0.456, 0.406], ' +
      'std: [0.229, 0.224, 0.225] }, input: { channelOrder: "rgb", values: "normalized" } } }',
  );
  const { classNames: _, ...rest } = whole;
  const some = await failure(openExportedClassifier(path, { exported: rest }));
  assert.deepEqual(
    some.message.split("\n").slice(1),
    [
      "  missing: classNames, the names of the classes, in the order of the outputs",
      '  help: write for example { exported: { classNames: ["cat", "dog"] } }',
    ],
  );
  const output = await failure(
    openExportedClassifier(path, { exported: { ...whole, output: "classes" as never } }),
  );
  assert.equal(
    output.message,
    `Cannot use what is said of exported model ${
      JSON.stringify(path)
    }: output: found "classes", wanted logits or ` +
      "probabilities\n  help: correct { exported }",
  );
  const wrong = await failure(openExportedClassifier(path, {
    exported: {
      ...whole,
      preprocessing: { ...whole.preprocessing, mean: [0.5] as never, std: [1, 1] as never },
    },
  }));
  assert.ok(wrong instanceof TypeError);
  assert.equal(
    wrong.message,
    `Cannot use what is said of exported model ${JSON.stringify(path)}: 2 fields do not fit\n` +
      "  preprocessing.mean: found [0.5], wanted three numbers\n" +
      "  preprocessing.std: found [1,1], wanted three numbers\n  help: correct { exported }",
  );
});

Deno.test("openExportedClassifier() refuses what is no classifier of such pictures", async () => {
  const table: [string, Partial<ExportedDescription>, string[]][] = [
    ["two.xml", {}, ["inputs: found 2, wanted 1", "outputs: found 2, wanted 1"]],
    ["table.xml", {}, ["input columns: found float32 [1,4], wanted float32 [batch,3,24,32]"]],
    [
      "bare.xml",
      {
        classNames: ["a", "b"],
        preprocessing: { ...whole.preprocessing, size: { height: 32, width: 32 } },
      },
      [
        "input images: found float32 [any,3,24,32], wanted float32 [batch,3,32,32]",
        "output scores: found float32 [any,3], wanted float32 [batch,2], a score for each of the named classes",
      ],
    ],
  ];
  for (const [file, other, problems] of table) {
    const path = join(foreign, file);
    const { message } = await failure(openExportedClassifier(path, { exported: { ...whole, ...other } }));
    assert.deepEqual(message.split("\n"), [
      `Cannot use exported model ${JSON.stringify(path)} as a classifier of pictures: ${
        problems.length === 1 ? "1 thing does" : `${problems.length} things do`
      } not fit`,
      ...problems.map((problem) => `  ${problem}`),
      "  help: export a classifier with exportIR or exportONNX, or describe this one in { exported }",
    ]);
  }
});
