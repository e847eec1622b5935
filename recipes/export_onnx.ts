/**
 * Writes a model as an ONNX file: `deno run -A recipes/export_onnx.ts outputs/pets pets.onnx`.
 *
 * @module
 */
import { exportONNX } from "../lib/export_onnx.ts";
import { withStopSignal } from "../lib/notebook/stop_signal.ts";
import { addExportFlags, type ExportFlags, exportOptionsOf, parityFlags } from "./_export_flags.ts";
import { createCommand, exitCodes, runProgram } from "./_program.ts";
import { namingFlags } from "./_recipe_flags.ts";
import { requireSource, sourceHelp } from "./_require_source.ts";

await runProgram(
  namingFlags(async () => {
    const command = createCommand("deno run -A recipes/export_onnx.ts")
      .description("Writes a model as an ONNX file, after comparing it with the model in onnxruntime.")
      .argument("<source>", `${sourceHelp}; int8 or float`)
      .argument("<file>", "where the file goes, ending in .onnx; an older one is replaced");
    addExportFlags(command)
      .addHelpText(
        "after",
        "\nA file that computes something else than the model is not written.\n" +
          "Exit codes: 0 done, 1 failed, 2 an argument cannot be used, 130 stopped.",
      )
      .parse(Deno.args, { from: "user" });
    const [given, file] = command.args as [string, string];
    const source = await requireSource("export", given);
    const options = exportOptionsOf(command.opts<ExportFlags>());
    console.log(await withStopSignal((signal) => exportONNX(source, file, { ...options, signal })));
    return exitCodes.ok;
  }),
  parityFlags,
);
