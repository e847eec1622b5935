import type { ExportNode, ExportOperation, ExportTensor, ExportValue } from "./export_graph.ts";

/** A value that has no number and no name yet. */
export type NewValue = Pick<ExportValue, "dtype" | "shape" | "recorded">;

/** The operations of an export graph under way. */
export interface ExportGraphBuilder {
  /** What there is so far, in an order of execution. */
  readonly nodes: ExportNode[];
  /** Gives a value a number and a name: the wanted one, with a number after it if it is taken. */
  define(name: string, value: NewValue): ExportValue;
  /** Appends an operation and returns the value it defines. */
  add(
    name: string,
    operation: ExportOperation,
    inputs: readonly ExportValue[],
    value: NewValue,
  ): ExportValue;
  /** Appends a constant. */
  addConstant(name: string, value: ExportTensor): ExportValue;
}

/**
 * No operations.
 *
 * @param taken Names that no value may have.
 */
export function createExportGraphBuilder(taken: readonly string[]): ExportGraphBuilder {
  const nodes: ExportNode[] = [];
  const names = new Set(taken);
  let next = 0;

  function define(name: string, value: NewValue): ExportValue {
    let unique = name;
    for (let count = 2; names.has(unique); count++) unique = `${name}.${count}`;
    names.add(unique);
    return { id: next++, name: unique, ...value };
  }

  function add(
    name: string,
    operation: ExportOperation,
    inputs: readonly ExportValue[],
    value: NewValue,
  ): ExportValue {
    const output = define(name, value);
    nodes.push({ ...operation, inputs: inputs.map(({ id }) => id), output });
    return output;
  }

  return {
    nodes,
    define,
    add,
    addConstant: (name, value) =>
      add(name, { op: "constant", value }, [], { dtype: value.dtype, shape: value.shape }),
  };
}
