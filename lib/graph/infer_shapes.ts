import type { Attribute, TensorSpec } from "./graph.ts";
import { printSpec } from "./print_graph.ts";
import { NodeView, UnknownShapeError } from "./shape_rules/node_view.ts";
import { signatureOf } from "./shape_rules/signatures.ts";
import { shapeRules } from "./shape_rules/table.ts";

export { UnknownShapeError };

/** A node whose outputs are asked for. */
export interface NodeToInfer {
  /** TensorFlow's operator name. */
  readonly op: string;
  /** Dtypes and shapes of its inputs. */
  readonly inputs: readonly TensorSpec[];
  /** Its attributes; those left out have TensorFlow's defaults. */
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/**
 * Dtypes and shapes of a node's outputs, without any native code: TensorFlow's own rules for the operators of
 * `shape_rules/table.ts`, and stricter where TensorFlow would refuse the node only when it runs.
 *
 * @param node Operator, inputs and attributes.
 * @param valuesOf The elements of an input (by its place) where they are the same in every run, such as the shape that
 * `Reshape` is given.
 * @returns All outputs, in their order.
 * @throws {UnknownShapeError} If the operator has no rule, or the shape depends on elements that are not known.
 * @throws {TypeError} If inputs or attributes do not fit the operator, or a length depends on values for good. The
 * message names operator and input shapes.
 */
export function inferShapes(
  { op, inputs, attributes }: NodeToInfer,
  valuesOf: (input: number) => readonly number[] | undefined = () => undefined,
): TensorSpec[] {
  const rule = shapeRules.get(op), signature = signatureOf(op);
  if (rule === undefined || signature === undefined) {
    throw new UnknownShapeError(
      `Cannot record ${op}(${inputs.map(printSpec).join(", ")}): there is no shape rule for this operator\n` +
        "  help: open TensorFlow, which infers the shapes of all its operators: import from whittle/tensorflow",
    );
  }
  const node = new NodeView(op, inputs, attributes, signature, valuesOf);
  const shapes = rule(node);
  const specs = node.outputDtypes().map((dtype, index) => ({ dtype, shape: [...shapes[index]] }));
  const open = specs.find(({ shape }) => shape.some((length) => length < 0));
  if (open !== undefined) node.depends(`found ${printSpec(open)}, and every length must be known`);
  return specs;
}
