import { createCommand, exitCodes, runProgram, UnavailableError } from "../_program.ts";
import { readTemplate } from "./_template.ts";
import { findWeights } from "./_weights.ts";
import { requireFile } from "../_require_file.ts";

/** What `export.ts` is told. */
interface ExportFlags {
  readonly loadWeights: string;
  readonly saveModelTo: string;
  readonly onnx?: boolean;
  readonly openvino?: boolean;
  readonly openvinoInputFormat: string;
  readonly openvinoMoArgs: string;
  readonly classes: string;
  readonly loadAuxWeights: string;
}

/**
 * The program `export.ts` of a working folder. Exporting is not there yet: it checks what it is told and says so.
 *
 * @param folder The folder of `template.yaml`.
 * @param args What stands after `export.ts`.
 */
export async function exportModel(folder: string, args: readonly string[] = Deno.args): Promise<never> {
  return await runProgram(() => run(folder, args));
}

async function run(folder: string, args: readonly string[]): Promise<number> {
  const { name } = await readTemplate(folder);
  const flags = createCommand("deno run -A export.ts")
    .description(`Writes a trained ${name} as OpenVINO IR and ONNX. Not available yet.`)
    .requiredOption("--load-weights <file>", "what to export: a run's folder or its best.safetensors")
    .requiredOption("--save-model-to <folder>", "where the files go")
    .option("--onnx", "only ONNX, unless --openvino is given too")
    .option("--openvino", "only OpenVINO IR, unless --onnx is given too")
    .option("--openvino-input-format <format>", "order of the channels: BGR or RGB", "BGR")
    .option("--openvino-mo-args <args>", "accepted and not used: there is no model optimizer")
    .option("--classes <names>", "accepted and not used: the weights know them")
    .option("--load-aux-weights <file>", "accepted and not used: only the main model is exported")
    .addHelpText("after", "\nExit codes: 2 a flag or a setting cannot be used, 3 not available yet.")
    .parse([...args], { from: "user" }).opts<ExportFlags>();
  await requireFile(
    "export",
    await findWeights(flags.loadWeights, (message) => console.error(`warning: ${message}`)),
  );
  throw new UnavailableError(
    `Cannot export ${name}: export to OpenVINO IR and ONNX is not available yet (exit code ${exitCodes.unavailable})\n` +
      `  help: best.safetensors opens in PyTorch: timm.create_model(id, num_classes=n).load_state_dict(...)`,
  );
}
