import { type HostTensor, sizeOf } from "../graph/host_tensor.ts";
import type { ExportedPort } from "./exported_model.ts";

/**
 * Refuses inputs that a model does not take, all of them at once: a runtime would read past the end of an array that is
 * too short.
 *
 * @param name What the model is called in the error.
 * @param ports What it takes.
 * @param inputs What it is given.
 * @throws {TypeError} If an input is missing, not known, or of another dtype or shape.
 */
export function checkInputs(
  name: string,
  ports: readonly ExportedPort[],
  inputs: Readonly<Record<string, HostTensor>>,
): void {
  const problems = ports.flatMap((port) => {
    const input = inputs[port.name];
    const wanted = `${port.dtype} [${port.shape.map((length) => length === -1 ? "any" : length)}]`;
    if (input === undefined) return [`${port.name}: found nothing, wanted ${wanted}`];
    const { dtype, shape, data } = input;
    const fits = dtype === port.dtype && shape.length === port.shape.length &&
      port.shape.every((length, axis) => length === -1 ? shape[axis]! > 0 : length === shape[axis]);
    if (!fits) return [`${port.name}: found ${dtype} [${shape}], wanted ${wanted}`];
    return data.length === sizeOf(shape)
      ? []
      : [`${port.name}: found ${data.length} values, wanted ${sizeOf(shape)} for [${shape}]`];
  });
  for (const given of Object.keys(inputs)) {
    if (!ports.some((port) => port.name === given)) problems.push(`${given}: the model has no such input`);
  }
  if (problems.length === 0) return;
  throw new TypeError(
    `Cannot run ${name}: ${
      problems.length === 1 ? "1 input does" : `${problems.length} inputs do`
    } not fit\n` +
      problems.map((problem) => `  ${problem}\n`).join("") +
      `  help: its inputs are ${ports.map((port) => port.name).join(", ")}`,
  );
}
