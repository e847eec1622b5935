import { createRng, permutation } from "../augment/rng.ts";
import type { Dataset } from "./dataset.ts";

/** How the pictures of an epoch are chosen: each once, or as many of each class. */
export type SamplerName = "shuffled" | "balanced";

/** All of {@linkcode SamplerName}. */
export const samplerNames: readonly SamplerName[] = ["shuffled", "balanced"];

/** Gives the indices of the samples of an epoch, in the order they come in. */
export type Sampler = (epoch: number) => Int32Array;

/** What {@linkcode createSampler} takes. */
export interface SamplerOptions {
  /** How the pictures are chosen. */
  readonly sampler: SamplerName;
  /** Samples an epoch: at most as many as there are. */
  readonly length: number;
  /** Of all orders. */
  readonly seed: number;
}

/**
 * Makes a sampler. What an epoch holds depends on (seed, epoch) only.
 *
 * `shuffled`: each sample once, in random order. `balanced`: each class as often as the others (within 1), in random
 * order. A class goes through all its samples in random order, across epochs, before one comes again, so that a sample
 * of a small class comes several times an epoch, and of a large one not all come in each. Classes without samples are
 * left out.
 *
 * @param dataset The samples.
 * @param options Which sampler, how many samples and the seed.
 * @returns The sampler.
 *
 * @example
 * ```ts
 * import { createSampler } from "./sampler.ts";
 * const samples = [0, 0, 0, 1].map((label, index) => ({ image: `${index}.png`, label, name: `${index}` }));
 * const dataset = { name: "pets/train", classNames: ["cat", "dog"], samples };
 * const sampler = createSampler(dataset, { sampler: "balanced", length: 4, seed: 0 });
 * console.log([...sampler(0)].filter((index) => index === 3).length); // 2
 * ```
 */
export function createSampler({ classNames, samples }: Dataset, options: SamplerOptions): Sampler {
  const { sampler, length, seed } = options;
  const order = (epoch: number, count: number) => permutation(count, createRng(seed, "order", epoch));
  if (sampler === "shuffled") return (epoch) => order(epoch, samples.length).subarray(0, length);
  const classes = classNames.map((): number[] => []);
  samples.forEach(({ label }, index) => classes[label]!.push(index));
  const present = classes.flatMap((members, label) => members.length > 0 ? [label] : []);
  return (epoch) => {
    const cycles = classes.map((): { cycle: number; places?: Int32Array } => ({ cycle: -1 }));
    const drawn = Int32Array.from({ length }, (_, position) => {
      // Over all epochs the classes take turns, and a class's turns go through its samples cycle by cycle.
      const turn = epoch * length + position;
      const label = present[turn % present.length]!, members = classes[label]!;
      const turnOfClass = Math.floor(turn / present.length);
      const cycle = Math.floor(turnOfClass / members.length);
      if (cycles[label]!.cycle !== cycle) {
        const places = permutation(members.length, createRng(seed, "sampler", cycle, label));
        cycles[label] = { cycle, places };
      }
      return members[cycles[label]!.places![turnOfClass % members.length]!]!;
    });
    return order(epoch, length).map((place) => drawn[place]!);
  };
}

/**
 * How often each sample came before in its epoch.
 *
 * @param order Indices of the samples of an epoch.
 * @returns For each place of the order a count, 0 where its sample comes for the first time.
 *
 * @example
 * ```ts
 * import { repeatsOf } from "./sampler.ts";
 * console.log(repeatsOf(Int32Array.of(5, 2, 5, 5))); // Int32Array(4) [ 0, 0, 1, 2 ]
 * ```
 */
export function repeatsOf(order: Int32Array): Int32Array {
  const counts = new Map<number, number>();
  return order.map((index) => {
    const before = counts.get(index) ?? 0;
    counts.set(index, before + 1);
    return before;
  });
}
