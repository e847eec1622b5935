/**
 * A small run in a process of its own that ends itself with SIGKILL at a chosen moment. Run as a program it trains; as
 * a module it starts that program.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { DatasetSplits, Sample } from "../../lib/data/dataset.ts";
import { fineTune, type FineTuneOptions, type FineTuneResult } from "../../lib/fine_tune.ts";
import { shapeSplits } from "./_shapes.ts";

/** When a run ends itself. */
export type Moment =
  /** When a step is done, before anything is saved. */
  | { readonly at: "step"; readonly epoch: number; readonly step: number }
  /** When the epoch's row is written, before its files are. */
  | { readonly at: "epoch"; readonly epoch: number }
  /** When the epoch's best weights are saved, before the state is. */
  | { readonly at: "best"; readonly epoch: number }
  /** While the state is being written after that step, under its temporary name. */
  | { readonly at: "writing"; readonly epoch: number; readonly step: number }
  /** While the first epoch is validated. */
  | { readonly at: "validation" };

/** Steps an epoch of {@linkcode trainSmall}. */
export const stepsPerEpoch = 6;
/** Epochs of {@linkcode trainSmall}. */
export const epochs = 2;

/** Two short epochs of a small network on tiny pictures, with everything that could make a resumed run differ. */
export function trainSmall(
  options: FineTuneOptions,
  data: DatasetSplits = smallData(),
): Promise<FineTuneResult> {
  return fineTune("mobilenetv3_small_100", data, {
    weights: null,
    imageSize: 32,
    batchSize: 4,
    epochs,
    learningRate: 0.02,
    warmUpEpochs: 1,
    labelSmoothing: 0.1,
    classWeights: "auto",
    seed: 7,
    checkpointSeconds: 0.05,
    view: false,
    ...options,
  });
}

/** 26 pictures to train on, 2 of which each epoch leaves out, and 15 to validate with. */
export function smallData(): DatasetSplits {
  return shapeSplits({ train: [11, 8, 7], validation: 5 });
}

/** Trains in another process, which ends itself; resolves when it has. */
export async function trainAndDie(options: FineTuneOptions, moment: Moment): Promise<void> {
  const { code, signal, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      fileURLToPath(import.meta.url),
      JSON.stringify({ options, moment }),
    ],
  }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.equal(signal, "SIGKILL", `the run was to be killed, and it ended with ${signal ?? code}:\n${text}`);
}

function die(): void {
  Deno.kill(Deno.pid, "SIGKILL");
}

/** The data set, of which a validation picture ends the process when it is read. */
function deadlyValidation(data: DatasetSplits): DatasetSplits {
  const { validation } = data;
  const samples = validation.samples.map((sample, index): Sample =>
    index < 10 ? sample : {
      label: sample.label,
      name: sample.name,
      get image(): Sample["image"] {
        die();
        return sample.image;
      },
    }
  );
  return { ...data, validation: { ...validation, samples } };
}

if (import.meta.main) {
  const { options, moment } = JSON.parse(Deno.args[0]!) as { options: FineTuneOptions; moment: Moment };
  const data = smallData();
  await trainSmall({
    ...options,
    onEvent(event) {
      if (moment.at === "validation") return;
      if (event.type === "step" && event.epoch === moment.epoch) {
        if (moment.at === "step" && event.step === moment.step) die();
        if (moment.at === "writing" && event.step === moment.step) {
          setInterval(() => {
            const names = [...Deno.readDirSync(options.outputDir!)].map(({ name }) => name);
            if (names.some((name) => name.startsWith("resume.") && name.endsWith(".tmp"))) die();
          }, 0);
        }
      }
      if (event.type === "epoch" && moment.at === "epoch" && event.epoch === moment.epoch) die();
      if (event.type === "checkpoint" && moment.at === "best" && event.kind === "best") {
        if (event.epoch === moment.epoch) die();
      }
    },
  }, moment.at === "validation" ? deadlyValidation(data) : data);
}
