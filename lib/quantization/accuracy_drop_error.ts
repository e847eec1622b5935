import { percent } from "../metrics/percent.ts";
import type { AccuracyDrop } from "./accuracy_drop.ts";

/** One try of the accuracy control. */
export interface ControlStep {
  /** Layers that were in float. */
  readonly floatLayers: readonly string[];
  /** The drop with them. */
  readonly drop: AccuracyDrop;
}

/** Raised when int8 costs more accuracy than allowed, whatever layers are put back to float. */
export class AccuracyDropError extends Error {
  /** `AccuracyDropError`. */
  override readonly name: string = "AccuracyDropError";
  /** Every try, from all layers in int8 on. */
  readonly steps: readonly ControlStep[];

  /**
   * Puts the message together.
   *
   * @param steps Every try.
   * @param maxDrop What was allowed.
   * @param maxFloatLayers How many layers could go back.
   * @param fineTunedIn Folder of the fine-tuning that came before, if one did.
   */
  constructor(
    steps: readonly ControlStep[],
    maxDrop: number,
    maxFloatLayers: number,
    fineTunedIn?: string,
  ) {
    const best = steps.reduce((best, step) => step.drop.drop < best.drop.drop ? step : best);
    const { pictures } = best.drop;
    const lines = steps.map(({ floatLayers, drop }) =>
      `  ${
        floatLayers.length === 0
          ? "all layers in int8"
          : `${floatLayers.length} in float, with ${floatLayers.at(-1)}`
      }: ` +
      `top-1 ${percent(drop.int8)}, drop ${percent(drop.drop)}`
    );
    const shown = lines.length > 12 ? [...lines.slice(0, 11), `  (and ${lines.length - 11} more)`] : lines;
    const help = fineTunedIn === undefined
      ? "allow a larger maxDrop or more maxFloatLayers, fine-tune, or give more calibration pictures"
      : "allow a larger maxDrop or more maxFloatLayers, without training again by { resumeFrom: " +
        `${JSON.stringify(fineTunedIn)} }; or give more calibration pictures`;
    super(
      `Cannot quantise within { maxDrop: ${maxDrop} }: with up to ${maxFloatLayers} layers in float the least drop is ` +
        `${percent(best.drop.drop)} of ${percent(best.drop.float)}, on ${pictures} pictures\n${
          shown.join("\n")
        }\n` +
        `  help: ${help}`,
    );
    this.steps = steps;
  }
}
