import type { HostTensor } from "../graph/host_tensor.ts";
import { checkInputs } from "./_check_inputs.ts";
import type { ExportedModel, ExportedPort, OpenExportedOptions } from "./exported_model.ts";
import type { IRBytes } from "./exported_file.ts";
import { findOpenVINO, type NativeOpenVINO, openOpenVINO } from "./openvino_library.ts";
import { type ProfiledOperation, readProfile } from "./_openvino_profile.ts";
import {
  addressOf,
  check,
  createTensor,
  cString,
  hold,
  out,
  pointerAt,
  reasonOfStatus,
  takePort,
  takeString,
  takeTensor,
} from "./_openvino_values.ts";

export type { ProfiledOperation };

/** How {@linkcode openIR} opens a model. */
export interface OpenIROptions extends OpenExportedOptions {
  /** Whether OpenVINO measures each operation, for `profile`. It costs a little time. @default {false} */
  readonly profiling?: boolean;
}

/** A model in OpenVINO. */
export interface IRModel extends ExportedModel {
  /** What OpenVINO made of the model, in the order of execution, with the times of the last run; needs `profiling`. */
  profile(): ProfiledOperation[];
}

/** OpenVINO itself, opened once for the life of the process. */
interface OpenVINO {
  readonly native: NativeOpenVINO;
  readonly version: string;
  readonly core: Deno.PointerObject;
}

let opened: Promise<OpenVINO> | undefined;

/** Compilations take turns: OpenVINO keeps one last error message for all. */
let compiling: Promise<unknown> = Promise.resolve();

/**
 * Opens an OpenVINO model for the CPU. The library is fetched if it is not there.
 *
 * @param bytes Text of the `.xml` and bytes of the `.bin`; the bytes must not change while the model is open.
 * @param name What the model is called in messages.
 * @param options Precision, threads, profiling.
 * @returns The model; dispose of it after use.
 * @throws {SyntaxError} If OpenVINO cannot read or compile it.
 * @throws {LibraryError} If OpenVINO cannot be had.
 */
export async function openIR(bytes: IRBytes, name: string, options: OpenIROptions = {}): Promise<IRModel> {
  const openVINO = await open(options);
  const compiled = compiling.then(() => compile(openVINO, bytes, name, options));
  compiling = compiled.catch(() => {});
  return createIRModel(openVINO, await compiled, bytes, name);
}

async function open(options: OpenIROptions): Promise<OpenVINO> {
  opened ??= (async () => {
    const { path } = await findOpenVINO(options);
    const { native, version } = await openOpenVINO(path);
    const core = out();
    check(native, native.ov_core_create(core));
    return { native, version, core: pointerAt(core) };
  })();
  try {
    return await opened;
  } catch (error) {
    opened = undefined; // so that the next call tries again
    throw error;
  }
}

async function compile(
  { native, core }: OpenVINO,
  { xml, bin }: IRBytes,
  name: string,
  options: OpenIROptions,
): Promise<Deno.PointerObject> {
  const fail = (what: string, status: number) => {
    throw new SyntaxError(
      `Cannot open ${name}: OpenVINO does not ${what} it\n` +
        `  ${reasonOfStatus(native, status)}\n` +
        "  help: export the model again, or open it with the OpenVINO it was made for",
    );
  };
  const model = out(), compiled = out();
  const text = new TextEncoder().encode(xml);
  // An empty array has no address, and OpenVINO wants one.
  const data = bin.length > 0 ? bin : new Uint8Array(1);
  const properties = propertiesOf(options).map(cString), device = cString("CPU");
  const pairs = BigUint64Array.from(properties, addressOf);
  const held = hold(model, compiled, text, data, properties, pairs, device);
  const weights = createTensor(native, { dtype: "uint8", shape: [data.length], data });
  try {
    const status = await native.ov_core_read_model_from_memory_buffer(
      core,
      text,
      BigInt(text.length),
      weights,
      model,
    );
    if (status !== 0) fail("read", status);
    const count = BigInt(properties.length / 2);
    const compiling = await native.ov_core_compile_model_props(
      core,
      pointerAt(model),
      device,
      count,
      pairs,
      compiled,
    );
    if (compiling !== 0) fail("compile", compiling);
    return pointerAt(compiled);
  } finally {
    held.release();
    native.ov_tensor_free(weights);
    if (model[0] !== 0n) native.ov_model_free(pointerAt(model));
  }
}

/** Names and values in turns. */
function propertiesOf({ precision = "f32", threads, performance, profiling }: OpenIROptions): string[] {
  return [
    ...(precision === "f32" ? ["INFERENCE_PRECISION_HINT", "f32"] : []),
    ...(threads === undefined ? [] : ["INFERENCE_NUM_THREADS", String(threads)]),
    ...["PERFORMANCE_HINT", performance === "throughput" ? "THROUGHPUT" : "LATENCY"],
    ...["PERF_COUNT", profiling ? "YES" : "NO"],
    ...["CACHE_DIR", ""],
  ];
}

function createIRModel(
  { native, version }: OpenVINO,
  compiled: Deno.PointerObject,
  bytes: IRBytes,
  name: string,
): IRModel {
  const inputs = readPorts(native, compiled, "input"), outputs = readPorts(native, compiled, "output");
  const idle: Deno.PointerObject[] = [], waiting: ((request: Deno.PointerObject) => void)[] = [];
  // Twice as many as OpenVINO computes at a time, so that it has the next one before this thread hears of the last.
  const limit = 2 * optimalRequests(native, compiled);
  let requests = 0, lastUsed: Deno.PointerObject | undefined;
  let running = 0, whenIdle: (() => void) | undefined;
  const weights = hold(bytes.bin); // the compiled model may read its weights in place
  let disposed: Promise<void> | undefined;

  async function takeRequest(): Promise<Deno.PointerObject> {
    const free = idle.pop();
    if (free !== undefined) return free;
    if (requests >= limit) return await new Promise((resolve) => waiting.push(resolve));
    const request = out();
    check(native, native.ov_compiled_model_create_infer_request(compiled, request));
    requests++;
    return pointerAt(request);
  }

  function giveBack(request: Deno.PointerObject): void {
    lastUsed = request;
    const next = waiting.shift();
    if (next === undefined) idle.push(request);
    else next(request);
  }

  async function run(given: Readonly<Record<string, HostTensor>>): Promise<Record<string, HostTensor>> {
    if (disposed !== undefined) throw new Error(`Cannot run ${name}: it was disposed of`);
    checkInputs(name, inputs, given);
    running++;
    const arrays = hold(...inputs.map((port) => given[port.name]!.data));
    try {
      const request = await takeRequest();
      try {
        return await runRequest(request, given);
      } finally {
        giveBack(request);
      }
    } finally {
      arrays.release();
      if (--running === 0) whenIdle?.();
    }
  }

  async function runRequest(
    request: Deno.PointerObject,
    given: Readonly<Record<string, HostTensor>>,
  ): Promise<Record<string, HostTensor>> {
    for (const [index, port] of inputs.entries()) {
      const tensor = createTensor(native, given[port.name]!);
      check(native, native.ov_infer_request_set_input_tensor_by_index(request, BigInt(index), tensor));
      native.ov_tensor_free(tensor); // the request has its own reference
    }
    const status = await native.ov_infer_request_infer(request);
    if (status !== 0) throw new Error(`Cannot run ${name}: OpenVINO: ${reasonOfStatus(native, status)}`);
    return Object.fromEntries(outputs.map((port, index) => {
      const tensor = out();
      check(native, native.ov_infer_request_get_output_tensor_by_index(request, BigInt(index), tensor));
      return [port.name, takeTensor(native, pointerAt(tensor))];
    }));
  }

  return {
    runtime: `OpenVINO ${version}`,
    inputs,
    outputs,
    run,
    profile() {
      if (disposed !== undefined) throw new Error(`Cannot profile ${name}: it was disposed of`);
      if (lastUsed === undefined) throw new Error(`Cannot profile ${name}: it has not run yet`);
      return readProfile(native, lastUsed);
    },
    dispose() {
      return disposed ??= (async () => {
        if (running > 0) await new Promise<void>((resolve) => whenIdle = resolve);
        for (const request of idle) native.ov_infer_request_free(request);
        native.ov_compiled_model_free(compiled);
        weights.release();
      })();
    },
  };
}

function readPorts(
  native: NativeOpenVINO,
  compiled: Deno.PointerObject,
  kind: "input" | "output",
): ExportedPort[] {
  const count = out();
  check(native, native[`ov_compiled_model_${kind}s_size`](compiled, count));
  return Array.from({ length: Number(count[0]) }, (_, index) => {
    const port = out();
    check(native, native[`ov_compiled_model_${kind}_by_index`](compiled, BigInt(index), port));
    return takePort(native, pointerAt(port), `${kind} ${index}`);
  });
}

/** How many batches may be computed at the same time: 1 where each is to be fast. */
function optimalRequests(native: NativeOpenVINO, compiled: Deno.PointerObject): number {
  const value = out();
  const key = cString("OPTIMAL_NUMBER_OF_INFER_REQUESTS");
  check(native, native.ov_compiled_model_get_property(compiled, key, value));
  return Math.max(1, Number(takeString(native, value)));
}
