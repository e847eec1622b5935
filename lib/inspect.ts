import type { Dataset, DatasetSplits } from "./data/dataset.ts";
import { inspectData, type Inspection, type InspectOptions } from "./data/inspect_data.ts";
import * as check from "./errors/check_options.ts";
import type { Displayed } from "./notebook/display.ts";
import { type InspectionFigures, withInspectionView } from "./notebook/inspection_view.ts";

export type { Displayed, Inspection, InspectionFigures, InspectOptions };

/**
 * Looks at every picture of a data set once, before it is trained on: which cannot be read, which classes have none,
 * which are in training and validation set at once or in two classes, how unequal the classes are, which pictures are
 * of odd sizes. The result is plain data; it shows itself as a table with thumbnails in a notebook and as text in a
 * terminal.
 *
 * @param data A data set, or its training, validation and test sets.
 * @param options Workers, progress, and a signal to stop.
 * @returns The report.
 * @throws {TypeError} If an option is unknown.
 *
 * @example
 * ```ts ignore
 * import { imageFolders, inspect } from "whittle";
 * const report = await inspect(await imageFolders("pets"));
 * console.log(report);
 * ```
 */
export async function inspect(
  data: Dataset | DatasetSplits,
  options: InspectOptions = {},
): Promise<Displayed<Inspection, InspectionFigures>> {
  check.checkOptions(options, ["workers", "signal", "onProgress"], "inspect");
  check.checkValues("inspect", [
    check.positiveInteger("workers", options.workers),
    check.ofType("onProgress", options.onProgress, "function"),
  ]);
  return withInspectionView(await inspectData(data, options), data);
}
