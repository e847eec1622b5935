/** One thread of a team: prepares programs and runs them when told to. */
import { parentPort } from "node:worker_threads";
import { effectiveInstructionSet, type NativeSystem, openOneDNN } from "./library.ts";
import { createProgram, type Program, type ProgramDescription } from "./program.ts";
import { createEngine, type Engine } from "./primitives.ts";

/** What the main thread asks for. */
export type Request =
  | { readonly kind: "open"; readonly library: string }
  | { readonly kind: "prepare"; readonly program: number; readonly description: ProgramDescription }
  | { readonly kind: "run"; readonly program: number; readonly settled: boolean }
  | { readonly kind: "profile"; readonly program: number }
  | { readonly kind: "drop"; readonly program: number };

/** What it is told. */
export type Answer = { readonly error?: string; readonly result?: unknown };

let engine: Engine, system: NativeSystem;
const programs = new Map<number, Program>();

async function answer(request: Request): Promise<unknown> {
  switch (request.kind) {
    case "open": {
      const library = await openOneDNN(request.library);
      const { native, version } = library;
      library.openMP.omp_set_num_threads(1); // the team's threads are the threads
      system = library.system;
      flushDenormals();
      engine = createEngine(native);
      return `oneDNN ${version} (${effectiveInstructionSet(native)})`;
    }
    case "prepare": {
      takeHugePages(request.description.memory);
      const program = createProgram(engine, request.description);
      programs.set(request.program, program);
      return program.implementations;
    }
    case "run":
      return programs.get(request.program)!.run(request.settled);
    case "profile":
      return programs.get(request.program)!.profile();
    case "drop":
      programs.get(request.program)?.dispose();
      programs.delete(request.program);
  }
}

/**
 * Makes numbers too small for float32's full precision 0 in this thread: computing with them takes a hundred times as
 * long. glibc keeps the SSE control register at byte 28 of `fenv_t`.
 */
function flushDenormals(): void {
  const environment = new Uint8Array(32);
  system.fegetenv(environment);
  const view = new DataView(environment.buffer);
  const flushToZero = 0x8000, denormalsAreZero = 0x40;
  view.setUint32(28, view.getUint32(28, true) | flushToZero | denormalsAreZero, true);
  system.fesetenv(environment);
}

/** Asks for pages of 2 MiB, which saves looking up pages of 4 KiB; the system may decline. */
function takeHugePages({ buffer }: WebAssembly.Memory): void {
  const adviseHugePage = 14;
  const at = Deno.UnsafePointer.of(new Uint8Array(buffer) as never);
  system.madvise(at, BigInt(buffer.byteLength), adviseHugePage);
}

parentPort!.on("message", async (request: Request) => {
  try {
    parentPort!.postMessage({ result: await answer(request) } satisfies Answer);
  } catch (thrown) {
    parentPort!.postMessage(
      { error: thrown instanceof Error ? thrown.message : String(thrown) } satisfies Answer,
    );
  }
});
