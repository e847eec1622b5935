import { createCommand, exitCodes, runProgram, UnavailableError, UsageError } from "../_program.ts";
import { readTemplate } from "./_template.ts";
import { findWeights } from "./_weights.ts";
import { requireFile } from "../_require_file.ts";

/** What `compress.ts` is told, as far as it looks at it. */
interface CompressFlags {
  readonly loadWeights: string;
  readonly nncfQuantization?: boolean;
  readonly nncfPruning?: boolean;
  readonly nncfSparsity?: boolean;
  readonly nncfBinarization?: boolean;
}

/**
 * The program `compress.ts` of a working folder. Quantisation is not there yet: it checks what it is told and says so.
 *
 * @param folder The folder of `template.yaml`.
 * @param args What stands after `compress.ts`.
 */
export async function compress(folder: string, args: readonly string[] = Deno.args): Promise<never> {
  return await runProgram(() => run(folder, args));
}

async function run(folder: string, args: readonly string[]): Promise<number> {
  const { name, quantization } = await readTemplate(folder);
  const flags = createCommand("deno run -A compress.ts")
    .description(`Turns a trained ${name} into int8. Not available yet.`)
    .requiredOption("--load-weights <file>", "what to compress: a run's folder or its best.safetensors")
    .requiredOption("--train-data-roots <folders>", "training pictures")
    .option("--train-ann-files [files]", "annotation lists of the training pictures; '' for class folders")
    .requiredOption("--val-data-roots <folders>", "validation pictures")
    .option("--val-ann-files [files]", "annotation lists of the validation pictures; '' for class folders")
    .option("--save-checkpoints-to <folder>", "where the compressed model goes", "outputs")
    .option("--nncf-quantization", "int8 weights and activations")
    .option("--nncf-pruning", "refused: there is only quantization")
    .option("--nncf-sparsity", "refused: there is only quantization")
    .option("--nncf-binarization", "refused: there is only quantization")
    .option("--resume-from <folder>", "accepted and not used")
    .option("--gpu-num <n>", "how many GPUs to use, where there are any")
    .option("--classes <names>", "the classes and their order, with commas")
    .option("--load-aux-weights <file>", "weights of the auxiliary model")
    .option("--tensorboard-dir <folder>", "where TensorBoard's files go")
    .addHelpText("after", "\nExit codes: 2 a flag or a setting cannot be used, 3 not available yet.")
    .parse([...args], { from: "user" }).opts<CompressFlags>();
  if (!quantization) {
    throw new UsageError(
      `Cannot compress ${name}: its template has no optimisations\n` +
        `  help: mobilenet-v3-large-1 and mobilenet-v3-small have quantization, as in OpenVINO Training Extensions`,
    );
  }
  const others = (["nncfPruning", "nncfSparsity", "nncfBinarization"] as const).filter((flag) => flags[flag]);
  if (others.length > 0 || !flags.nncfQuantization) {
    const found = others.length === 0
      ? "no method"
      : others.map((flag) => flag.replace("nncf", "--nncf-").toLowerCase()).join(", ");
    throw new UsageError(`Cannot compress ${name}: found ${found}, wanted --nncf-quantization`);
  }
  await requireFile(
    "compress",
    await findWeights(flags.loadWeights, (message) => console.error(`warning: ${message}`)),
  );
  throw new UnavailableError(
    `Cannot compress ${name}: int8 quantization is not available yet (exit code ${exitCodes.unavailable})`,
  );
}
