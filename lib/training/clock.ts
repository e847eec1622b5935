/** Times of a run; they inform the user and decide nothing. */
export interface Clock {
  /** A step is done: pictures a second since the one before. */
  stepDone(count: number): number;
  /** Time until now belongs to no step. */
  pause(): void;
  /** An epoch is done: its seconds. */
  epochDone(): number;
  elapsedSeconds(): number;
  /** Mean seconds a step, training and validation taken together. */
  secondsPerStep(): number;
  /** From here on steps take another time. */
  forgetSpeed(): void;
}

/** Starts a clock. */
export function startClock(): Clock {
  const start = performance.now();
  let lastStep = start, lastEpoch = start, measuredFrom = start, steps = 0;
  return {
    stepDone(count) {
      const now = performance.now();
      const seconds = (now - lastStep) / 1000;
      lastStep = now;
      steps++;
      return count / seconds;
    },
    pause() {
      lastStep = performance.now();
    },
    epochDone() {
      const now = performance.now();
      const seconds = (now - lastEpoch) / 1000;
      lastEpoch = lastStep = now;
      return seconds;
    },
    elapsedSeconds: () => (performance.now() - start) / 1000,
    secondsPerStep: () => steps === 0 ? 0 : (performance.now() - measuredFrom) / 1000 / steps,
    forgetSpeed() {
      measuredFrom = performance.now();
      steps = 0;
    },
  };
}
