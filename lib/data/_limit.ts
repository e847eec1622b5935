/**
 * Makes a gate that lets a number of tasks run at a time, in the order they came.
 *
 * @param most How many run at a time, >= 1.
 * @returns Runs a task when there is room, and gives its result.
 */
export function limit(most: number): <T>(task: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (task) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await task();
    } finally {
      const next = waiting.shift(); // hands its place on
      if (next) next();
      else running--;
    }
  };
}
