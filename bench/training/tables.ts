import { type ContestantId, contestantIds, contestantLabels } from "./contestants.ts";
import type { Measured, Results } from "./results.ts";
import type { Round } from "./rounds.ts";
import { type Metric, ratio, type Spread, summarise } from "./statistics.ts";

/** What the others are compared with. */
const references = ["pytorch", "pytorch-tuned"] as const satisfies readonly ContestantId[];

/**
 * All contestants of all configurations, a row each, as Markdown.
 *
 * @param results What was measured.
 */
export function detailedTable(results: Results): string {
  const compared = references.map((id) => `to ${contestantLabels[id]}`);
  const head = ["model", ...manyBatchSizes(results) ? ["batch"] : [], "", "training img/s", ...compared]
    .concat("evaluation img/s", ...compared, "first step", "peak memory");
  const rows = results.measured.flatMap((measured) =>
    presentIds([measured]).map((id, index) => {
      const first = (text: string) => index === 0 ? text : "";
      const { rounds, failure } = measured.outcomes[id]!;
      const speed = (metric: Metric) => [
        range(summarise(rounds, metric, measured.batchSize)),
        ...references.map((other) => other === id ? "" : times(ratioOf(measured, id, other, metric))),
      ];
      const seconds = summarise(rounds, "firstStep", measured.batchSize);
      const bytes = summarise(rounds, "peakMemory", measured.batchSize);
      return [
        first(`\`${measured.model}\``),
        ...manyBatchSizes(results) ? [first(`${measured.batchSize}`)] : [],
        contestantLabels[id] + (failure === undefined ? "" : " (failed)"),
        ...speed("training"),
        ...speed("evaluation"),
        seconds === undefined ? "" : `${seconds.median.toFixed(1)} s`,
        bytes === undefined ? "" : `${(bytes.median / 1e9).toFixed(2)} GB`,
      ];
    })
  );
  return toMarkdown(head, rows);
}

/**
 * One row a configuration: everyone's training speed, and how Whittle with oneDNN compares.
 *
 * @param results What was measured.
 */
export function compactTable(results: Results): string {
  const ids = presentIds(results.measured);
  const own = "onednn";
  const others = references.filter((id) => ids.includes(own) && ids.includes(id));
  const head = ["model", "batch", ...ids.map((id) => contestantLabels[id])]
    .concat(others.map((id) => `oneDNN to ${contestantLabels[id]}`))
    .concat(
      others.map((id) => `evaluation to ${contestantLabels[id]}`),
      others.map((id) => `memory to ${contestantLabels[id]}`),
    );
  const rows = results.measured.map((measured) => [
    `\`${measured.model}\``,
    `${measured.batchSize}`,
    ...ids.map((id) => {
      const outcome = measured.outcomes[id];
      if (outcome?.failure !== undefined) return "failed";
      return range(outcome && summarise(outcome.rounds, "training", measured.batchSize));
    }),
    ...(["training", "evaluation", "peakMemory"] as const)
      .flatMap((metric) => others.map((id) => times(ratioOf(measured, own, id, metric)))),
  ]);
  return toMarkdown(head, rows);
}

/**
 * What the main set says, in sentences.
 *
 * @param results What was measured.
 * @returns The sentences; empty if Whittle with oneDNN or all of the others are missing.
 */
export function summarySentence(results: Results): string {
  const own = "onednn";
  const span = (id: ContestantId, metric: Metric) => {
    const medians = results.measured.flatMap((measured) => ratioOf(measured, own, id, metric)?.median ?? []);
    if (medians.length === 0) return undefined;
    const [least, most] = [Math.min(...medians).toFixed(2), Math.max(...medians).toFixed(2)];
    return least === most ? least : `${least} to ${most}`;
  };
  const compared = (metric: Metric, words: string) =>
    (["pytorch", "pytorch-tuned", "tensorflow", "keras"] as const).flatMap((id) => {
      const found = span(id, metric);
      const name = contestantLabels[id].replace(", ", " with ");
      return found === undefined ? [] : [`${found} times ${words} ${name}`];
    }).join(", ");
  if (compared("training", "") === "") return "";
  return `Whittle with oneDNN trains ${compared("training", "as fast as")}. It evaluates ` +
    `${compared("evaluation", "as fast as")}. Its peak memory is ${compared("peakMemory", "that of")}.`;
}

/**
 * When, on what and with which versions it was measured.
 *
 * @param results What was measured.
 * @param file Where the results are.
 */
export function provenance(results: Results, file: string): string {
  const { machine } = results.runs.at(-1)!;
  const { processor, cores, memoryBytes } = machine;
  const dates = unique(results.runs.map(({ date }) => date.slice(0, 10))).join(", ");
  const commits = unique(results.runs.map(({ commit }) => commit)).join(", ");
  const versions = new Map<string, Set<string>>();
  for (const outcome of results.measured.flatMap(({ outcomes }) => Object.values(outcomes))) {
    for (const [name, version] of Object.entries(outcome.versions)) {
      versions.set(name, (versions.get(name) ?? new Set()).add(version));
    }
  }
  const named = [...versions].filter(([name]) => name !== "library")
    .map(([name, values]) => `${name} ${[...values].join(" and ")}`);
  const libraries = [...versions.get("library") ?? []];
  const { size, threads, busy } = results.measured[0]!;
  const whole = results.measured.flatMap(({ outcomes }) => Object.values(outcomes))
    .filter(({ failure }) => failure === undefined);
  const roundCounts = unique(whole.map(({ rounds }) => rounds.length)).sort((a, b) => a - b);
  return `${size} px, ${threads} thread${threads === 1 ? "" : "s"}${
    busy ? ", another process computing on one core" : ""
  }; medians (least to greatest) of ${roundCounts.join(" or ")} rounds, ratios taken round by round. ` +
    `${processor}, ${cores} cores, ${(memoryBytes / 1e9).toFixed(0)} GB; ${dates}; Whittle ${commits}; ` +
    `${[...libraries, ...named].join(", ")} (\`${file}\`).`;
}

/** Contestants of configurations, in the order of tables. */
export function presentIds(measured: readonly Measured[]): ContestantId[] {
  return contestantIds.filter((id) => measured.some(({ outcomes }) => outcomes[id] !== undefined));
}

/**
 * A contestant's figure as a multiple of another's, in the same configuration.
 *
 * @param measured The configuration.
 * @param own The one.
 * @param other The other.
 * @param metric Which figure.
 * @returns The ratio's spread; nothing if one of them is missing.
 */
export function ratioOf(
  { outcomes }: Measured,
  own: ContestantId,
  other: ContestantId,
  metric: Metric,
): Spread | undefined {
  const rounds = (id: ContestantId): readonly Round[] => outcomes[id]?.rounds ?? [];
  return ratio(rounds(own), rounds(other), metric);
}

/** A Markdown table; `deno fmt` aligns it. */
export function toMarkdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function manyBatchSizes({ measured }: Results): boolean {
  return unique(measured.map(({ batchSize }) => batchSize)).length > 1;
}

function range(figure: Spread | undefined): string {
  if (figure === undefined) return "";
  const digits = figure.median < 100 ? 1 : 0;
  const [median, min, max] = [figure.median, figure.min, figure.max].map((value) => value.toFixed(digits));
  return min === max ? `${median}` : `${median} (${min} to ${max})`;
}

function times(figure: Spread | undefined): string {
  return figure === undefined ? "" : `${figure.median.toFixed(2)}x`;
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
