/**
 * Turns a model into int8. Not there yet: it checks its arguments and says so.
 *
 * @module
 */
import { requireFile } from "./_require_file.ts";
import { dataHelp } from "./_open_data.ts";
import { createCommand, runProgram, UnavailableError } from "./_program.ts";

await runProgram(async () => {
  const command = createCommand("deno run -A recipes/quantize.ts")
    .description("Turns a model into int8. Not available yet.")
    .argument("<source>", "a run's best.safetensors")
    .argument("<data>", dataHelp)
    .addHelpText("after", "\nExit codes: 2 an argument cannot be used, 3 not available yet.")
    .parse(Deno.args, { from: "user" });
  await requireFile("quantize", command.args[0]!);
  throw new UnavailableError("Cannot quantize: int8 quantization is not available yet (exit code 3)");
});
