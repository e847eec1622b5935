import type { ContestantId } from "./contestants.ts";
import { ContestantProcess, type Program } from "./contestant_process.ts";

/** What a contestant measured in one round. */
export interface Round {
  /** Of each training step. */
  readonly trainingSeconds: readonly number[];
  /** Of each batch that was evaluated. */
  readonly evaluationSeconds: readonly number[];
  /** From the start of the process to the end of its first step; in the first round of a process only. */
  readonly firstStepSeconds?: number;
  /** The most memory the process took until it had trained; in the first round of a process only. */
  readonly peakMemoryBytes?: number;
}

/** What a contestant measured in all rounds. */
export interface Outcome {
  /** One a round, as long as it did not fail. */
  readonly rounds: readonly Round[];
  /** Of its libraries. */
  readonly versions: Readonly<Record<string, string>>;
  /** Why it ended before its time. */
  readonly failure?: string;
}

/** How {@linkcode measureInTurns} measures. */
export interface TurnOptions {
  /** How often each contestant measures. */
  readonly rounds: number;
  /** In how many of the first rounds each is a new process. */
  readonly launches: number;
  /** Fewest steps of a measurement. */
  readonly steps: number;
  /** Least time of a measurement. */
  readonly seconds: number;
  /** Told each measurement. */
  readonly onRound: (id: ContestantId, round: number, measured: Round | Error) => void;
}

/**
 * Has contestants measure in turns, so that the machine's moods hit all alike: in each round each works while the
 * others wait, in an order that moves on by one a round. After the first rounds the processes stay, as long as half
 * of the machine's memory is free.
 *
 * @param programs The contestants.
 * @param options How often and how long.
 * @returns What each measured. One that fails takes no part in later rounds.
 */
export async function measureInTurns(
  programs: Readonly<Partial<Record<ContestantId, Program>>>,
  { rounds, launches, steps, seconds, onRound }: TurnOptions,
): Promise<Partial<Record<ContestantId, Outcome>>> {
  const ids = Object.keys(programs) as ContestantId[];
  const running = new Map<ContestantId, ContestantProcess>();
  const outcomes: Partial<Record<ContestantId, Outcome>> = {};
  const end = async (id: ContestantId) => {
    await running.get(id)?.end();
    running.delete(id);
  };
  try {
    for (let round = 0; round < rounds; round++) {
      for (const id of orderOf(ids, round)) {
        const outcome = outcomes[id] ?? { rounds: [], versions: {} };
        if (outcome.failure !== undefined) continue;
        try {
          const kept = running.get(id);
          const process = kept ?? await ContestantProcess.start(programs[id]!);
          running.set(id, process);
          const { peakMemoryBytes, ...times } = await process.measure(steps, seconds);
          const { firstStepSeconds, versions } = process;
          const measured = kept === undefined ? { ...times, firstStepSeconds, peakMemoryBytes } : times;
          outcomes[id] = { rounds: [...outcome.rounds, measured], versions };
          onRound(id, round, measured);
        } catch (thrown) {
          const failure = thrown as Error;
          outcomes[id] = { ...outcome, failure: failure.message };
          onRound(id, round, failure);
          await end(id);
          continue;
        }
        const { available, total } = Deno.systemMemoryInfo();
        if (round + 1 < launches || available < total / 2) await end(id);
      }
    }
  } finally {
    for (const id of ids) await end(id);
  }
  // Rounds begin with another contestant each; the results do not.
  return Object.fromEntries(ids.map((id) => [id, outcomes[id]!]));
}

/**
 * Who works when.
 *
 * @param ids The contestants.
 * @param round From 0.
 * @returns Their order in that round.
 */
export function orderOf<T>(ids: readonly T[], round: number): T[] {
  return ids.map((_, index) => ids[(index + round) % ids.length]!);
}
