import { basename, join } from "node:path";
import { Option } from "npm:commander@15.1.0";
import type { ExportOptions } from "../../lib/export/export_options.ts";
import { exportIR } from "../../lib/export_ir.ts";
import { exportONNX } from "../../lib/export_onnx.ts";
import { withStopSignal } from "../../lib/notebook/stop_signal.ts";
import { addCommonExportFlags, type ExportFlags, exportOptionsOf, parityFlags } from "../_export_flags.ts";
import { createCommand, exitCodes, runProgram, UsageError } from "../_program.ts";
import { namingFlags } from "../_recipe_flags.ts";
import { listClasses } from "./_pictures.ts";
import { readTemplate, type Template } from "./_template.ts";
import { findWeights, requireTrained } from "./_weights.ts";

/** What `export.ts` is told; the reference's flags, and our own at the end. */
interface TemplateExportFlags extends ExportFlags {
  readonly loadWeights: string;
  readonly saveModelTo: string;
  readonly onnx?: boolean;
  readonly openvino?: boolean;
  readonly openvinoInputFormat?: "BGR" | "RGB";
  readonly openvinoMoArgs?: string;
  readonly classes?: string;
  readonly dryRun?: boolean;
}

/**
 * The program `export.ts` of a working folder: writes a trained model as OpenVINO IR and ONNX, each compared with it.
 *
 * @param folder The folder of `template.yaml`.
 * @param args What stands after `export.ts`.
 */
export async function exportModel(folder: string, args: readonly string[] = Deno.args): Promise<never> {
  return await runProgram(namingFlags(() => run(folder, args)), parityFlags);
}

async function run(folder: string, args: readonly string[]): Promise<number> {
  const template = await readTemplate(folder);
  const flags = exportCommand(template).parse([...args], { from: "user" }).opts<TemplateExportFlags>();
  const warn = (message: string) => console.error(`warning: ${message}`);
  const files = filesOf(template, flags);
  const path = await findWeights(flags.loadWeights, warn);
  const saved = await requireTrained("export", path, template.main.id, listClasses(flags.classes ?? ""));
  if (flags.openvinoMoArgs) {
    warn("--openvino-mo-args has no effect: the file is written without a model optimizer");
  }
  if (flags.dryRun) {
    console.log(
      `weights: ${path}, ${saved.quantization === undefined ? "float" : "int8"}\n` +
        `classes: ${saved.classNames.join(", ")}\n${files.map(({ paths }) => paths.join(", ")).join("\n")}`,
    );
    return exitCodes.ok;
  }
  await withStopSignal(async (signal) => {
    const options = { ...exportOptionsOf(flags), signal };
    for (const { write } of files) console.log(await write(path, options));
  });
  return exitCodes.ok;
}

/** A file that is asked for. */
interface WantedFile {
  readonly paths: readonly string[];
  readonly write: (source: string, options: ExportOptions) => Promise<object>;
}

function filesOf(
  { main, name, output, files: [yaml] }: Template,
  { onnx, openvino, openvinoInputFormat, saveModelTo }: TemplateExportFlags,
): WantedFile[] {
  // Whoever names one wants that one.
  const wanted = onnx || openvino ? { onnx, openvino } : output;
  const stem = basename(main.file.path).replace(/\.ya?ml$/, "");
  const at = (ending: string) => join(saveModelTo, `${stem}.${ending}`);
  const files: WantedFile[] = [];
  if (wanted.openvino) {
    const channelOrder = (openvinoInputFormat ?? output.inputFormat) === "RGB" ? "rgb" : "bgr";
    files.push({
      paths: [at("xml"), at("bin")],
      write: (source, options) => exportIR(source, saveModelTo, { ...options, channelOrder, name: stem }),
    });
  }
  if (wanted.onnx) {
    files.push({
      paths: [at("onnx")],
      // As the reference's, which takes what its training takes.
      write: (source, options) =>
        exportONNX(source, at("onnx"), { ...options, channelOrder: "rgb", preprocessing: "normalized" }),
    });
  }
  if (files.length > 0) return files;
  throw new UsageError(
    `Cannot export ${name}: both output formats are False in ${yaml!.place(["output_format"])}\n` +
      `  help: pass --openvino or --onnx`,
  );
}

function exportCommand({ name, output }: Template) {
  const usual = [output.openvino && "OpenVINO IR", output.onnx && "ONNX"].filter((format) => format)
    .join(" and ");
  const command = createCommand("deno run -A export.ts")
    .description(`Writes a trained ${name}, int8 or float, as OpenVINO IR and ONNX.`)
    .requiredOption("--load-weights <file>", "what to export: a run's folder or its best.safetensors")
    .requiredOption("--save-model-to <folder>", "where main_model.xml, main_model.bin and main_model.onnx go")
    .option("--openvino", `only OpenVINO IR, unless --onnx is given too (default: ${usual || "nothing"})`)
    .option("--onnx", "only ONNX, unless --openvino is given too; it takes normalised RGB")
    .addOption(
      new Option(
        "--openvino-input-format <format>",
        `order of the channels of OpenVINO's file, which takes raw values, 0..255 (default: ${output.inputFormat})`,
      ).choices(["BGR", "RGB"]),
    )
    .option("--openvino-mo-args <args>", "accepted, without effect: there is no model optimizer")
    .option("--classes <names>", "the classes, with commas; an error if they are not those of the weights")
    .option("--load-aux-weights <file>", "accepted and not used: only the main model is exported")
    .optionsGroup("Not in OpenVINO Training Extensions:");
  return addCommonExportFlags(command)
    .option("--dry-run", "show what would be written, and write nothing")
    .addHelpText(
      "after",
      "\nEach file is compared with the trained model in its runtime; one that computes something else is not\n" +
        "written.\nExit codes: 0 done, 1 failed, 2 a flag or a setting cannot be used, 130 stopped.",
    );
}
