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
  readonly type: "wait";
  /** What is being provided, e.g. `tensorflow-cpu 2.21.0`. */
  readonly what: string;
  /** The process that is at work, where it could be read. */
  readonly processId?: number;
  readonly elapsedSeconds: number;
}

/** Bytes came in (`download`) or were written (`unpack`). At most ten a second, and one at the end. */
export interface ProvisionBytesEvent {
  readonly type: "download" | "unpack";
  readonly what: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** Something odd that does not stop the work, e.g. a connection that is tried again. */
export interface ProvisionWarningEvent {
  readonly type: "warning";
  readonly what: string;
  readonly message: string;
}

/** It is there now. Said only when it had to be fetched. */
export interface ProvisionReadyEvent {
  readonly type: "ready";
  readonly what: string;
  /** The folder in the cache. */
  readonly path: string;
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
