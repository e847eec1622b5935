import { isNotebook } from "./display.ts";

/** Signals closer together than this are one key press: a launcher may pass on what the terminal sent already. */
const echoMilliseconds = 300;

/** How many runs are listening, and when the first unanswered signal came. */
let listening = 0;
let stoppedAt: number | undefined;

/** Options of {@linkcode withStopSignal}. */
export interface StopSignalOptions {
  /** A signal of the user's own that stops the run too. */
  signal?: AbortSignal;
  /** Whether a second Ctrl-C ends the process. @default {outside a notebook} */
  exitOnSecond?: boolean;
}

/**
 * Runs a function that Ctrl-C or the notebook's Stop button stops gently: the function's `AbortSignal` aborts, and it
 * decides how to finish (a recipe finishes the step, saves and returns the best so far). A second Ctrl-C in a terminal
 * ends the process at once. In a notebook the kernel lives on: without a listener SIGINT would kill it.
 *
 * Runs may be nested; the signal stops all of them. The listener is called when the event loop turns, so a loop that
 * only computes must `await` a timer or a nonblocking call about every 100 ms.
 *
 * @param run What to run.
 * @param options A further signal that stops the run.
 * @returns What `run` returns. When it is done, SIGINT means what it meant before.
 *
 * @example A run that is stopped by its own signal
 * ```ts
 * import assert from "node:assert/strict";
 * const result = await withStopSignal(async (signal) => {
 *   for (let step = 0; ; step++) {
 *     await new Promise((resolve) => setTimeout(resolve, 1));
 *     if (signal.aborted) return step;
 *   }
 * }, { signal: AbortSignal.timeout(20) });
 * assert.ok(result > 0);
 * ```
 */
export async function withStopSignal<T>(
  run: (signal: AbortSignal) => Promise<T>,
  options: StopSignalOptions = {},
): Promise<T> {
  const exitOnSecond = options.exitOnSecond ?? !isNotebook();
  const controller = new AbortController();
  const onInterrupt = () => {
    const now = performance.now();
    stoppedAt ??= now;
    if (exitOnSecond && now - stoppedAt > echoMilliseconds) Deno.exit(130); // 128 + SIGINT, as shells count
    controller.abort(new DOMException("Stopped by the user", "AbortError"));
  };
  Deno.addSignalListener("SIGINT", onInterrupt);
  listening++;
  try {
    const signal = options.signal ? AbortSignal.any([controller.signal, options.signal]) : controller.signal;
    return await run(signal);
  } finally {
    Deno.removeSignalListener("SIGINT", onInterrupt);
    if (--listening === 0) stoppedAt = undefined;
  }
}
