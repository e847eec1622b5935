import { Command, CommanderError } from "npm:commander@15.1.0";

/** What a program of this folder tells a shell. */
export const exitCodes = {
  /** Done. */
  ok: 0,
  /** The work failed. */
  failed: 1,
  /** It was told something it cannot use: a flag, a setting of a YAML file. */
  usage: 2,
  /** What was asked for does not exist yet. */
  unavailable: 3,
  /** Stopped by Ctrl-C; the model is kept. */
  interrupted: 130,
} as const;

/** A flag, an argument or a setting of a file that cannot be used. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Something that is planned, and not there yet. */
export class UnavailableError extends Error {
  override readonly name = "UnavailableError";
}

/**
 * Runs a program and ends the process with its exit code. Errors that are meant for the user (they begin with
 * "Cannot") are shown by their message alone, others with the whole stack.
 *
 * @param program The program; what it returns is the exit code.
 * @param weightsFlag What `{ weights: "..." }` is called here, for messages that advise it.
 */
export async function runProgram(program: () => Promise<number>, weightsFlag = "--weights"): Promise<never> {
  try {
    Deno.exit(await program());
  } catch (error) {
    Deno.exit(explain(error, weightsFlag));
  }
}

function explain(error: unknown, weightsFlag: string): number {
  // Commander has printed what it has to say.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (error instanceof DOMException && error.name === "AbortError") {
    console.error("\nStopped.");
    return exitCodes.interrupted;
  }
  const isForUser = error instanceof Error && error.message.startsWith("Cannot ");
  const asFlag = (message: string) => message.replaceAll(/\{ weights: ("[^"]*") \}/g, `${weightsFlag} $1`);
  console.error(isForUser ? asFlag(error.message) : error);
  if (error instanceof UsageError) return exitCodes.usage;
  return error instanceof UnavailableError ? exitCodes.unavailable : exitCodes.failed;
}

/**
 * Runs a check of what the user wrote, whose errors are mistakes in usage.
 *
 * @param check The check.
 * @returns What it returns.
 * @throws {UsageError} With the message of what it throws.
 */
export function checkUsage<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

/**
 * A command whose mistakes end the process with the exit code for them.
 *
 * @param name How it is called, e.g. `deno run -A train.ts`.
 */
export function createCommand(name: string): Command {
  return new Command(name)
    .exitOverride()
    .showHelpAfterError("(--help lists all options)")
    .helpOption("-h, --help", "shows this");
}
