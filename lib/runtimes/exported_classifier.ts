import { sizeOf } from "../graph/host_tensor.ts";
import type { Inference } from "../models/inference.ts";
import { logitsOfViews } from "../models/logits_of_views.ts";
import { describeExported, type ExportedDescription, type KnownDescription } from "./exported_description.ts";
import { type ExportedFile, nameOfExported, readExported } from "./exported_file.ts";
import type { ExportedModel, ExportedPort, OpenExportedOptions } from "./exported_model.ts";
import { openONNX } from "./onnxruntime.ts";
import { openIR } from "./openvino.ts";
import { planarImages } from "./planar_images.ts";

/** How an exported classifier is opened. */
export interface OpenExportedClassifierOptions extends OpenExportedOptions {
  /** What is known of a file that another program wrote; what it says itself may be left out. */
  readonly exported?: Partial<ExportedDescription>;
}

/** An exported classifier that takes pictures. */
export interface ExportedClassifier {
  /** What it is fed and what its outputs mean. */
  readonly description: KnownDescription;
  /** The model in its runtime. */
  readonly model: ExportedModel;
  /**
   * What runs it on batches of pictures, in the place of a network's own inference. It has nothing to free: the
   * classifier is disposed of.
   *
   * @param batchSize Rows of a batch; a file whose batch is fixed to another size is run as often as it takes.
   */
  createInference(batchSize: number): Inference;
  /** Frees the native memory. Disposing again does nothing. */
  dispose(): Promise<void>;
}

/**
 * Opens an exported classifier to be fed pictures: how is read from the file.
 *
 * @param file The path of an `.xml` or `.onnx` file, or their bytes.
 * @param options Precision, threads; and for files of other programs what they do not say themselves.
 * @returns The classifier; dispose of it after use.
 * @throws {TypeError} If it is no classifier of pictures, or it is not known how it is fed.
 * @throws {SyntaxError} If the file is damaged, or the runtime cannot read it.
 * @throws {LibraryError} If the runtime cannot be had.
 *
 * @example
 * ```ts ignore
 * import { openExportedClassifier } from "./exported_classifier.ts";
 *
 * const classifier = await openExportedClassifier("pets/model.xml");
 * const [logits] = await classifier.createInference(1).logits(new Uint8Array(224 * 224 * 3), 1);
 * console.log(classifier.description.classNames, logits);
 * await classifier.dispose();
 * ```
 */
export async function openExportedClassifier(
  file: ExportedFile,
  options: OpenExportedClassifierOptions = {},
): Promise<ExportedClassifier> {
  const bytes = await readExported(file), name = nameOfExported(file);
  const description = describeExported(bytes, name, options.exported);
  const model = "onnx" in bytes ? await openONNX(bytes, name, options) : await openIR(bytes, name, options);
  try {
    checkClassifier(model, description, name);
  } catch (error) {
    await model.dispose();
    throw error;
  }
  return {
    description,
    model,
    createInference: (batchSize) => createInference(model, description, batchSize),
    dispose: () => model.dispose(),
  };
}

function createInference(
  model: ExportedModel,
  description: KnownDescription,
  batchSize: number,
): Inference {
  const { preprocessing: { size }, output: kind = "logits" } = description;
  const [input] = model.inputs as [ExportedPort], [output] = model.outputs as [ExportedPort];
  const toPlanes = planarImages(description.preprocessing, description.input);
  const picture = size.height * size.width * 3;

  async function logitsOf(images: Uint8Array, count: number): Promise<Float32Array[]> {
    const rows = input.shape[0] === -1 ? count : input.shape[0]!;
    const parts: Promise<Float32Array[]>[] = [];
    for (let start = 0; start < count; start += rows) {
      parts.push(
        runPart(images.subarray(start * picture, count * picture), Math.min(rows, count - start), rows),
      );
    }
    return (await Promise.all(parts)).flat();
  }

  async function runPart(images: Uint8Array, count: number, rows: number): Promise<Float32Array[]> {
    const shape = [rows, 3, size.height, size.width];
    const data = new Float32Array(sizeOf(shape)); // rows that are no pictures stay 0
    toPlanes(images.subarray(0, count * picture), data);
    const result = (await model.run({ [input.name]: { dtype: "float32", shape, data } }))[output.name]!;
    const values = result.data as Float32Array, classes = description.classNames.length;
    if (values.length !== rows * classes) throw otherClasses(values.length / rows, classes);
    return Array.from({ length: count }, (_, row) => {
      const scores = values.slice(row * classes, (row + 1) * classes);
      // A softmax over these gives the probabilities back. No probability is 0, but rounding may make it so.
      return kind === "logits" ? scores : scores.map((value) => Math.log(Math.max(value, 1e-38)));
    });
  }

  return {
    batchSize,
    logits: (images, count, views) => logitsOfViews(logitsOf, images, count, size, views),
    dispose: () => Promise.resolve(),
  };
}

function otherClasses(found: number, wanted: number): TypeError {
  return new TypeError(
    `Cannot use the exported model: it gives ${found} scores a picture, and ${wanted} classes are named\n` +
      "  help: name as many classes as it has outputs",
  );
}

/** Refuses what is no classifier of pictures, or another one than is described; all problems at once. */
function checkClassifier(
  model: ExportedModel,
  { preprocessing, classNames }: KnownDescription,
  name: string,
): void {
  const { height, width } = preprocessing.size;
  const [input] = model.inputs, [output] = model.outputs;
  const show = ({ dtype, shape }: ExportedPort) =>
    `${dtype} [${shape.map((length) => length === -1 ? "any" : length)}]`;
  const problems: string[] = [];
  const fits = ({ dtype, shape }: ExportedPort, wanted: readonly number[]) =>
    dtype === "float32" && shape.length === wanted.length &&
    wanted.every((length, axis) => axis === 0 || shape[axis] === -1 || shape[axis] === length);
  if (model.inputs.length !== 1) problems.push(`inputs: found ${model.inputs.length}, wanted 1`);
  else if (!fits(input!, [-1, 3, height, width])) {
    problems.push(`input ${input!.name}: found ${show(input!)}, wanted float32 [batch,3,${height},${width}]`);
  }
  if (model.outputs.length !== 1) problems.push(`outputs: found ${model.outputs.length}, wanted 1`);
  else if (!fits(output!, [-1, classNames.length])) {
    problems.push(
      `output ${output!.name}: found ${
        show(output!)
      }, wanted float32 [batch,${classNames.length}], a score for each ` +
        "of the named classes",
    );
  }
  if (problems.length === 0) return;
  throw new TypeError(
    `Cannot use ${name} as a classifier of pictures: ${
      problems.length === 1 ? "1 thing does" : `${problems.length} things do`
    } not fit\n` + problems.map((problem) => `  ${problem}\n`).join("") +
      "  help: export a classifier with exportIR or exportONNX, or describe this one in { exported }",
  );
}
