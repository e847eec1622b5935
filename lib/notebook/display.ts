/** A result in several forms by MIME type; a viewer takes the richest one it knows. */
export type MimeBundle = Record<string, string | object | undefined>;

/** The part of `Deno.jupyter` that displays. */
export type DisplayFunction = (
  bundle: MimeBundle,
  options: { raw: true; display_id?: string; update?: boolean },
) => Promise<void>;

/** The method by which an object shows itself in a notebook. */
export const jupyterDisplay: unique symbol = Symbol.for("Jupyter.display");

/** Whether this code runs in a notebook kernel. */
export function isNotebook(): boolean {
  return notebookDisplay() !== undefined;
}

/** The kernel's display function, or undefined outside a notebook, where even reading `Deno.jupyter` throws. */
export function notebookDisplay(): DisplayFunction | undefined {
  try {
    return (bundle, options) => Deno.jupyter.display(bundle, options);
  } catch {
    return undefined;
  }
}

/**
 * Gives a plain result a look: it shows itself in a notebook, and as text where it is printed. The result stays plain
 * data: the two methods are not enumerable and not serialised.
 *
 * @param result A plain object.
 * @param look `bundle` makes what a notebook shows; `text` what a terminal shows.
 * @returns The same object.
 *
 * @example A result that prints as one line
 * ```ts
 * import assert from "node:assert/strict";
 * const result = withDisplay({ top1: 0.9 }, { bundle: () => ({ "text/plain": "top-1 90 %" }), text: () => "top-1 90 %" });
 * assert.equal(Deno.inspect(result), "top-1 90 %");
 * assert.equal(JSON.stringify(result), '{"top1":0.9}');
 * ```
 */
export function withDisplay<T extends object>(
  result: T,
  look: { bundle: (result: T) => MimeBundle | Promise<MimeBundle>; text: (result: T) => string },
): T {
  Object.defineProperty(result, jupyterDisplay, { value: () => look.bundle(result), enumerable: false });
  Object.defineProperty(result, Symbol.for("Deno.customInspect"), {
    value: () => look.text(result),
    enumerable: false,
  });
  return result;
}

/** An output of a cell that is replaced as things go on. */
export interface LiveOutput {
  /**
   * Shows something new, soon: too frequent calls are merged and the latest one wins.
   *
   * @param make Makes what is shown; called only when it is sent.
   */
  show(make: () => MimeBundle | Promise<MimeBundle>): void;
  /** Sends what is waiting, and waits until everything is sent. */
  flush(): Promise<void>;
}

/**
 * Opens an output that updates in place under one display id.
 *
 * @param display The kernel's display function.
 * @param options `interval`: least time between two updates in milliseconds; a notebook draws about five a second
 *   without falling behind. `effort`: largest share of the time that making updates may take, 0..1. `now`: the clock.
 * @default {interval: 200, effort: 0.05}
 * @returns The output.
 */
export function liveOutput(
  display: DisplayFunction,
  options: { interval?: number; effort?: number; now?: () => number } = {},
): LiveOutput {
  const { interval = 200, effort = 0.05, now = () => performance.now() } = options;
  const displayId = `whittle-${crypto.randomUUID()}`;
  let isShown = false;
  let notBefore = -Infinity;
  let waiting: (() => MimeBundle | Promise<MimeBundle>) | undefined;
  let sending: Promise<void> | undefined;
  let failure: { error: unknown } | undefined;

  const send = async () => {
    const make = waiting!;
    waiting = undefined;
    const start = now();
    const bundle = await make();
    await display(bundle, { raw: true, display_id: displayId, ...(isShown ? { update: true } : {}) });
    isShown = true;
    const cost = now() - start;
    notBefore = now() + Math.max(interval, cost / effort);
  };
  const sendInTurn = (): Promise<void> =>
    sending ??= send().catch((error) => {
      failure = { error }; // no promise floats: flush() reports it
    }).finally(() => sending = undefined);

  return {
    show(make) {
      waiting = make;
      if (!sending && now() >= notBefore) sendInTurn();
    },
    async flush() {
      while (sending || waiting) await (sending ?? sendInTurn());
      if (failure) throw failure.error;
    },
  };
}
