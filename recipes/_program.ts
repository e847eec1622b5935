import { Command, CommanderError, type ParseOptions } from "npm:commander@15.1.0";

/** What a program of this folder tells a shell. */
export const exitCodes = {
  /** Done. */
  ok: 0,
  /** The work failed. */
  failed: 1,
  /** It was told something it cannot use: a flag, a setting of a YAML file. */
  usage: 2,
  /** Stopped by Ctrl-C; the model is kept. */
  interrupted: 130,
} as const;

/** How this Deno is called: by somebody who has none installed, through npx. */
export const deno = /[/\\]node_modules[/\\]/.test(Deno.execPath())
  ? `npx -y deno@${Deno.version.deno}`
  : "deno";

/** A flag, an argument or a setting of a file that cannot be used. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * Runs a program and ends the process with its exit code. Errors that are meant for the user (they begin with
 * "Cannot ...: ") are shown by their message alone, others with the whole stack.
 *
 * @param program The program; what it returns is the exit code.
 * @param flags What options of the verbs are called here, for messages that advise them; `<>` is the value.
 */
export async function runProgram(
  program: () => Promise<number>,
  flags: Readonly<Record<string, string>> = {},
): Promise<never> {
  try {
    Deno.exit(await program());
  } catch (error) {
    Deno.exit(explain(error, { ...usualFlags, ...flags }));
  }
}

/** The flags of most programs. */
const usualFlags: Readonly<Record<string, string>> = {
  weights: "--weights <>",
  outputDir: "--output <>",
  onUnreadable: "--skip-unreadable",
};

function explain(error: unknown, flags: Readonly<Record<string, string>>): number {
  // Commander has printed what it has to say.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (error instanceof DOMException && error.name === "AbortError") {
    console.error("\nStopped.");
    return exitCodes.interrupted;
  }
  // "Cannot read properties of undefined" is a mistake of the program.
  const isForUser = error instanceof Error && /^Cannot [^\n]+?: /.test(error.message);
  const asFlag = (message: string) =>
    message.replaceAll(
      /\{ (\w+): ("[^"]*"|\.\.\.|true|false|[\d.e-]+|\{ [\w, ]+ \}) \}/g,
      (advice, option: string, value: string) => flags[option]?.replace("<>", () => value) ?? advice,
    );
  console.error(isForUser ? asFlag(error.message) : error);
  return error instanceof UsageError ? exitCodes.usage : exitCodes.failed;
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
  return new Program(name.replace(/^deno\b/, deno))
    .exitOverride()
    .showHelpAfterError("(--help lists all options)")
    .helpOption("-h, --help", "shows this");
}

/** A command that names all required flags that are missing, and flags whose value is another flag. */
class Program extends Command {
  override parse(argv: readonly string[] = Deno.args, options: ParseOptions = { from: "user" }): this {
    for (const [index, word] of argv.entries()) {
      const next = argv[index + 1] ?? "";
      const isFlag = (text: string) => this.options.find(({ long }) => long === text);
      if (!isFlag(word)?.required || !isFlag(next)) continue;
      this.error(`error: found no value between ${word} and ${next}. A variable of the shell may not be set`);
    }
    return super.parse(argv, options);
  }

  /** Commander calls this for the first that is missing. */
  missingMandatoryOptionValue(): void {
    const missing = this.options.filter((option) =>
      option.mandatory && this.getOptionValue(option.attributeName()) === undefined
    );
    const names = missing.map(({ flags }) => flags).join(", ");
    this.error(
      `error: ${missing.length === 1 ? "a required option is" : "required options are"} missing: ${names}`,
    );
  }
}
