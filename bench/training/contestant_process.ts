import { linesOf } from "./lines.ts";

/** What a contestant measured in one turn. */
export interface Measurement {
  /** Of each training step. */
  readonly trainingSeconds: readonly number[];
  /** Of each batch that was evaluated. */
  readonly evaluationSeconds: readonly number[];
  /** The most memory the process ever took (`VmHWM`), read between training and evaluation. */
  readonly peakMemoryBytes: number;
}

/** How a program is started. */
export interface Program {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A running program that measures when it is told to, and waits meanwhile. */
export class ContestantProcess {
  /** From the start of the process to the end of the first training step. */
  readonly firstStepSeconds: number;
  /** Of its libraries. */
  readonly versions: Readonly<Record<string, string>>;
  readonly #child: Deno.ChildProcess;
  readonly #lines: AsyncGenerator<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #complaints: Complaints;

  private constructor(
    running: { child: Deno.ChildProcess; lines: AsyncGenerator<string>; complaints: Complaints },
    first: { seconds: number; versions: Record<string, string> },
  ) {
    this.#child = running.child;
    this.#lines = running.lines;
    this.#complaints = running.complaints;
    this.#input = running.child.stdin.getWriter();
    this.firstStepSeconds = first.seconds;
    this.versions = first.versions;
  }

  /**
   * Starts a program and waits for its first step.
   *
   * @param command How it is started.
   * @throws {Error} If it ends before.
   */
  static async start({ program, args, env }: Program): Promise<ContestantProcess> {
    const began = performance.now();
    const child = new Deno.Command(program, {
      args: [...args],
      env: { ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const running = { child, lines: linesOf(child.stdout), complaints: new Complaints(child.stderr) };
    const { versions } = JSON.parse(await nextLine(running.lines, child, running.complaints));
    return new ContestantProcess(running, { seconds: (performance.now() - began) / 1000, versions });
  }

  /**
   * Has it measure once.
   *
   * @param steps Fewest steps.
   * @param seconds Least time of training; evaluation takes half of it.
   * @throws {Error} If the process ends.
   */
  async measure(steps: number, seconds: number): Promise<Measurement> {
    await this.#input.write(new TextEncoder().encode(`${steps} ${seconds}\n`)).catch(() => {}); // it ended: see below
    return JSON.parse(await nextLine(this.#lines, this.#child, this.#complaints));
  }

  /** Ends the process. */
  async end(): Promise<void> {
    await this.#input.close().catch(() => {}); // it may have ended by itself
    await this.#lines.return(undefined);
    await this.#child.status;
    await this.#complaints.all;
  }
}

/** The end of what a process says on standard error. */
class Complaints {
  /** Resolves when nothing comes any more. */
  readonly all: Promise<void>;
  #last: string[] = [];

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.all = (async () => {
      for await (const line of linesOf(stream)) this.#last = [...this.#last, line].slice(-4);
    })();
  }

  toString(): string {
    return this.#last.join("\n");
  }
}

/** The next line that is JSON; libraries may write others. */
async function nextLine(
  lines: AsyncGenerator<string>,
  child: Deno.ChildProcess,
  complaints: Complaints,
): Promise<string> {
  for (let next = await lines.next(); !next.done; next = await lines.next()) {
    if (next.value.startsWith("{")) return next.value;
  }
  const { code, signal } = await child.status;
  await complaints.all;
  throw new Error(`ended with ${signal ?? `exit status ${code}`}: ${complaints}`);
}
