import { oneCycle, type OneCycleOptions } from "./one_cycle.ts";

/**
 * The learning rate of a step. A pure function: a resumed run needs nothing but the step's number and the history. All
 * but one cycle have the same rate in all steps of an epoch.
 *
 * @param epoch 0-based epoch.
 * @param losses Mean training loss of each epoch before it.
 * @param step 0-based step within the epoch; the first one if it is left out.
 * @returns The learning rate.
 */
export type Schedule = (epoch: number, losses?: readonly number[], step?: number) => number;

/** How a learning rate starts, as a share of the full one, when it warms up. */
const WARM_UP_START = 0.1;

/**
 * The same learning rate in every epoch.
 *
 * @param learningRate The learning rate, above 0.
 * @returns The schedule.
 * @throws {RangeError} If the learning rate is no number above 0.
 * @example
 * ```ts
 * import { constantSchedule } from "./schedules.ts";
 * console.log(constantSchedule(0.01)(7)); // 0.01
 * ```
 */
export function constantSchedule(learningRate: number): Schedule {
  checkLearningRate(learningRate);
  return () => learningRate;
}

/**
 * Falls along half a cosine from the learning rate in epoch 0 to 0 in epoch `epochs` (which is the first one not
 * trained): `learningRate * (1 + cos(pi * epoch / epochs)) / 2`, as `torch.optim.lr_scheduler.CosineAnnealingLR` with
 * `T_max = epochs`, stepped once an epoch. It stays at 0 from there on.
 *
 * @param learningRate Learning rate of epoch 0, above 0.
 * @param epochs Number of epochs, at least 1.
 * @returns The schedule.
 * @throws {RangeError} If the learning rate is no number above 0, or epochs no whole number of at least 1.
 * @example
 * ```ts
 * import { cosineSchedule } from "./schedules.ts";
 * const schedule = cosineSchedule(0.01, 10);
 * console.log(schedule(0), schedule(5).toFixed(4), schedule(10)); // 0.01 0.0050 0
 * ```
 * @see I. Loshchilov and F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017.
 */
export function cosineSchedule(learningRate: number, epochs: number): Schedule {
  checkLearningRate(learningRate);
  checkCount("epochs", epochs, 1);
  return (epoch) => epoch >= epochs ? 0 : learningRate * (1 + Math.cos(Math.PI * epoch / epochs)) / 2;
}

/**
 * Warms up before a schedule: the learning rate rises linearly from a tenth of the full one in epoch 0 to the full one
 * in epoch `warmUpEpochs`, which is epoch 0 of the schedule that follows. With 5 epochs: 0.1, 0.28, 0.46, 0.64, 0.82,
 * then 1 times the learning rate.
 *
 * @param warmUpEpochs Number of epochs below the full learning rate; 0 gives the schedule itself.
 * @param schedule What follows; its epoch 0 has the full learning rate.
 * @returns The schedule.
 * @throws {RangeError} If warmUpEpochs is no whole number of at least 0.
 * @example
 * ```ts
 * import { constantSchedule, warmUp } from "./schedules.ts";
 * const schedule = warmUp(5, constantSchedule(1));
 * console.log(schedule(0).toFixed(2), schedule(1).toFixed(2), schedule(5)); // 0.10 0.28 1
 * ```
 */
export function warmUp(warmUpEpochs: number, schedule: Schedule): Schedule {
  checkCount("warmUpEpochs", warmUpEpochs, 0);
  const full = schedule(0);
  return (epoch, losses = [], step) =>
    epoch < warmUpEpochs
      ? full * (WARM_UP_START + (1 - WARM_UP_START) * epoch / warmUpEpochs)
      : schedule(epoch - warmUpEpochs, losses.slice(warmUpEpochs), step);
}

/** When and how {@linkcode plateauSchedule} reduces. */
export interface PlateauOptions {
  /** Epochs without a better loss that are borne; the one after them reduces. @default {5} */
  readonly patience?: number;
  /** What the rate is multiplied with, 0..1. @default {0.1} */
  readonly factor?: number;
  /** How much better a loss must be to count, as a share of the best. @default {0.0002} */
  readonly threshold?: number;
  /** Share of the full rate that it never falls below. @default {1 / 200} */
  readonly floor?: number;
}

/** Share of a run's epochs after which the rate is reduced for the first time in any case. */
const FORCED_REDUCTION = 0.75;

/**
 * Falls by a factor each time the training loss has stopped falling, as torch's `ReduceLROnPlateau`, stepped once an
 * epoch. If it has not fallen after three quarters of the run's epochs (as OpenVINO Training Extensions count: of all
 * epochs, less the warm-up), it does then.
 *
 * @param learningRate Learning rate of epoch 0, above 0.
 * @param options Patience, factor, threshold and floor.
 * @param forcedAfter Epochs after which the first reduction is made in any case.
 * @returns The schedule; an epoch's rate follows from the losses of all epochs before it.
 * @throws {RangeError} If the learning rate is no number above 0.
 * @example
 * ```ts
 * import { plateauSchedule } from "./schedules.ts";
 * const schedule = plateauSchedule(0.1, { patience: 1 });
 * console.log(schedule(2, [1, 1]), schedule(3, [1, 1, 1]).toFixed(2)); // 0.1 0.01
 * ```
 */
export function plateauSchedule(
  learningRate: number,
  options: PlateauOptions = {},
  forcedAfter: number = Infinity,
): Schedule {
  checkLearningRate(learningRate);
  const { patience = 5, factor = 0.1, threshold = 2e-4, floor = 1 / 200 } = options;
  return (epoch, losses = []) => {
    let rate = learningRate, best = Infinity, bad = 0, reduced = false;
    for (const [index, loss] of losses.slice(0, epoch).entries()) {
      if (loss < best * (1 - threshold)) [best, bad] = [loss, 0];
      else bad++;
      if (bad > patience || !reduced && index + 1 >= forcedAfter) {
        rate = Math.max(rate * factor, learningRate * floor);
        [bad, reduced] = [0, true];
      }
    }
    return rate;
  };
}

/** What {@linkcode createSchedule} takes. */
export interface ScheduleOptions {
  /** Shape of the schedule after the warm-up. @default {"cosine"} */
  readonly schedule?: "cosine" | "constant" | "plateau" | "oneCycle";
  /** When and how a plateau reduces. */
  readonly plateau?: PlateauOptions;
  /** How one cycle rises and falls; it is not for a warm-up. */
  readonly oneCycle?: OneCycleOptions;
  /** Steps of an epoch; only one cycle depends on them. @default {1} */
  readonly stepsPerEpoch?: number;
  /** The full learning rate, above 0. */
  readonly learningRate: number;
  /** Number of epochs of the run, warm-up included; at least 1. */
  readonly epochs: number;
  /** Epochs of warm-up, fewer than `epochs`. @default {0} */
  readonly warmUpEpochs?: number;
}

/**
 * The schedule of a whole run: warm-up, then cosine to 0 at the end of the run, constant, or falling at plateaus of the
 * loss; or one cycle over its steps. The first equals torch's
 * `SequentialLR` of the warm-up and `CosineAnnealingLR(T_max = epochs - warmUpEpochs)`.
 *
 * @param options See {@linkcode ScheduleOptions}.
 * @returns The schedule.
 * @throws {RangeError} If a number is out of range.
 * @example
 * ```ts
 * import { createSchedule } from "./schedules.ts";
 * const schedule = createSchedule({ learningRate: 0.01, epochs: 10, warmUpEpochs: 2 });
 * console.log([0, 1, 2, 6].map((epoch) => schedule(epoch).toFixed(4)).join(" ")); // 0.0010 0.0055 0.0100 0.0050
 * ```
 */
export function createSchedule(options: ScheduleOptions): Schedule {
  const { schedule = "cosine", learningRate, epochs, warmUpEpochs = 0, stepsPerEpoch = 1 } = options;
  checkCount("epochs", epochs, 1);
  checkCount("warmUpEpochs", warmUpEpochs, 0);
  if (warmUpEpochs >= epochs) {
    throw new RangeError(
      `Cannot make the schedule: found ${warmUpEpochs} warmUpEpochs of ${epochs} epochs, wanted fewer than epochs\n` +
        `  help: give the run more epochs, or a shorter warm-up`,
    );
  }
  if (schedule === "oneCycle") {
    checkLearningRate(learningRate);
    const cycle = oneCycle(learningRate, epochs * stepsPerEpoch, options.oneCycle);
    return (epoch, _, step = 0) => cycle(epoch * stepsPerEpoch + step).learningRate;
  }
  const rest = schedule === "cosine"
    ? cosineSchedule(learningRate, epochs - warmUpEpochs)
    : schedule === "plateau"
    ? plateauSchedule(
      learningRate,
      options.plateau,
      Math.max(1, Math.trunc(FORCED_REDUCTION * epochs) - warmUpEpochs),
    )
    : constantSchedule(learningRate);
  return warmUp(warmUpEpochs, rest);
}

/**
 * The momentum of each step, if a run's schedule cycles it.
 *
 * @param options The run's; see {@linkcode ScheduleOptions}.
 * @returns Momentum by 0-based epoch and step; `undefined` if it is the same in all steps.
 * @example
 * ```ts
 * import { createMomentum } from "./schedules.ts";
 * const options = { learningRate: 0.01, epochs: 10, stepsPerEpoch: 10 };
 * console.log(createMomentum(options)); // undefined
 * console.log(createMomentum({ ...options, schedule: "oneCycle" })!(2, 9).toFixed(2)); // 0.85
 * ```
 */
export function createMomentum(
  options: ScheduleOptions,
): ((epoch: number, step: number) => number) | undefined {
  const { schedule, learningRate, epochs, stepsPerEpoch = 1 } = options;
  if (schedule !== "oneCycle" || options.oneCycle?.momentum === null) return undefined;
  const cycle = oneCycle(learningRate, epochs * stepsPerEpoch, options.oneCycle);
  return (epoch, step) => cycle(epoch * stepsPerEpoch + step).momentum!;
}

function checkLearningRate(learningRate: number): void {
  if (!(Number.isFinite(learningRate) && learningRate > 0)) {
    throw new RangeError(
      `Cannot make the schedule: found learningRate ${learningRate}, wanted a number above 0`,
    );
  }
}

function checkCount(name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) {
    throw new RangeError(
      `Cannot make the schedule: found ${name} ${value}, wanted a whole number of at least ${least}`,
    );
  }
}
