import { toMarkdown } from "../training/tables.ts";
import type { Result } from "./results.ts";
import { type DataName, type NetworkName, networks, searchSeed, seeds } from "./runs.ts";
import { mean, type Row } from "./summary.ts";

/** How a network with its first weights is called where people read. */
export function titleOf(network: NetworkName): string {
  const { id, weights } = networks[network];
  return `${id} from ${weights === null ? "random" : "ImageNet"} weights`;
}

/** How the pictures are called. */
export const dataTitles: Readonly<Record<DataName, string>> = { fashion: "Fashion-MNIST", emoji: "emoji" };

/**
 * A row for each configuration, as Markdown.
 *
 * @param rows What {@linkcode summarise} gave.
 */
export function techniqueTable(rows: readonly Row[]): string {
  const head = ["", "test top-1", "to adaptive, points", "epochs", "processor time", "of adaptive's"];
  /** Of the runs that were not stopped in between: the others' times lack a part. */
  const secondsOf = ({ results }: Row) =>
    mean(results.filter(({ wentOn }) => !wentOn).map((run) => run.processorSeconds));
  const known = (seconds: number, text: string) => Number.isNaN(seconds) ? "" : text;
  const adaptive = rows.find(({ configuration }) => configuration === "adaptive");
  return toMarkdown(
    head,
    rows.map((row) => {
      const { configuration, results, top1, difference } = row;
      const accuracies = results.map(({ testTop1 }) => testTop1),
        epochs = results.map(({ epochs }) => epochs);
      const seconds = secondsOf(row), whole = adaptive === undefined ? NaN : secondsOf(adaptive);
      const few = results.length < seeds.length ? `, ${results.length} of ${seeds.length} seeds` : "";
      return [
        configuration + few,
        `${percent(top1)} (${percent(Math.min(...accuracies))} to ${percent(Math.max(...accuracies))})`,
        difference === undefined
          ? ""
          : `${points(difference.mean)}${
            difference.standardError === undefined ? "" : ` ± ${(100 * difference.standardError).toFixed(1)}`
          }`,
        Math.min(...epochs) === Math.max(...epochs)
          ? `${epochs[0]}`
          : `${Math.min(...epochs)} to ${Math.max(...epochs)}`,
        known(seconds, `${seconds.toFixed(0)} s`),
        known(seconds / whole, `${(seconds / whole).toFixed(2)}x`),
      ];
    }),
  );
}

/**
 * Which parts helped, in words: those without which all seeds were worse, better, or not alike.
 *
 * @param rows What {@linkcode summarise} gave.
 * @returns Sentences; empty if no part has all its seeds.
 */
export function verdict(rows: readonly Row[]): string {
  const whole = rows.filter(({ configuration, difference }) =>
    configuration !== "baseline" && difference?.values.length === seeds.length
  );
  const named = (isSo: (values: readonly number[]) => boolean) =>
    whole.filter(({ difference }) => isSo(difference!.values)).map(({ configuration }) =>
      `"${configuration}"`
    );
  const worse = named((values) => values.every((value) => value < 0));
  const better = named((values) => values.every((value) => value > 0));
  const mixed = named((values) => !values.every((value) => value < 0) && !values.every((value) => value > 0));
  const sentence = (lead: string, names: readonly string[]) =>
    names.length === 0 ? [] : [`${lead}: ${names.join(", ")}.`];
  return [
    ...baselineSentence(rows),
    ...sentence("Worse than adaptive with every seed", worse),
    ...sentence("Better with every seed", better),
    ...sentence("Now worse, now better", mixed),
  ].join(" ");
}

/** Whether the whole recipe beat the baseline. */
function baselineSentence(rows: readonly Row[]): string[] {
  const values = rows.find(({ configuration }) => configuration === "baseline")?.difference?.values;
  if (values?.length !== seeds.length) return [];
  if (values.every((value) => value < 0)) {
    return ["The adaptive recipe is better than the baseline with every seed."];
  }
  if (values.every((value) => value > 0)) {
    return ["The adaptive recipe is worse than the baseline with every seed."];
  }
  return ["The adaptive recipe is better than the baseline with some seeds and not with others."];
}

/**
 * Which learning rates were tried, and how they validated, as Markdown.
 *
 * @param results All results.
 */
export function rateTable(results: readonly Result[]): string {
  const tried = results.filter(({ seed, learningRate }) => seed === searchSeed && learningRate !== undefined);
  const rows = (Object.keys(networks) as NetworkName[]).flatMap((network) =>
    ["baseline", "adaptive"].flatMap((configuration) => {
      const own = tried.filter((result) =>
        result.network === network && result.configuration === configuration
      )
        .sort((a, b) => a.learningRate! - b.learningRate!);
      if (own.length === 0) return [];
      const found = own.map(({ learningRate, validationTop1 }) =>
        `${learningRate}: ${percent(validationTop1)}`
      );
      return [[`\`${networks[network].id}\``, configuration, found.join(", ")]];
    })
  );
  return toMarkdown(["model", "recipe", "validation top-1 by learning rate"], rows);
}

/** What all runs have in common, and what they were measured on. */
export function conditions(results: readonly Result[], wanted: number): string {
  const { settings, environment } = results[0]!;
  const all = (of: (result: Result) => string | number) => [...new Set(results.map(of))].join(" and ");
  const counts = (data: DataName) => {
    const pictures = results.find((result) => result.data === data)?.pictures;
    return pictures === undefined
      ? []
      : [`${dataTitles[data]} ${pictures["train"]} / ${pictures["validation"]} / ${pictures["test"]}`];
  };
  const lengths = (Object.keys(networks) as NetworkName[]).map((network) => {
    const { id, epochs, batchSize } = networks[network];
    return `\`${id}\` ${epochs} epochs of batches of ${batchSize}`;
  });
  return `${settings.imageSize} px; pictures to train, to choose the epoch by, and to test on: ` +
    `${[...counts("fashion"), ...counts("emoji")].join(", ")}; ${lengths.join(", ")}; ` +
    `${all(({ environment }) => environment.processor)}, ${
      all(({ environment }) => environment.threads)
    } thread` +
    `${environment.threads === 1 ? "" : "s"}, ${all(({ environment }) => environment.library)}. ` +
    `${results.length} of the ${wanted} runs of the queue are done.`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function points(share: number): string {
  const text = (100 * share).toFixed(1);
  return share > 0 && text !== "0.0" ? `+${text}` : text;
}
