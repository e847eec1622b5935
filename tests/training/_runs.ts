/** Short runs for tests. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { TrainingEvent } from "../../lib/training/events.ts";

const root = await Deno.realPath(await Deno.makeTempDir());
addEventListener("unload", () => Deno.removeSync(root, { recursive: true }));
let folders = 0;

/** A path in a folder that is removed when the tests end; nothing is there yet. */
export function freshFolder(): string {
  return join(root, `${++folders}`);
}

/** Collects the events of a run: `{ events, onEvent }`. */
export function collectEvents(): { events: TrainingEvent[]; onEvent: (event: TrainingEvent) => void } {
  const events: TrainingEvent[] = [];
  return { events, onEvent: (event) => void events.push(event) };
}

/** The error a promise fails with. */
export async function failure(promise: Promise<unknown>): Promise<Error> {
  const error = await promise.then(() => assert.fail("did not fail"), (error) => error);
  assert(error instanceof Error);
  return error;
}
