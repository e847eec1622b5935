import type { Precision } from "../graph/compiled_function.ts";
import { Barrier } from "./barrier.ts";
import type { Instruction } from "./instructions.ts";
import {
  type BoundCall,
  type Convolution,
  type Engine,
  Primitives,
  type Product,
  type Sigmoid,
} from "./primitives.ts";

/** What a thread needs to run its part of a plan. */
export interface ProgramDescription {
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
  readonly threads: number;
  readonly instructions: readonly Instruction[];
  readonly labels: number;
  readonly precision: Precision;
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
  /** Frees oneDNN's primitives. It cannot run any more. */
  dispose(): void;
}

/**
 * Makes the primitives of a program and binds every instruction to its addresses.
 *
 * @param engine The thread's engine.
 * @param description The program.
 * @returns What runs it.
 * @throws {Error} If oneDNN cannot do a convolution, or does not compute in the precision here.
 */
export function createProgram(engine: Engine, description: ProgramDescription): Program {
  const { memory, module, threads, instructions, labels, precision } = description;
  const primitives = new Primitives(engine, precision);
  const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as Record<
    string,
    (at: number) => void
  >;
  const base = BigInt(
    Deno.UnsafePointer.value(Deno.UnsafePointer.of(new Uint8Array(memory.buffer, 0, 1) as never)),
  );
  const at = (address: number) => base + BigInt(address);
  const barrier = new Barrier(memory.buffer, threads);
  const convolutions = new Map<string, Convolution>();
  const sigmoids = new Map<number, Sigmoid>();
  const products = new Map<string, Product>();
  const implementations = new Map<number, string>();
  const inLayout = new Set<string>();

  const bind = (instruction: Instruction): BoundCall => {
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
        const { left, right, output, label, rows, inner, columns, transposeLeft, transposeRight, add } =
          instruction;
        const key = `${rows} ${inner} ${columns} ${transposeLeft} ${transposeRight} ${add}`;
        const product = products.get(key) ?? primitives.product(instruction);
        products.set(key, product);
        implementations.set(label, product.implementation);
        return product.bind(at(left), at(right), at(output));
      }
      case "sigmoid": {
        const { size, label } = instruction;
        const sigmoid = sigmoids.get(size) ?? primitives.sigmoid(size);
        sigmoids.set(size, sigmoid);
        implementations.set(label, sigmoid.implementation);
        return sigmoid.bind(at(instruction.input), at(instruction.output));
      }
      case "convolution": {
        const { pass, geometry, label } = instruction;
        // Each filter has its own copy in oneDNN's layout, made where a phase uses it first.
        const key = `${pass} ${instruction.filter} ${JSON.stringify(geometry)}`;
        let convolution = convolutions.get(key);
        if (convolution === undefined) {
          convolution = primitives.convolution(pass, geometry);
          convolutions.set(key, convolution);
        }
        implementations.set(label, convolution.implementation);
        const newFilter = !inLayout.has(key);
        inLayout.add(key);
        return convolution.bind(
          at(instruction.image),
          at(instruction.filter),
          at(instruction.result),
          newFilter,
        );
      }
    }
  };
  let steps: BoundCall[];
  try {
    steps = instructions.map(bind);
  } catch (thrown) {
    primitives.dispose();
    throw thrown;
  }
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
    dispose: () => primitives.dispose(),
  };
}
