import assert from "node:assert/strict";
import type { ProvisionEvent } from "../../lib/provision/events.ts";
import { terminalProgress } from "../../lib/provision/terminal_progress.ts";

const what = "tensorflow-cpu 2.21.0";
const bytes = (type: "download" | "unpack", doneBytes: number): ProvisionEvent => ({
  type,
  what,
  doneBytes,
  totalBytes: type === "download" ? 274e6 : 853e6,
});
const EVENTS: ProvisionEvent[] = [
  { type: "wait", what, processId: 7, elapsedSeconds: 0.1 },
  { type: "wait", what, processId: 7, elapsedSeconds: 75 },
  bytes("download", 0),
  bytes("download", 10e6),
  { type: "warning", what, message: "Retrying" },
  bytes("download", 137e6),
  bytes("download", 274e6),
  bytes("unpack", 853e6),
  { type: "ready", what, path: "/cache/x", seconds: 15.2 },
];

function written(redraw: boolean, columns: number = 120): string {
  let text = "";
  const listener = terminalProgress({ write: (part) => text += part, redraw, columns });
  for (const event of EVENTS) listener(event);
  return text;
}

Deno.test("terminalProgress() writes a line a quarter where lines cannot be redrawn", () => {
  assert.equal(
    written(false),
    `Waiting for process 7, which fetches tensorflow-cpu 2.21.0
Downloading tensorflow-cpu 2.21.0: 0 B of 274 MB
  Retrying
Downloading tensorflow-cpu 2.21.0: 137 MB of 274 MB
Downloading tensorflow-cpu 2.21.0: 274 MB of 274 MB
Unpacking tensorflow-cpu 2.21.0: 853 MB of 853 MB
Ready in 15 s: /cache/x
`,
  );
});

Deno.test("terminalProgress() redraws a bar in a terminal", () => {
  const lines = written(true).replaceAll("\x1b[K", "").split(/\n|\r/).filter((line) => line !== "");
  assert.deepEqual(lines, [
    "Waiting for process 7, which fetches tensorflow-cpu 2.21.0  1 s",
    "Waiting for process 7, which fetches tensorflow-cpu 2.21.0  1 min 15 s",
    "Downloading tensorflow-cpu 2.21.0  ░░░░░░░░░░░░░░░░░░░░░░░░  0 B of 274 MB",
    "Downloading tensorflow-cpu 2.21.0  █░░░░░░░░░░░░░░░░░░░░░░░  10.0 MB of 274 MB  1 s left",
    "  Retrying",
    "Downloading tensorflow-cpu 2.21.0  ████████████░░░░░░░░░░░░  137 MB of 274 MB  1 s left",
    "Downloading tensorflow-cpu 2.21.0  ████████████████████████  274 MB of 274 MB",
    "Unpacking tensorflow-cpu 2.21.0  ████████████████████████  853 MB of 853 MB",
    "Ready in 15 s: /cache/x",
  ]);
});

Deno.test("terminalProgress() keeps to the width of the terminal", () => {
  for (
    const [columns, line] of [
      [79, "Downloading tensorflow-cpu 2.21.0  ████░░░░  137 MB of 274 MB  1 s left"],
      [40, "Downloading tensorflow-cpu 2.21.0  137 M"],
    ] as const
  ) {
    const lines = written(true, columns).replaceAll("\x1b[K", "").split(/\n|\r/);
    assert.equal(lines.includes(line.slice(0, columns - 1)), true, lines.join("\n"));
    assert.deepEqual(lines.filter((text) => /^(Down|Unp)/.test(text) && text.length >= columns), []);
  }
});
