import type { InferenceSession, Tensor } from "npm:onnxruntime-node@1.30.0";
import type { DType, HostData, HostTensor } from "../graph/host_tensor.ts";
import { LibraryError, reasonOf } from "../provision/library_error.ts";
import { checkInputs } from "./_check_inputs.ts";
import type { ExportedModel, ExportedPort, OpenExportedOptions } from "./exported_model.ts";
import type { ONNXBytes } from "./exported_file.ts";

/**
 * Not written where it is imported: Deno would fetch the package, 290 MB for all systems, for everybody who imports this
 * file, and not only for those who run an ONNX model.
 */
const PACKAGE: string = "npm:onnxruntime-node@1.30.0";

type ONNXRuntime = typeof import("npm:onnxruntime-node@1.30.0");

/** Element types both have; onnxruntime's names are the same. */
const DTYPES: readonly string[] = ["float32", "int32", "int64", "uint8", "bool"] satisfies DType[];

/**
 * Opens an ONNX model for the CPU. onnxruntime computes in the thread that calls it: between two runs the event loop
 * turns, during one it does not.
 *
 * @param bytes The file.
 * @param name What the model is called in messages.
 * @param options `threads` and `asWritten`; onnxruntime computes what the file says, whatever the precision asked for.
 * @returns The model; dispose of it after use.
 * @throws {SyntaxError} If onnxruntime cannot read it.
 * @throws {LibraryError} If onnxruntime does not load on this machine.
 */
export async function openONNX(
  { onnx }: ONNXBytes,
  name: string,
  options: OpenExportedOptions = {},
): Promise<ExportedModel> {
  const { env, InferenceSession, Tensor } = await load();
  const { threads, asWritten = false } = options;
  const session = await InferenceSession.create(onnx, {
    executionProviders: ["cpu"],
    logSeverityLevel: 3, // errors: warnings go to the terminal past everybody
    graphOptimizationLevel: asWritten ? "disabled" : "all",
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
  }).catch((error) => {
    throw new SyntaxError(
      `Cannot open ${name}: onnxruntime does not read it\n  ${reasonOf(error)}\n` +
        "  help: export the model again, or pass the path of another .onnx file",
    );
  });
  const inputs = session.inputMetadata.map(toPort), outputs = session.outputMetadata.map(toPort);
  const running = new Set<Promise<unknown>>();
  let disposed: Promise<void> | undefined;

  async function run(given: Readonly<Record<string, HostTensor>>): Promise<Record<string, HostTensor>> {
    const feeds = Object.fromEntries(
      Object.entries(given).map(([input, { dtype, shape, data }]) => [
        input,
        new Tensor(dtype as Tensor.Type, data as Tensor.DataType, shape),
      ]),
    );
    const results = await session.run(feeds).catch((error) => {
      throw new Error(`Cannot run ${name}: onnxruntime: ${reasonOf(error)}`);
    });
    return Object.fromEntries(outputs.map((port) => [port.name, toHostTensor(results[port.name]!)]));
  }

  return {
    runtime: `onnxruntime ${env.versions.node}`,
    inputs,
    outputs,
    async run(given) {
      if (disposed !== undefined) throw new Error(`Cannot run ${name}: it was disposed of`);
      checkInputs(name, inputs, given);
      const result = run(given);
      running.add(result);
      return await result.finally(() => running.delete(result));
    },
    dispose() {
      return disposed ??= Promise.allSettled(running).then(() => session.release());
    },
  };
}

async function load(): Promise<ONNXRuntime> {
  try {
    return await import(PACKAGE);
  } catch (error) {
    throw new LibraryError("Cannot run ONNX models: onnxruntime does not load on this machine", {
      details: [reasonOf(error)],
      help: "export the model with exportIR and run the .xml in OpenVINO instead",
    });
  }
}

function toPort(value: InferenceSession.ValueMetadata): ExportedPort {
  if (!value.isTensor) return { name: value.name, dtype: "not a tensor", shape: [] };
  const shape = value.shape.map((length) => typeof length === "number" && length >= 0 ? length : -1);
  return { name: value.name, dtype: value.type, shape };
}

function toHostTensor({ type, dims, data }: Tensor): HostTensor {
  if (!DTYPES.includes(type)) {
    throw new TypeError(`Cannot read an output: found ${type}, wanted one of ${DTYPES.join(", ")}`);
  }
  return { dtype: type as DType, shape: [...dims], data: data as HostData };
}
