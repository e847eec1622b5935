/**
 * Writes a model as OpenVINO's files: `deno run -A recipes/export_ir.ts outputs/pets pets_ir`.
 *
 * @module
 */
import { exportIR } from "../lib/export_ir.ts";
import { withStopSignal } from "../lib/notebook/stop_signal.ts";
import { addExportFlags, type ExportFlags, exportOptionsOf, parityFlags } from "./_export_flags.ts";
import { createCommand, exitCodes, runProgram, UsageError } from "./_program.ts";
import { namingFlags } from "./_recipe_flags.ts";
import { requireSource, sourceHelp } from "./_require_source.ts";

await runProgram(
  namingFlags(async () => {
    const command = createCommand("deno run -A recipes/export_ir.ts")
      .description("Writes a model as OpenVINO IR, after comparing the file with the model in OpenVINO.")
      .argument("<source>", `${sourceHelp}; int8 or float`)
      .argument("<folder>", "where model.xml and model.bin go; older files are replaced")
      .option("--name <name>", "name of the two files (default: model)")
      .option("--any-size", "the file takes raw pictures of any size and resizes them itself");
    addExportFlags(command)
      .addHelpText(
        "after",
        "\nA file that computes something else than the model is not written.\n" +
          "Exit codes: 0 done, 1 failed, 2 an argument cannot be used, 130 stopped.",
      )
      .parse(Deno.args, { from: "user" });
    const [given, folder] = command.args as [string, string];
    const { name, anySize, ...flags } = command.opts<ExportFlags & { name?: string; anySize?: boolean }>();
    if (anySize && flags.preprocessing === "normalized") {
      throw new UsageError(
        "Cannot export: found --any-size and --preprocessing normalized, wanted one: a file resizes raw pictures only",
      );
    }
    const source = await requireSource("export", given);
    console.log(
      await withStopSignal((signal) =>
        exportIR(source, folder, {
          ...exportOptionsOf(flags),
          ...(name === undefined ? {} : { name }),
          ...(anySize ? { anySize } : {}),
          signal,
        })
      ),
    );
    return exitCodes.ok;
  }),
  parityFlags,
);
