import { Barrier } from "./barrier.ts";
import type { Instruction } from "./plan.ts";
import {
  type Convolution,
  createConvolution,
  createSigmoid,
  type Engine,
  type Sigmoid,
} from "./primitives.ts";

/** What a thread needs to run its part of a plan. */
export interface ProgramDescription {
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
  readonly threads: number;
  readonly instructions: readonly Instruction[];
  readonly labels: number;
}

/** A thread's part of a plan, ready to run. */
export interface Program {
  /** What oneDNN calls the code it computes with, by label. */
  readonly implementations: readonly (readonly [label: number, implementation: string])[];
  /**
   * Runs it; returns when all threads are done with all phases but the last.
   *
   * @param settled Whether what depends on nothing but variables that stay as they are is still there from before.
   */
  run(settled: boolean): void;
  /** The same, and measures. @returns Milliseconds by label, and those spent waiting at the end. */
  profile(): Float64Array;
}

/**
 * Makes the primitives of a program and binds every instruction to its addresses.
 *
 * @param engine The thread's engine.
 * @param description The program.
 * @returns What runs it.
 * @throws {Error} If oneDNN cannot do a convolution.
 */
export function createProgram(engine: Engine, description: ProgramDescription): Program {
  const { memory, module, threads, instructions, labels } = description;
  const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as Record<
    string,
    (at: number) => void
  >;
  const base = BigInt(
    Deno.UnsafePointer.value(Deno.UnsafePointer.of(new Uint8Array(memory.buffer, 0, 1) as never)),
  );
  const at = (address: number) => Deno.UnsafePointer.create(base + BigInt(address));
  const barrier = new Barrier(memory.buffer, threads);
  const convolutions = new Map<string, Convolution>();
  const sigmoids = new Map<number, Sigmoid>();
  const implementations = new Map<number, string>();
  const inLayout = new Set<string>();

  const bind = (instruction: Instruction): () => void => {
    switch (instruction.kind) {
      case "barrier":
        inLayout.clear();
        return () => barrier.wait();
      case "commit":
        return () => barrier.commit();
      case "kernel": {
        const kernel = kernels[`k${instruction.kernel}`]!, { arguments: words } = instruction;
        return () => kernel(words);
      }
      case "matrix-product": {
        const { native } = engine;
        const { transposeLeft, transposeRight, add } = instruction;
        const [rows, columns, inner] = [instruction.rows, instruction.columns, instruction.inner].map(
          BigInt,
        ) as [
          bigint,
          bigint,
          bigint,
        ];
        const [left, right, output] = [at(instruction.left), at(instruction.right), at(instruction.output)];
        const [N, T] = [78, 84];
        const leftRow = transposeLeft ? rows : inner, rightRow = transposeRight ? inner : columns;
        return () => {
          const status = native.dnnl_sgemm(
            transposeLeft ? T : N,
            transposeRight ? T : N,
            rows,
            columns,
            inner,
            1,
            left,
            leftRow,
            right,
            rightRow,
            add ? 1 : 0,
            output,
            columns,
          );
          if (status !== 0) throw new Error(`Cannot multiply matrices: oneDNN's status is ${status}`);
        };
      }
      case "sigmoid": {
        const { size, label } = instruction;
        const sigmoid = sigmoids.get(size) ?? createSigmoid(engine, size);
        sigmoids.set(size, sigmoid);
        implementations.set(label, sigmoid.implementation);
        return sigmoid.bind(base + BigInt(instruction.input), base + BigInt(instruction.output));
      }
      case "convolution": {
        const { pass, geometry, label } = instruction;
        // Each filter has its own copy in oneDNN's layout, made where a phase uses it first.
        const key = `${pass} ${instruction.filter} ${JSON.stringify(geometry)}`;
        let convolution = convolutions.get(key);
        if (convolution === undefined) {
          convolution = createConvolution(engine, pass, geometry);
          convolutions.set(key, convolution);
        }
        implementations.set(label, convolution.implementation);
        const [image, filter, result] = [instruction.image, instruction.filter, instruction.result]
          .map((address) => base + BigInt(address));
        const newFilter = !inLayout.has(key);
        inLayout.add(key);
        return convolution.bind(image!, filter!, result!, newFilter);
      }
    }
  };
  const steps = instructions.map(bind);
  const unsettled = steps.filter((_, index) => !instructions[index]!.settled);
  const labelOf = instructions.map((instruction) => "label" in instruction ? instruction.label : labels);
  /** Whoever fails lets the others go on, to fail too. */
  const together = (action: () => void) => {
    try {
      action();
    } catch (thrown) {
      barrier.abort();
      throw thrown;
    }
  };
  return {
    implementations: [...implementations],
    run: (settled) =>
      together(() => {
        for (const step of settled ? unsettled : steps) step();
      }),
    profile() {
      const milliseconds = new Float64Array(labels + 1);
      together(() => {
        for (let index = 0; index < steps.length; index++) {
          const start = performance.now();
          steps[index]!();
          milliseconds[labelOf[index]!]! += performance.now() - start;
        }
      });
      return milliseconds;
    },
  };
}
