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
 * @throws {TypeError} If an option is unknown, or `data` is no data.
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
  const { samples, train, validation } = (data ?? {}) as Partial<Dataset & DatasetSplits>;
  if (!Array.isArray(samples) && !(Array.isArray(train?.samples) && Array.isArray(validation?.samples))) {
    throw new TypeError(
      "Cannot inspect: found no labelled pictures, wanted a data set, or a training and a validation set\n" +
        '  help: write for example inspect(await imageFolders("pets"))',
    );
  }
  return withInspectionView(await inspectData(data, options), data);
}
