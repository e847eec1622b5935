import type { Graph } from "../graph/graph.ts";
import type { HostData, HostTensor } from "../graph/host_tensor.ts";
import { fusePadding } from "../graph/fuse_padding.ts";
import { lower } from "./lower.ts";
import { type Place, type Plan, plan } from "./plan.ts";
import type { ProgramDescription } from "./program.ts";
import { schedule } from "./schedule.ts";
import type { Team } from "./team.ts";
import { buildKernels } from "./wasm/loop_kernel.ts";

/** Bytes of a WebAssembly page. */
const page = 65536;

/** A plan in memory, with the team that runs it. */
export class PlannedFunction {
  readonly plan: Plan;
  readonly memory: WebAssembly.Memory;
  readonly #team: Team;
  readonly #id: number;

  private constructor(plan: Plan, memory: WebAssembly.Memory, team: Team, id: number) {
    this.plan = plan;
    this.memory = memory;
    this.#team = team;
    this.#id = id;
  }

  static planFor(graph: Graph, variables: ReadonlySet<string>, threads: number): Plan {
    const lowered = lower(fusePadding(graph), variables);
    return plan(lowered, schedule(lowered, threads), threads, variables);
  }

  static nextId = 0;

  static async create(plan: Plan, team: Team): Promise<PlannedFunction> {
    const pages = Math.ceil(plan.memoryBytes / page);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    const bytes = buildKernels(plan.kernels, { initialPages: pages, maximumPages: pages });
    const module = await WebAssembly.compile(bytes);
    new Int32Array(memory.buffer, plan.argumentsAt, plan.words.length).set(plan.words);
    for (const { at, data, type } of plan.constants) view(memory, { at, type, size: data.length }).set(data);
    const id = PlannedFunction.nextId++;
    await team.ask((thread) => ({
      kind: "prepare",
      id,
      description: {
        memory,
        module,
        threads: plan.threads,
        instructions: plan.programs[thread]!,
        labels: plan.labels.length,
      } satisfies ProgramDescription,
    }));
    return new PlannedFunction(plan, memory, team, id);
  }

  write(name: string, { data }: HostTensor): void {
    view(this.memory, this.plan.inputs.get(name)!).set(data as Float32Array);
  }

  read(place: Place): HostData {
    return view(this.memory, place).slice() as HostData;
  }

  async run(): Promise<void> {
    await this.#team.ask(() => ({ kind: "run", id: this.#id }));
  }

  async profile(): Promise<Float64Array[]> {
    return await this.#team.ask(() => ({ kind: "profile", id: this.#id })) as Float64Array[];
  }
}

function view(memory: WebAssembly.Memory, { at, type, size }: Place): Float32Array | Int32Array | Uint8Array {
  switch (type) {
    case "float32":
      return new Float32Array(memory.buffer, at, size);
    case "int32":
      return new Int32Array(memory.buffer, at, size);
    default:
      return new Uint8Array(memory.buffer, at, size);
  }
}
