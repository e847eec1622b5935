/** A thread that augments pictures when told to. */
import { parentPort } from "node:worker_threads";
import { type AugmentationKey, augmentByKey } from "./augment_by_key.ts";
import { createAugmentation } from "./augmentation_steps.ts";

/** A picture, what to do with it (steps as JSON), and the key of its random numbers. */
export interface Request extends AugmentationKey {
  readonly steps: string;
  readonly width: number;
  readonly height: number;
  /** The picture's bytes. Not as an array, of which Deno looks at each element when it arrives: 0.3 microseconds a byte. */
  readonly buffer: ArrayBuffer;
}

/** The changed bytes, or why there are none. */
export interface Answer {
  readonly data?: Uint8Array;
  readonly error?: string;
}

const made = new Map<string, ReturnType<typeof augmentByKey>>();

parentPort!.on("message", ({ steps, width, height, buffer, ...key }: Request) => {
  try {
    const augment = made.get(steps) ?? augmentByKey(createAugmentation(JSON.parse(steps)));
    made.set(steps, augment);
    const changed = augment({ width, height, data: new Uint8Array(buffer) }, key).data;
    parentPort!.postMessage({ data: changed } satisfies Answer, [changed.buffer as ArrayBuffer]);
  } catch (error) {
    parentPort!.postMessage({ error: String((error as Error).message) } satisfies Answer);
  }
});
