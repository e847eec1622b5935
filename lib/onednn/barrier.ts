/** Where in the memory the barrier's words are. */
const words = { arrived: 0, generation: 16, aborted: 32, committing: 48 };

/** What a thread says that gave up because of another. */
export const otherFailed = "another thread of the team failed";

/** How often a thread looks again before it sleeps: about 50 microseconds. */
const spins = 5000;

/** Threads that share a memory wait for each other here. */
export class Barrier {
  readonly #words: Int32Array;
  readonly #threads: number;

  /**
   * @param memory Shared by the threads; its first 256 bytes belong to the barrier.
   * @param threads How many wait.
   */
  constructor(memory: ArrayBufferLike, threads: number) {
    this.#words = new Int32Array(memory, 0, 64);
    this.#threads = threads;
  }

  /**
   * Returns when all threads have called it.
   *
   * @throws {Error} If one of them aborted.
   */
  wait(): void {
    const all = this.#words;
    const generation = Atomics.load(all, words.generation);
    // A thread that failed before this was read has counted the generation up already, and nobody will again.
    this.#throwIfAborted();
    if (Atomics.add(all, words.arrived, 1) === this.#threads - 1) {
      Atomics.store(all, words.arrived, 0);
      Atomics.add(all, words.generation, 1);
      Atomics.notify(all, words.generation);
    } else {
      for (let spin = 0; spin < spins; spin++) {
        if (Atomics.load(all, words.generation) !== generation) break;
      }
      while (Atomics.load(all, words.generation) === generation) {
        Atomics.wait(all, words.generation, generation);
      }
    }
    this.#throwIfAborted();
  }

  #throwIfAborted(): void {
    if (Atomics.load(this.#words, words.aborted) !== 0) throw new Error(otherFailed);
  }

  /** Says that from here on variables are overwritten. */
  commit(): void {
    Atomics.store(this.#words, words.committing, 1);
  }

  /** Whether a thread has come to where variables are overwritten since the last reset. */
  get isCommitting(): boolean {
    return Atomics.load(this.#words, words.committing) !== 0;
  }

  /** Lets the others go on, to fail: this thread will not come any more. */
  abort(): void {
    Atomics.store(this.#words, words.aborted, 1);
    Atomics.add(this.#words, words.generation, 1);
    Atomics.notify(this.#words, words.generation);
  }

  /** As at the beginning. Only while no thread waits. */
  reset(): void {
    Atomics.store(this.#words, words.arrived, 0);
    Atomics.store(this.#words, words.aborted, 0);
    Atomics.store(this.#words, words.committing, 0);
  }
}
