import { join } from "node:path";
import { writeError } from "../../files/write_file.ts";
import type { TrainingEvent } from "../events.ts";
import { encodeEvent, type TensorBoardEvent } from "./_tensorboard_event.ts";
import { tfRecord } from "./_tf_record.ts";
import type { EventReader } from "./reader.ts";

/**
 * Writes the numbers of a run as TensorBoard event files; see them with `tensorboard --logdir <folder>`. Steps appear as
 * `step/loss`, `step/learning_rate`, `step/images_per_second` (and `step/momentum`, if it cycles), epochs as `loss/train`, `loss/validation`, `top1/train`,
 * `top1/validation`, `top5/validation`; all over the number of steps done. A resumed run writes a second file, which
 * tells TensorBoard to forget what the first one says of steps that are trained again.
 *
 * @param folder Folder of the event files; made if needed.
 * @param options `now`: the clock, in milliseconds since 1970.
 * @returns A reader of events.
 *
 * @example
 * ```ts
 * const log = tensorboardLog(await Deno.makeTempDir());
 * log({ type: "warning", message: "only numbers are written" });
 * log.close();
 * ```
 */
export function tensorboardLog(folder: string, options: { now?: () => number } = {}): EventReader {
  const now = options.now ?? Date.now;
  let file: Deno.FsFile | undefined;
  let path = "";
  let stepsPerEpoch = 0;

  const write = (event: Omit<TensorBoardEvent, "wallTime">) => {
    const bytes = tfRecord(encodeEvent({ wallTime: now() / 1000, ...event }));
    try {
      for (let at = 0; at < bytes.length;) at += file!.writeSync(bytes.subarray(at));
    } catch (error) {
      throw writeError(path, error);
    }
  };
  const close = () => {
    file?.close();
    file = undefined;
  };

  const read = (event: TrainingEvent) => {
    if (event.type === "start") {
      close();
      ({ stepsPerEpoch } = event);
      Deno.mkdirSync(folder, { recursive: true });
      path = join(folder, nextFileName(folder, Math.floor(now() / 1000)));
      file = Deno.openSync(path, { append: true, createNew: true });
      write({ fileVersion: "brain.Event:2" });
      write({ step: event.epoch * stepsPerEpoch + event.step + 1, isStart: true });
    } else if (file && event.type === "step") {
      write({
        step: event.epoch * stepsPerEpoch + event.step + 1,
        scalars: {
          "step/loss": event.loss,
          "step/learning_rate": event.learningRate,
          "step/images_per_second": event.imagesPerSecond,
          ...(event.momentum === undefined ? {} : { "step/momentum": event.momentum }),
        },
      });
    } else if (file && event.type === "epoch") {
      write({
        step: (event.epoch + 1) * stepsPerEpoch,
        scalars: {
          "loss/train": event.trainLoss,
          "loss/validation": event.validationLoss,
          "top1/train": event.trainTop1,
          "top1/validation": event.validationTop1,
          "top5/validation": event.validationTop5,
        },
      });
    }
  };
  return Object.assign(read, { close });
}

/**
 * TensorBoard reads the files of a folder in the order of their names, which begin with a second: a run that goes on
 * within the second, or after the clock was set back, takes the one after the last.
 */
function nextFileName(folder: string, second: number): string {
  const prefix = "events.out.tfevents.";
  const taken = [...Deno.readDirSync(folder)].filter(({ name }) => name.startsWith(prefix))
    .map(({ name }) => Number(name.slice(prefix.length).split(".")[0])).filter(Number.isInteger);
  const seconds = String(Math.max(second, ...taken.map((last) => last + 1))).padStart(10, "0");
  return `${prefix}${seconds}.whittle.${Deno.pid}.${crypto.randomUUID().slice(0, 8)}`;
}
