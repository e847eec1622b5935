/** Reads what a run leaves in its folder, in a form that can be compared with another run's. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { readSafetensors } from "../../lib/models/weights/safetensors.ts";
import { loadResume } from "../../lib/training/checkpoint.ts";

/** All of a folder that must not depend on whether the run was interrupted; times and speeds are left out. */
export async function readRunFolder(folder: string): Promise<Record<string, unknown>> {
  const best = await readSafetensors(join(folder, "best.safetensors"));
  const { tensors, environment: _, ...resume } = await loadResume(folder);
  return {
    bestTensors: hashTensors(best.tensors),
    bestMetadata: best.metadata,
    resumeTensors: hashTensors(tensors),
    resume,
    history: (await Deno.readTextFile(join(folder, "history.csv"))).trimEnd().split("\n"),
    events: await readEvents(join(folder, "events.jsonl")),
    scalars: readScalars(join(folder, "tensorboard")),
  };
}

/** SHA-256 of each tensor. */
export function hashTensors(
  tensors: Readonly<Record<string, { data: ArrayBufferView; shape: readonly number[] }>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { data, shape }]) => {
      const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
      return [name, `[${shape}] ${createHash("sha256").update(bytes).digest("hex")}`];
    }),
  );
}

/** Steps and epochs of the JSONL file, a line each, in its order. */
async function readEvents(path: string): Promise<string[]> {
  const lines = (await Deno.readTextFile(path)).trimEnd().split("\n").map((line) => JSON.parse(line));
  return lines.filter(({ type }) => type === "step" || type === "epoch").map((event) => {
    for (const name of ["time", "imagesPerSecond", "elapsedSeconds", "remainingSeconds", "durationSeconds"]) {
      delete event[name];
    }
    return JSON.stringify(event);
  });
}

/** What TensorBoard shows of its event files: `tag step value`, without what a later file declares void. */
function readScalars(folder: string): string[] {
  let scalars: { tag: string; step: number; value: number }[] = [];
  for (const name of [...Deno.readDirSync(folder)].map((entry) => entry.name).sort()) {
    for (const record of records(Deno.readFileSync(join(folder, name)))) {
      const event = fields(record);
      const step = event.find(({ field }) => field === 2)?.number ?? 0;
      if (event.some(({ field }) => field === 7)) scalars = scalars.filter((scalar) => scalar.step < step);
      for (const summary of event.filter(({ field }) => field === 5)) {
        for (const { bytes } of fields(summary.bytes)) {
          const [tag, value] = fields(bytes);
          scalars.push({ tag: new TextDecoder().decode(tag!.bytes), step, value: value!.number });
        }
      }
    }
  }
  return scalars.filter(({ tag }) => tag !== "step/images_per_second")
    .map(({ tag, step, value }) => `${tag} ${step} ${value}`).sort();
}

/** The payloads of a TFRecord file; a last one that was cut off is left out, as TensorBoard does. */
function* records(file: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  for (let at = 0; at + 12 <= file.length;) {
    const length = Number(view.getBigUint64(at, true));
    if (at + 16 + length > file.length) return;
    yield file.subarray(at + 12, at + 12 + length);
    at += 16 + length;
  }
}

/** The fields of a protobuf message. */
function fields(message: Uint8Array): { field: number; number: number; bytes: Uint8Array }[] {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const result = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1;; factor *= 128) {
      const byte = message[at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const key = varint();
    const field = key >>> 3, type = key & 7;
    let number = 0, bytes = new Uint8Array(0);
    if (type === 0) number = varint();
    else if (type === 1) (number = view.getFloat64(at, true)), at += 8;
    else if (type === 5) (number = view.getFloat32(at, true)), at += 4;
    else {
      const length = varint();
      bytes = message.slice(at, at += length);
    }
    result.push({ field, number, bytes });
  }
  return result;
}
