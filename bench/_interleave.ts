/**
 * Runs programs in turns, so that the machine's moods hit all alike. Each prints one line of JSON, an object of numbers.
 *
 * @param contenders The programs by name.
 * @param rounds How often each runs.
 * @param label What is written before each line on standard error.
 * @returns For each program the median of each of its numbers.
 */
export async function interleave<K extends string>(
  contenders: Readonly<Record<string, Deno.Command>>,
  rounds: number,
  label: string,
): Promise<Record<string, Record<K, number>>> {
  const samples: Record<string, Record<K, number>[]> = {};
  for (let round = 0; round < rounds; round++) {
    for (const [name, command] of Object.entries(contenders)) {
      const { success, stdout } = await command.output();
      if (!success) throw new Error(`Cannot measure ${name} on ${label}: its process failed`);
      const line = new TextDecoder().decode(stdout).trim().split("\n").at(-1)!;
      (samples[name] ??= []).push(JSON.parse(line));
      console.error(`${label} round ${round + 1} ${name}: ${line}`);
    }
  }
  return Object.fromEntries(Object.entries(samples).map(([name, list]) => [name, medians(list)]));
}

function medians<K extends string>(list: readonly Record<K, number>[]): Record<K, number> {
  const result = { ...list[0]! };
  for (const key in result) {
    result[key] = list.map((sample) => sample[key]).sort((a, b) => a - b)[list.length >> 1]!;
  }
  return result;
}
