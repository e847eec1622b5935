import { Worker } from "node:worker_threads";
import type { Answer, Request } from "./_worker.ts";

/**
 * Worker threads that compute together. They sleep between runs and do not keep the process alive.
 */
export class Team {
  readonly threads: number;
  readonly #workers: Worker[];
  readonly #waiting: ((answer: Answer) => void)[][];
  #busy = 0;

  private constructor(threads: number) {
    this.threads = threads;
    this.#waiting = Array.from({ length: threads }, () => []);
    this.#workers = Array.from({ length: threads }, (_, thread) => {
      const worker = new Worker(new URL("./_worker.ts", import.meta.url));
      worker.on("message", (answer: Answer) => this.#waiting[thread]!.shift()?.(answer));
      worker.on("error", (error: Error) => {
        for (const settle of this.#waiting[thread]!.splice(0)) settle({ error: error.message });
      });
      worker.unref();
      return worker;
    });
  }

  /**
   * Starts threads and opens the library in each.
   *
   * @param threads How many.
   * @param library Path of libdnnl.
   * @returns The team.
   */
  static async start(threads: number, library: string): Promise<Team> {
    const team = new Team(threads);
    await team.ask(() => ({ kind: "open", library }));
    return team;
  }

  /**
   * Asks every thread for something.
   *
   * @param request The request for each.
   * @returns Their results, when all are done.
   * @throws {Error} What the first that failed said.
   */
  async ask(request: (thread: number) => Request): Promise<unknown[]> {
    if (this.#busy++ === 0) { for (const worker of this.#workers) worker.ref(); }
    try {
      const answers = await Promise.all(
        this.#workers.map((worker, thread) =>
          new Promise<Answer>((resolve) => {
            this.#waiting[thread]!.push(resolve);
            worker.postMessage(request(thread));
          })
        ),
      );
      const failed = answers.map(({ error }) => error).filter((error) => error !== undefined);
      if (failed.length > 0) {
        throw new Error(failed.find((error) => !error.startsWith("another thread")) ?? failed[0]);
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
