import type { Graph, GraphInput } from "./graph.ts";
import { type HostTensor, sizeOf } from "./host_tensor.ts";
import { printSpec } from "./print_graph.ts";
import { valueSpecs } from "./value_specs.ts";

/** Checks the inputs of a call: one for each input of the graph that is not a variable, and no other. */
export function checkInputs(
  graph: Graph,
  given: Readonly<Record<string, HostTensor>>,
  variables: ReadonlyMap<string, unknown>,
): void {
  const expected = graph.inputs.filter((input) => !variables.has(input.name));
  const names = new Set(expected.map((input) => input.name));
  const problems = [
    ...expected.flatMap((input) => {
      const value = given[input.name];
      return value === undefined
        ? [`${input.name}: missing, wanted ${printSpec(input)}`]
        : mismatch(input, value);
    }),
    ...Object.keys(given).filter((name) => !names.has(name)).map((name) => `${name}: not an input`),
  ];
  if (problems.length > 0) {
    throw new TypeError(
      `Cannot run ${graph.name}: its inputs do not fit\n  ${problems.join("\n  ")}\n` +
        `  help: ${graph.name} takes ${listNames([...names])}`,
    );
  }
}

/** Checks values for variables; `names`, if given, are the only ones allowed. */
export function checkVariables(
  action: string,
  graph: Graph,
  variables: Readonly<Record<string, HostTensor>>,
  names?: ReadonlyMap<string, unknown>,
): void {
  const inputs = new Map(graph.inputs.map((input) => [input.name, input]));
  const problems = Object.entries(variables).flatMap(([name, value]) => {
    const input = inputs.get(name);
    if (input === undefined) return [`${name}: not an input of the graph`];
    if (names !== undefined && !names.has(name)) return [`${name}: an input, but not a variable`];
    return mismatch(input, value);
  });
  if (problems.length > 0) {
    const allowed = names === undefined ? graph.inputs.map((input) => input.name) : [...names.keys()];
    throw new TypeError(
      `${action}: its variables do not fit\n  ${problems.join("\n  ")}\n` +
        `  help: ${graph.name} ${names === undefined ? "can keep" : "keeps"} ${listNames(allowed)}`,
    );
  }
}

/** A variable whose next value had another dtype or shape would break the call after. */
export function checkNextValues(graph: Graph, variables: Readonly<Record<string, HostTensor>>): void {
  const specs = valueSpecs(graph);
  const problems = graph.outputs.flatMap(({ name, value }) => {
    const variable = variables[name], next = specs.get(value);
    return variable === undefined || next === undefined || printSpec(variable) === printSpec(next)
      ? []
      : [`${name}: its next value is ${printSpec(next)}, wanted ${printSpec(variable)}`];
  });
  if (problems.length > 0) {
    throw new TypeError(
      `Cannot compile ${graph.name}: variables would change their dtype or shape\n  ${
        problems.join("\n  ")
      }\n` +
        `  help: return a tensor of the variable's dtype and shape under its name, or choose another name`,
    );
  }
}

function listNames(names: readonly string[]): string {
  if (names.length === 0) return "nothing";
  const shown = names.slice(0, 8).join(", ");
  return names.length > 8 ? `${shown} (and ${names.length - 8} more)` : shown;
}

function mismatch(wanted: GraphInput, found: HostTensor): string[] {
  const same = wanted.dtype === found.dtype && wanted.shape.length === found.shape.length &&
    wanted.shape.every((length, axis) => length === found.shape[axis]);
  if (!same) return [`${wanted.name}: found ${printSpec(found)}, wanted ${printSpec(wanted)}`];
  const count = sizeOf(wanted.shape);
  return found.data.length === count
    ? []
    : [`${wanted.name}: found ${found.data.length} values, wanted ${count} for ${printSpec(wanted)}`];
}
