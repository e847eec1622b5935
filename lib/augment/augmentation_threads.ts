import { Worker } from "node:worker_threads";
import type { Pixels } from "./augmentation.ts";
import type { AugmentationKey, KeyedAugmentation } from "./augment_by_key.ts";
import type { AugmentationStep } from "./augmentation_steps.ts";
import type { Answer, Request } from "./_augmentation_thread.ts";

/**
 * Threads that augment where the processor has more than two cores: as many as half of the cores, at most 8; else none,
 * for the cores are the network's.
 */
export function defaultAugmentationThreads(cores: number = navigator.hardwareConcurrency): number {
  return cores <= 2 ? 0 : Math.min(8, cores >> 1);
}

/** One thread, and what it has not answered yet. */
interface Thread {
  readonly worker: Worker;
  readonly waiting: { resolve(answer: Answer): void }[];
}

const threads: Thread[] = [];

/**
 * Does augmentations on other threads, beside the step that is running. The bytes are those of this thread's: they
 * depend on the picture, the steps and the key alone. The threads are the process's, sleep between pictures and do not
 * keep it alive.
 *
 * @param steps What to do to each picture.
 * @param count How many threads, at least 1.
 * @returns The augmentation.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { augmentOnThreads } from "./augmentation_threads.ts";
 * const image = { width: 2, height: 1, data: new Uint8Array([1, 2, 3, 4, 5, 6]) };
 * const augment = augmentOnThreads([{ kind: "flip", probability: 1 }], 1);
 * const mirrored = await augment(image, { seed: 5, epoch: 0, index: 3, repeat: 0 });
 * assert(mirrored.data.join() === "4,5,6,1,2,3");
 * ```
 */
export function augmentOnThreads(steps: readonly AugmentationStep[], count: number): KeyedAugmentation {
  const name = JSON.stringify(steps); // a thread keeps what it has made of the steps under it
  return async (image, key) => {
    while (threads.length < count) threads.push(start());
    const thread = threads.slice(0, count).reduce((a, b) => b.waiting.length < a.waiting.length ? b : a);
    return await ask(thread, image, { ...key, steps: name });
  };
}

function start(): Thread {
  const worker = new Worker(new URL("./_augmentation_thread.ts", import.meta.url));
  const waiting: Thread["waiting"] = [];
  const end = (reason: string) => {
    const at = threads.findIndex((thread) => thread.worker === worker);
    if (at >= 0) threads.splice(at, 1); // the next picture starts another
    const error = `a thread has ended: ${reason}\n  help: try again, another thread is started then`;
    for (const { resolve } of waiting.splice(0)) resolve({ error });
  };
  worker.on("message", (answer: Answer) => waiting.shift()?.resolve(answer));
  worker.on("error", (error: Error) => end(error.message));
  worker.on("exit", () => end("it was stopped"));
  worker.unref();
  return { worker, waiting };
}

async function ask(
  { worker, waiting }: Thread,
  { width, height, data }: Pixels,
  key: AugmentationKey & { steps: string },
): Promise<Pixels> {
  if (waiting.length === 0) worker.ref();
  const answer = await new Promise<Answer>((resolve) => {
    waiting.push({ resolve });
    // A copy, for the cache keeps its own. Without it all of the memory that `data` is a view of would be copied.
    const { buffer } = data.slice();
    worker.postMessage({ ...key, width, height, buffer } satisfies Request, [buffer]);
  });
  if (waiting.length === 0) worker.unref();
  if (answer.data === undefined) throw new Error(`Cannot augment a picture: ${answer.error}`);
  return { width, height, data: answer.data };
}
