import type { GraphView } from "./graph_view.ts";

/** An activation that is written as several operations. */
export interface MatchedActivation {
  readonly op: "swish" | "hardSwish" | "hardSigmoid";
  /** What it is applied to. */
  readonly input: number;
}

/**
 * Recognises an activation by its last operation: `x sigmoid(x)`, `(x / 6) relu6(x + 3)`, `relu6(x + 3) / 6`.
 *
 * @param id The value.
 * @param view Its graph.
 */
export function matchActivation(id: number, view: GraphView): MatchedActivation | undefined {
  const factors = inputsOf(id, "Mul", view);
  if (factors === undefined) return undefined;
  for (const [a, b] of [factors, factors.toReversed()] as [number, number][]) {
    const gated = inputsOf(b, "Sigmoid", view);
    if (gated?.[0] === a) return { op: "swish", input: a };
    const shifted = shiftedByThree(b, view);
    if (shifted === undefined) continue;
    if (isNumber(a, 1 / 6, view)) return { op: "hardSigmoid", input: shifted };
    const sixth = inputsOf(a, "Mul", view);
    if (sixth?.[0] === shifted && isNumber(sixth[1]!, 1 / 6, view)) {
      return { op: "hardSwish", input: shifted };
    }
  }
  return undefined;
}

/** The x of `relu6(x + 3)`. */
function shiftedByThree(id: number, view: GraphView): number | undefined {
  const clipped = inputsOf(id, "Relu6", view);
  const sum = clipped && inputsOf(clipped[0]!, "Add", view);
  return sum !== undefined && isNumber(sum[1]!, 3, view) ? sum[0] : undefined;
}

/** What a node of some operator reads, if the value comes from one. */
export function inputsOf(id: number, op: string, { producer }: GraphView): readonly number[] | undefined {
  const node = producer(id);
  return node?.op === op ? node.inputs : undefined;
}

function isNumber(id: number, wanted: number, { constant }: GraphView): boolean {
  const data = constant(id)?.data;
  return data?.length === 1 && Math.abs(Number(data[0]) - wanted) < 1e-6;
}
