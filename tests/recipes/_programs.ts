/** Runs programs of recipes/ as a user does: as processes of their own, in folders outside this repository. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "npm:sharp@0.35.5";
import { createRng } from "../../lib/augment/rng.ts";
import { drawShape, shapeNames } from "../training/_shapes.ts";

/** What a program left behind. */
export interface Outcome {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** Path of a file of recipes/. */
export function recipe(name: string): string {
  return fileURLToPath(new URL(`../../recipes/${name}`, import.meta.url));
}

/** Starts a program. */
export function start(script: string, args: readonly string[], cwd: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", script, ...args],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs a program to its end. */
export async function run(script: string, args: readonly string[], cwd: string): Promise<Outcome> {
  const { code, stdout, stderr } = await start(script, args, cwd).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, output: text(stdout), errors: text(stderr) };
}

/** Writes `train/` and `val/` with three classes of coloured shapes, 32 px. */
export async function drawPictures(folder: string, counts = { train: 4, val: 2 }): Promise<void> {
  for (const [set, count] of Object.entries(counts)) {
    for (const [label, className] of shapeNames.entries()) {
      await Deno.mkdir(join(folder, set, className), { recursive: true });
      for (let index = 0; index < count; index++) {
        const { data, width, height } = drawShape(className, 32, createRng(count, "split", label, index));
        await sharp(data, { raw: { width, height, channels: 3 } }).toFile(
          join(folder, set, className, `${index}.png`),
        );
      }
    }
  }
}

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "whittle_recipes_" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Replaces texts in a file; each must be there. */
export async function edit(path: string, changes: Readonly<Record<string, string>>): Promise<void> {
  let text = await Deno.readTextFile(path);
  for (const [before, after] of Object.entries(changes)) {
    if (!text.includes(before)) throw new Error(`"${before}" is not in ${path}`);
    text = text.replace(before, after);
  }
  await Deno.writeTextFile(path, text);
}
