/**
 * Exports a model as OpenVINO IR. Not there yet: it checks its arguments and says so.
 *
 * @module
 */
import { requireFile } from "./_require_file.ts";
import { createCommand, runProgram, UnavailableError } from "./_program.ts";

await runProgram(async () => {
  const command = createCommand("deno run -A recipes/export_ir.ts")
    .description("Exports a model as OpenVINO IR. Not available yet.")
    .argument("<source>", "a run's best.safetensors")
    .argument("<folder>", "where model.xml and model.bin go")
    .addHelpText("after", "\nExit codes: 2 an argument cannot be used, 3 not available yet.")
    .parse(Deno.args, { from: "user" });
  await requireFile("export", command.args[0]!);
  throw new UnavailableError("Cannot export: export to OpenVINO IR is not available yet (exit code 3)");
});
