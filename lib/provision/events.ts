/**
 * What is said while a library is being provided. Nothing in this folder prints but {@linkcode terminalProgress};
 * a notebook shows the same events in its own way.
 */
export type ProvisionEvent =
  | ProvisionWaitEvent
  | ProvisionBytesEvent
  | ProvisionWarningEvent
  | ProvisionReadyEvent;

/** Another process is providing the same thing; this one waits for it. */
export interface ProvisionWaitEvent {
  /** Somebody else is at it. */
  readonly type: "wait";
  /** What is being provided, e.g. `tensorflow-cpu 2.21.0`. */
  readonly what: string;
  /** The process that is at work, where it could be read. */
  readonly processId?: number;
  /** Since this process began to wait. */
  readonly elapsedSeconds: number;
}

/** Bytes came in (`download`) or were written (`unpack`). At most ten a second, and one at the end. */
export interface ProvisionBytesEvent {
  /** Coming from the package index, or going to the cache. */
  readonly type: "download" | "unpack";
  /** What is being provided, e.g. `tensorflow-cpu 2.21.0`. */
  readonly what: string;
  /** So far. */
  readonly doneBytes: number;
  /** In the end. */
  readonly totalBytes: number;
}

/** Something odd that does not stop the work, e.g. a connection that is tried again. */
export interface ProvisionWarningEvent {
  /** Something odd. */
  readonly type: "warning";
  /** What is being provided. */
  readonly what: string;
  /** What happened, in one line. */
  readonly message: string;
}

/** It is there now. Said only when it had to be fetched. */
export interface ProvisionReadyEvent {
  /** Done. */
  readonly type: "ready";
  /** What was provided. */
  readonly what: string;
  /** The folder in the cache. */
  readonly path: string;
  /** From the first look to now. */
  readonly seconds: number;
}

/** A reader of {@linkcode ProvisionEvent}s. */
export type ProvisionListener = (event: ProvisionEvent) => void;

/** Reports how many bytes of the whole are done. */
export type ReportBytes = (doneBytes: number, totalBytes: number) => void;

/**
 * Turns a stream of byte counts into events, at most ten a second.
 *
 * @param type `download` or `unpack`.
 * @param what What is being provided.
 * @param listener Who is told; may be missing.
 * @returns A function to call as often as one likes; the call that reaches the total is always passed on, once.
 */
export function reportBytes(
  type: "download" | "unpack",
  what: string,
  listener?: ProvisionListener,
): ReportBytes {
  let last = -Infinity;
  let finished = false;
  return (doneBytes, totalBytes) => {
    const now = performance.now();
    const complete = doneBytes >= totalBytes;
    if (finished || (!complete && now - last < 100)) return;
    last = now;
    finished = complete;
    listener?.({ type, what, doneBytes: Math.min(doneBytes, totalBytes), totalBytes });
  };
}
