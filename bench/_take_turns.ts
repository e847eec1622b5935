import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A program that measures once for every line it is given, and answers with the milliseconds. */
export interface TurnTaker {
  readonly path: string;
  readonly args: readonly string[];
}

/**
 * Lets programs that stay measure in turns of a fraction of a second, so that what else the machine does hits the turns
 * that are compared alike. Each first answers with a line when it is ready.
 *
 * @param contenders The programs by name.
 * @param rounds How many turns each has.
 * @returns For each program the milliseconds of its turns.
 * @throws {Error} If a program ends before its turn is measured.
 */
export async function takeTurns<K extends string>(
  contenders: Readonly<Record<K, TurnTaker>>,
  rounds: number,
): Promise<Record<K, number[]>> {
  const names = Object.keys(contenders) as K[];
  const running = names.map((name) => {
    const { path, args } = contenders[name];
    const child = spawn(path, args, { stdio: ["pipe", "pipe", "ignore"] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const answer = async () => {
      const { done, value } = await lines.next();
      if (done) throw new Error(`Cannot measure ${name}: ${path} ${args.join(" ")} ended`);
      return value;
    };
    return { name, child, answer };
  });
  const milliseconds = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>;
  try {
    for (const { answer } of running) await answer();
    for (let round = 0; round < rounds; round++) {
      for (const { name, child, answer } of round % 2 === 0 ? running : running.toReversed()) {
        child.stdin.write("\n");
        milliseconds[name].push(Number(await answer()));
      }
    }
  } finally {
    for (const { child } of running) child.kill();
  }
  return milliseconds;
}
