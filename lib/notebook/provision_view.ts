import type { ProvisionEvent, ProvisionListener } from "../provision/events.ts";
import { formatBytes } from "../provision/cache.ts";
import { terminalProgress } from "../provision/terminal_progress.ts";
import { liveOutput, notebookDisplay } from "./display.ts";
import { html } from "./html.ts";

/**
 * Shows the one-time downloads of libraries and weights where the user looks: in the notebook's cell, or in the
 * terminal.
 *
 * @returns A listener to pass as `onProgress`. It shows nothing while nothing has to be fetched.
 */
export function provisionView(): ProvisionListener {
  const display = notebookDisplay();
  if (!display) return terminalProgress();
  let output: ReturnType<typeof liveOutput> | undefined;
  return (event) => {
    output ??= liveOutput(display);
    const text = describe(event);
    const share = "doneBytes" in event ? event.doneBytes / event.totalBytes : undefined;
    output.show(() => ({
      "text/html":
        html`<div>${text} ${
          share === undefined ? "" : html`<progress value="${share.toFixed(4)}" max="1"></progress>`
        }</div>`.markup,
      "text/plain": text,
    }));
    if (event.type === "ready") void output.flush().catch(() => {});
  };
}

function describe(event: ProvisionEvent): string {
  switch (event.type) {
    case "wait":
      return `Waiting for another process, which fetches ${event.what}`;
    case "download":
    case "unpack": {
      const action = event.type === "download" ? "Downloading" : "Unpacking";
      return `${action} ${event.what}: ${formatBytes(event.doneBytes)} of ${formatBytes(event.totalBytes)}`;
    }
    case "warning":
      return event.message;
    case "ready":
      return `Ready: ${event.path}`;
  }
}
