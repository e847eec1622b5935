import { percent } from "./_terminal.ts";
import type { FineTuneResult } from "../mod.ts";
import { exitCodes } from "./_program.ts";

/** Prints what a run came to, and how to go on if it was stopped. Returns the program's exit code. */
export function tellOutcome(run: FineTuneResult): number {
  const { best, checkpoint, outputDir, stopped } = run;
  if (best !== undefined) {
    const { epoch, validationTop1, validationTop5 } = best;
    console.log(
      `best epoch ${epoch + 1}: top-1 ${percent(validationTop1)}, top-5 ${percent(validationTop5)}`,
    );
  }
  console.log(checkpoint);
  if (stopped !== "interrupted") return exitCodes.ok;
  console.error(`Stopped. The same command with --resume-from "${outputDir}" goes on.`);
  return exitCodes.interrupted;
}
