import { checkInputs, checkNextValues, checkVariables } from "../graph/check_tensors.ts";
import type { CompiledFunction, Executor, Precision } from "../graph/compiled_function.ts";
import { fusePadding } from "../graph/fuse_padding.ts";
import type { Graph } from "../graph/graph.ts";
import type { HostData, HostTensor } from "../graph/host_tensor.ts";
import { valueSpecs } from "../graph/value_specs.ts";
import { requirePrecision } from "./availability.ts";
import { Barrier } from "./barrier.ts";
import { lower } from "./lower.ts";
import { requireMemory } from "./memory.ts";
import { type Place, type Plan, plan } from "./plan.ts";
import { schedule } from "./schedule.ts";
import { currentTeam, defaultThreads, startTeam, type Team } from "./team.ts";
import { buildKernels } from "./wasm/build_kernels.ts";

/** Bytes of a WebAssembly page. */
const page = 65536;

let functions = 0;

/** How a {@linkcode OneDNNFunction} is made. */
export interface OneDNNFunctionOptions {
  /**
   * Whose threads run it.
   * @default {those that `startTeam` starts}
   */
  readonly team?: Team;
  /**
   * What products and convolutions are computed in.
   * @default {"float32"}
   */
  readonly precision?: Precision;
  /**
   * Bytes the buffers of a slice of the batch may take.
   * @default {1.5 MiB, which a core's cache holds}
   */
  readonly sliceBytes?: number;
}

/** A plan in memory, and the team that knows it under a number. */
interface Prepared {
  readonly team: Team;
  readonly number: number;
  readonly memory: WebAssembly.Memory;
  /** What oneDNN calls its code, by label of the plan. */
  readonly implementations: ReadonlyMap<number, string>;
}

/** A graph as programs for the threads of a team. */
export class OneDNNFunction implements CompiledFunction {
  readonly graph: Graph;
  readonly executor: Executor;
  readonly plan: Plan;
  /** Whose threads run it; the one all functions share if undefined. */
  readonly #team: Team | undefined;
  readonly #precision: Precision;
  readonly #variables: ReadonlyMap<string, HostTensor>;
  /** Of the first call; the variables' first values are in it. */
  #prepared: Promise<Prepared> | undefined;
  /** Resolves when the call before is done. */
  #turn: Promise<unknown> = Promise.resolve();
  #disposal: Promise<void> | undefined;
  /** Whether what follows from variables that stay as they are has been computed since they were written. */
  #settled = false;
  /** Names of variables that a failed call may have left half overwritten, until they are written. */
  readonly #damaged = new Set<string>();

  /**
   * @param graph What to run.
   * @param variables State that stays with the executor.
   * @param reason Why this executor runs it.
   * @param options Threads and precision.
   * @throws {TypeError} If the variables do not fit, or the graph cannot be lowered.
   * @throws {RangeError} If it needs more memory than there is, or the processor does not compute in the precision.
   */
  constructor(
    graph: Graph,
    variables: Readonly<Record<string, HostTensor>>,
    reason: string,
    { team, precision = "float32", sliceBytes }: OneDNNFunctionOptions = {},
  ) {
    requirePrecision(precision);
    this.#team = team;
    this.#precision = precision;
    checkVariables(`Cannot compile ${graph.name}`, graph, variables);
    checkNextValues(graph, variables);
    this.graph = graph;
    this.executor = { name: "onednn", reason };
    this.#variables = new Map(Object.entries(variables).map(([name, value]) => [name, copyOf(value)]));
    const names = new Set(this.#variables.keys());
    const threads = (team ?? currentTeam())?.threads ?? defaultThreads();
    const lowered = lower(fusePadding(graph), names);
    this.plan = plan(lowered, schedule(lowered, threads, names), threads, names, sliceBytes);
    requireMemory(graph.name, this.plan, lowered.batchSize);
  }

  /**
   * Starts the threads and gets everything ready, which the first call does otherwise.
   *
   * @throws {Error} If oneDNN cannot do a part of it, or the library can be neither found nor fetched.
   */
  prepare(): Promise<void> {
    return this.#checked(() => this.#inTurn(() => {}));
  }

  run(inputs: Readonly<Record<string, HostTensor>>): Promise<Record<string, HostTensor>> {
    return this.#checked(() => {
      checkInputs(this.graph, inputs, this.#variables);
      // The caller may overwrite them while the call waits.
      const given = Object.entries(inputs).map(([name, value]) => [name, copyOf(value)] as const);
      return this.#inTurn(async (prepared) => {
        const { memory } = prepared;
        this.#refuseIfDamaged();
        for (const [name, { data }] of given) write(memory, this.plan.inputs.get(name)!, data);
        await this.#ask(prepared, "run");
        return this.#collect(memory, this.plan.outputs, (name) => !this.#variables.has(name));
      });
    });
  }

  read(prefix = ""): Promise<Record<string, HostTensor>> {
    return this.#checked(() =>
      this.#inTurn(({ memory }) => {
        this.#refuseIfDamaged();
        const values = this.#collect(
          memory,
          this.plan.inputs,
          (name) => name.startsWith(prefix),
        );
        return Object.fromEntries(
          Object.entries(values).map(([name, value]) => [name.slice(prefix.length), value]),
        );
      })
    );
  }

  write(values: Readonly<Record<string, HostTensor>>): Promise<void> {
    return this.#checked(() => {
      checkVariables(`Cannot write variables of ${this.graph.name}`, this.graph, values, this.#variables);
      const given = Object.entries(values).map(([name, value]) => [name, copyOf(value)] as const);
      return this.#inTurn(({ memory }) => {
        this.#settled = false;
        for (const [name, { data }] of given) {
          write(memory, this.plan.inputs.get(name)!, data);
          this.#damaged.delete(name);
        }
      });
    });
  }

  /**
   * Runs it once as it stands and measures.
   *
   * @returns For each thread milliseconds by label of the plan, and at the end those spent waiting; and what oneDNN
   * calls its code.
   */
  profile(): Promise<{ milliseconds: Float64Array[]; implementations: ReadonlyMap<number, string> }> {
    return this.#checked(() =>
      this.#inTurn(async (prepared) => {
        this.#refuseIfDamaged();
        return {
          milliseconds: await this.#ask(prepared, "profile") as Float64Array[],
          implementations: prepared.implementations,
        };
      })
    );
  }

  /** Lets all threads do their part. */
  async #ask({ team, number, memory }: Prepared, kind: "run" | "profile"): Promise<unknown[]> {
    const barrier = new Barrier(memory.buffer, this.plan.threads);
    barrier.reset();
    try {
      // A thread that ended cannot tell the others that it will not come.
      const settled = this.#settled;
      this.#settled = false;
      const answers = await team.ask(
        () => kind === "run" ? { kind, program: number, settled } : { kind, program: number },
        () => barrier.abort(),
      );
      this.#settled = true;
      return answers;
    } catch (thrown) {
      if (barrier.isCommitting) { for (const { name } of this.#overwritten()) this.#damaged.add(name); }
      throw new Error(`Cannot run ${this.graph.name}: ${thrown instanceof Error ? thrown.message : thrown}`);
    }
  }

  /** Variables that have a next value. */
  #overwritten(): { readonly name: string }[] {
    return this.graph.outputs.filter(({ name }) => this.#variables.has(name));
  }

  #refuseIfDamaged(): void {
    if (this.#damaged.size === 0) return;
    const [first, ...others] = this.#damaged;
    throw new Error(
      `Cannot use ${this.graph.name}: a call failed while ${first}${
        others.length > 0 ? ` (and ${others.length} more variables)` : ""
      } was being overwritten\n  help: write() all variables, or compile the graph again`,
    );
  }

  dispose(): Promise<void> {
    return this.#disposal ??= this.#turn.then(async () => {
      if (this.#prepared === undefined) return;
      const prepared = await this.#prepared.catch(() => undefined);
      await prepared?.team.ask(() => ({ kind: "drop", program: prepared.number })).catch(() => {});
      this.#prepared = undefined;
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** Errors of the caller come as rejections, those of a disposed function first. */
  async #checked<T>(action: () => Promise<T>): Promise<T> {
    if (this.#disposal !== undefined) {
      throw new TypeError(
        `Cannot use ${this.graph.name}: it was disposed\n` +
          `  help: compile the graph again, or dispose of it later`,
      );
    }
    return await action();
  }

  #inTurn<T>(action: (prepared: Prepared) => T | Promise<T>): Promise<T> {
    const result = this.#turn.then(async () => {
      this.#prepared ??= this.#prepare();
      const prepared = await this.#prepared.catch((thrown) => {
        this.#prepared = undefined; // another try may find the network
        throw thrown;
      });
      return await action(prepared);
    });
    this.#turn = result.catch(() => {});
    return result;
  }

  async #prepare(): Promise<Prepared> {
    const { kernels, words, argumentsAt, constants, labels, memoryBytes, programs, threads } = this.plan;
    const team = this.#team ?? await startTeam({ threads });
    if (team.threads !== threads) {
      throw new Error(
        `Cannot run ${this.graph.name}: it was compiled for ${threads} threads, and ${team.threads} were started\n` +
          `  help: await startTeam() before compile()`,
      );
    }
    const pages = Math.ceil(memoryBytes / page);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    const module = await WebAssembly.compile(
      buildKernels(kernels, { initialPages: pages, maximumPages: pages }),
    );
    new Int32Array(memory.buffer, argumentsAt, words.length).set(words);
    for (const { at, data, type } of constants) write(memory, { at, type, size: data.length }, data);
    for (const [name, { data }] of this.#variables) write(memory, this.plan.inputs.get(name)!, data);
    const number = functions++;
    const precision = this.#precision;
    try {
      const answers = await team.ask((thread) => ({
        kind: "prepare",
        program: number,
        description: {
          memory,
          module,
          threads,
          instructions: programs[thread]!,
          labels: labels.length,
          precision,
        },
      })) as (readonly (readonly [number, string])[])[];
      return { team, number, memory, implementations: new Map(answers.flat()) };
    } catch (thrown) {
      await team.ask(() => ({ kind: "drop", program: number })).catch(() => {}); // where it did not fail
      throw thrown;
    }
  }

  /** Copies of the outputs or variables that are wanted. */
  #collect(
    memory: WebAssembly.Memory,
    places: ReadonlyMap<string, Place>,
    wanted: (name: string) => boolean,
  ): Record<string, HostTensor> {
    const specs = valueSpecs(this.graph);
    const inputs = new Map(this.graph.inputs.map(({ name, id }) => [name, id]));
    const ids = places === this.plan.inputs
      ? [...this.#variables.keys()].map((name) => [name, inputs.get(name)!] as const)
      : this.graph.outputs.map(({ name, value }) => [name, value] as const);
    const values: Record<string, HostTensor> = {};
    for (const [name, id] of ids) {
      if (!wanted(name)) continue;
      const { dtype, shape } = specs.get(id)!;
      values[name] = { dtype, shape, data: view(memory, places.get(name)!).slice() };
    }
    return values;
  }
}

function copyOf({ dtype, shape, data }: HostTensor): HostTensor {
  return { dtype, shape: [...shape], data: data.slice() };
}

function write(memory: WebAssembly.Memory, place: Place, data: HostData): void {
  view(memory, place).set(data as Float32Array);
}

/** A tensor in the memory of a plan. */
function view(memory: WebAssembly.Memory, { at, type, size }: Place): Float32Array | Int32Array | Uint8Array {
  switch (type) {
    case "float32":
      return new Float32Array(memory.buffer, at, size);
    case "int32":
      return new Int32Array(memory.buffer, at, size);
    case "uint8":
    case "bool":
      return new Uint8Array(memory.buffer, at, size);
  }
}
