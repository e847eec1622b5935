import { Worker } from "node:worker_threads";
import type { ProvisionListener } from "../provision/events.ts";
import type { Answer, Request } from "./_worker.ts";
import { otherFailed } from "./barrier.ts";
import type { FoundNativeLibrary } from "../provision/native_library.ts";
import { findOneDNN } from "./library.ts";

/** How {@linkcode startTeam} works. */
export interface TeamOptions {
  /**
   * How many threads compute.
   * @default {OMP_NUM_THREADS if it is set, else the number of processors}
   */
  readonly threads?: number;
  /** Told about the progress of a download. */
  readonly onProgress?: ProvisionListener;
  /** Stops a download. */
  readonly signal?: AbortSignal;
}

let starting: Promise<Team> | undefined;
let current: Team | undefined;

/** The running team, if {@linkcode startTeam} has started it. */
export function currentTeam(): Team | undefined {
  return current;
}

/**
 * Starts the threads all compiled functions share, once; fetches the library first if it is not there.
 *
 * @param options Threads, and who is told. They count the first time only.
 * @returns The team.
 * @throws {LibraryError} If oneDNN cannot be used here.
 */
export async function startTeam(options: TeamOptions = {}): Promise<Team> {
  starting ??= (async () => {
    const library = await findOneDNN(options);
    return current = await Team.start(options.threads ?? defaultThreads(), library);
  })();
  try {
    return await starting;
  } catch (thrown) {
    starting = undefined; // another try may find the network
    throw thrown;
  }
}

/** Threads a team has unless it is told otherwise. */
export function defaultThreads(): number {
  const wanted = Number(Deno.env.get("OMP_NUM_THREADS"));
  return Number.isInteger(wanted) && wanted > 0 ? wanted : navigator.hardwareConcurrency;
}

/**
 * Worker threads that compute together. They sleep between runs and do not keep the process alive.
 */
export class Team {
  readonly threads: number;
  readonly library: FoundNativeLibrary;
  /** Library, version and instructions, e.g. `oneDNN 3.2.0 (AVX2)`. */
  description = "oneDNN";
  readonly #workers: Worker[];
  readonly #waiting: ((answer: Answer) => void)[][];
  /** Why a thread has ended, if one has. */
  #ended: string | undefined;
  #busy = 0;

  private constructor(threads: number, library: FoundNativeLibrary) {
    this.threads = threads;
    this.library = library;
    this.#waiting = Array.from({ length: threads }, () => []);
    this.#workers = Array.from({ length: threads }, (_, thread) => {
      const worker = new Worker(new URL("./_worker.ts", import.meta.url));
      worker.on("message", (answer: Answer) => this.#waiting[thread]!.shift()?.(answer));
      const end = (reason: string) => {
        this.#ended ??= `thread ${thread} of oneDNN's has ended: ${reason}\n  help: start the program again`;
        for (const settle of this.#waiting[thread]!.splice(0)) settle({ error: this.#ended });
      };
      worker.on("error", (error: Error) => end(error.message));
      worker.on("exit", () => end("it was stopped"));
      worker.unref();
      return worker;
    });
  }

  /**
   * Starts threads and opens the library in each.
   *
   * @param threads How many.
   * @param library Where libdnnl is.
   * @returns The team.
   */
  static async start(threads: number, library: FoundNativeLibrary): Promise<Team> {
    const team = new Team(threads, library);
    const [description] = await team.ask(() => ({ kind: "open", library: library.path }));
    team.description = description as string;
    return team;
  }

  /**
   * Asks every thread for something.
   *
   * @param request The request for each.
   * @param onFailure Called at once when one has failed, while others may still be busy.
   * @returns Their results, when all are done.
   * @throws {Error} What the first that failed said.
   */
  async ask(request: (thread: number) => Request, onFailure?: () => void): Promise<unknown[]> {
    if (this.#ended !== undefined) throw new Error(this.#ended);
    if (this.#busy++ === 0) { for (const worker of this.#workers) worker.ref(); }
    try {
      const answers = await Promise.all(
        this.#workers.map((worker, thread) =>
          new Promise<Answer>((resolve) => {
            this.#waiting[thread]!.push((answer) => {
              if (answer.error !== undefined) onFailure?.();
              resolve(answer);
            });
            worker.postMessage(request(thread));
          })
        ),
      );
      const failed = answers.map(({ error }) => error).filter((error) => error !== undefined);
      if (failed.length > 0) {
        throw new Error(failed.find((error) => error !== otherFailed) ?? failed[0]);
      }
      return answers.map(({ result }) => result);
    } finally {
      if (--this.#busy === 0) { for (const worker of this.#workers) worker.unref(); }
    }
  }

  /** Ends the threads. */
  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
