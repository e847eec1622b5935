/** What early stopping remembers between epochs: plain data, saved with a checkpoint. */
export interface EarlyStoppingState {
  /** Best validation top-1 so far, 0..1; -1 before the first epoch. */
  readonly bestTop1: number;
  /** Epoch of the best validation top-1, the first one of equals; -1 before the first epoch. */
  readonly bestEpoch: number;
  /** Epochs since then. */
  readonly epochsWithoutImprovement: number;
  /** Whether the run should end. */
  readonly stop: boolean;
}

/**
 * The state before the first epoch.
 *
 * @returns A state without a best epoch.
 * @example
 * ```ts
 * import { createEarlyStopping } from "./early_stopping.ts";
 * console.log(createEarlyStopping().bestEpoch); // -1
 * ```
 */
export function createEarlyStopping(): EarlyStoppingState {
  return { bestTop1: -1, bestEpoch: -1, epochsWithoutImprovement: 0, stop: false };
}

/**
 * Takes the result of an epoch into account. Only a strictly better top-1 counts as better; after `patience` epochs in
 * a row that are not, the run should stop.
 *
 * @param state The state after the last epoch, or of `createEarlyStopping`.
 * @param result The epoch (0-based), its validation top-1, 0..1, whether it counts if it is no better, and whether it is
 *   better than what it must be measured by, though not the best of all: then waiting begins anew.
 * @param patience Epochs without improvement to wait, at least 1; `Infinity`, the default, never stops and still keeps
 *   the best.
 * @returns The new state; the epoch was the best so far where its `bestEpoch` is that epoch.
 * @throws {RangeError} If the top-1 is not within 0..1, or patience is no whole number of at least 1.
 * @example
 * ```ts
 * import { createEarlyStopping, updateEarlyStopping } from "./early_stopping.ts";
 * let state = createEarlyStopping();
 * for (const [epoch, top1] of [0.5, 0.7, 0.7, 0.6].entries()) {
 *   state = updateEarlyStopping(state, { epoch, top1 }, 2);
 * }
 * console.log(state.stop, state.bestEpoch); // true 1
 * ```
 */
export function updateEarlyStopping(
  state: EarlyStoppingState,
  result: {
    readonly epoch: number;
    readonly top1: number;
    readonly counts?: boolean;
    readonly improves?: boolean;
  },
  patience: number = Infinity,
): EarlyStoppingState {
  const { epoch, top1, counts = true, improves = false } = result;
  if (!(patience === Infinity || (Number.isInteger(patience) && patience >= 1))) {
    throw new RangeError(
      `Cannot stop early: found patience ${patience}, wanted a whole number of at least 1`,
    );
  }
  if (!(top1 >= 0 && top1 <= 1)) {
    throw new RangeError(
      `Cannot stop early: found top-1 ${top1} in epoch ${epoch}, wanted a number from 0 to 1`,
    );
  }
  if (top1 > state.bestTop1) {
    return { bestTop1: top1, bestEpoch: epoch, epochsWithoutImprovement: 0, stop: false };
  }
  if (improves) return { ...state, epochsWithoutImprovement: 0, stop: false };
  if (!counts) return state;
  const epochsWithoutImprovement = state.epochsWithoutImprovement + 1;
  return { ...state, epochsWithoutImprovement, stop: epochsWithoutImprovement >= patience };
}
