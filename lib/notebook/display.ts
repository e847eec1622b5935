import { html } from "./html.ts";

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
    const { display } = Deno.jupyter;
    return (bundle, options) => display(bundle, options);
  } catch {
    return undefined;
  }
}

/** A plain result that shows itself and draws its figures when they are asked for. */
export type Displayed<T, F> = T & { readonly figures: F };

/** How a result looks. */
export interface Look<T, F> {
  /** The figures, by name; drawn when they are asked for. */
  figures(result: T): F;
  /** What a notebook shows, one output after the other. */
  outputs(result: T): Promise<MimeBundle[]>;
  /** What a terminal shows. */
  text(result: T): string;
}

/**
 * Gives a plain result a look: it shows itself in a notebook, prints as text, and has `figures`. It stays plain data:
 * what is added is not enumerable and not serialised.
 *
 * @param result A plain object.
 * @param look How it looks.
 * @returns The same object.
 *
 * @example A result that prints as one line
 * ```ts
 * import assert from "node:assert/strict";
 * const result = withLook({ top1: 0.9 }, {
 *   figures: () => ({}),
 *   outputs: ({ top1 }) => Promise.resolve([{ "text/plain": `top-1 ${top1}` }]),
 *   text: ({ top1 }) => `top-1 ${top1}`,
 * });
 * assert.equal(Deno.inspect(result), "top-1 0.9");
 * assert.equal(JSON.stringify(result), '{"top1":0.9}');
 * ```
 */
export function withLook<T extends object, F extends object>(result: T, look: Look<T, F>): Displayed<T, F> {
  const hidden = { enumerable: false, configurable: true };
  Object.defineProperty(result, "figures", { ...hidden, get: () => look.figures(result) });
  Object.defineProperty(result, jupyterDisplay, { ...hidden, value: () => showResult(result, look) });
  Object.defineProperty(result, Symbol.for("Deno.customInspect"), {
    ...hidden,
    value: () => look.text(result),
  });
  return result as Displayed<T, F>;
}

/**
 * Shows a result. A cell's value has one output only, and a busy kernel may lose it: so all outputs are displayed, and
 * the value is a line that names the figures.
 */
async function showResult<T, F extends object>(result: T, look: Look<T, F>): Promise<MimeBundle> {
  const outputs = await look.outputs(result);
  if (!isNotebook()) { // some other reader of results: everything in one piece, but figures
    const markup = outputs.map((output) => output["text/html"] ?? "").join("\n");
    return { "text/html": markup, "text/plain": look.text(result) };
  }
  return await showOutputs(outputs, figureHint(Object.keys(look.figures(result))));
}

/**
 * Displays several outputs and returns the value of the cell.
 *
 * @param outputs What must be seen.
 * @param value What may be lost; it is returned.
 */
export async function showOutputs(outputs: readonly MimeBundle[], value: MimeBundle): Promise<MimeBundle> {
  const display = notebookDisplay();
  if (!display) return outputs[0] ?? value;
  for (const output of outputs) await display(indented(output), { raw: true });
  await outputsSent();
  return indented(value);
}

/** Figures keep some room on their left; text stands in line with them instead of at the edge of the cell. */
function indented(bundle: MimeBundle): MimeBundle {
  const markup = bundle["text/html"];
  if (markup === undefined) return bundle;
  return { ...bundle, "text/html": `<div style="margin-left:20px">${markup}</div>` };
}

/** One line that names the figures of a result, if it has any. */
function figureHint(names: readonly string[]): MimeBundle {
  if (names.length === 0) return { "text/plain": "" };
  const list = names.map((name) => `.figures.${name}`).join(", ");
  return {
    "text/html":
      html`<small style="opacity:.65">Figures, e.g. to save as HTML, SVG or PNG: <code>${list}</code></small>`
        .markup,
    "text/plain": `figures: ${list}`,
  };
}

/**
 * Waits until the kernel has probably sent what was displayed. It sends outputs from a queue in another thread, and
 * the end of the cell can overtake them on a busy machine; front ends then drop them. There is no answer to wait for.
 */
function outputsSent(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 150));
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
    const cost = isShown ? now() - start : 0; // the first one also loads what making needs
    isShown = true;
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
      if (isShown) await outputsSent();
      if (failure) throw failure.error;
    },
  };
}
