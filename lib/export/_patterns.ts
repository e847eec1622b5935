import type { GraphNode, TensorSpec } from "../graph/graph.ts";
import type { HostTensor } from "../graph/host_tensor.ts";

/** A folded recording, for looking things up. */
export interface Recording {
  /** The node that defines a value; none for an input. */
  producer(id: number): GraphNode | undefined;
  spec(id: number): TensorSpec;
  /** How many inputs of nodes read a value. */
  users(id: number): number;
  /** Name of an input. */
  name(id: number): string | undefined;
  /** A constant or a parameter; nothing for data. */
  constant(id: number): HostTensor | undefined;
}

/** An activation that was recorded as several operations. */
export interface MatchedActivation {
  readonly op: "swish" | "hardSwish" | "hardSigmoid";
  /** What it is applied to. */
  readonly input: number;
}

/**
 * Recognises an activation by its last operation: `x sigmoid(x)`, `(x / 6) relu6(x + 3)`, `relu6(x + 3) / 6`.
 *
 * @param id The value.
 * @param recording Where it is.
 */
export function matchActivation(id: number, recording: Recording): MatchedActivation | undefined {
  const factors = inputsOf(id, "Mul", recording);
  if (factors === undefined) return undefined;
  for (const [a, b] of [factors, factors.toReversed()] as [number, number][]) {
    const gated = inputsOf(b, "Sigmoid", recording);
    if (gated?.[0] === a) return { op: "swish", input: a };
    const shifted = shiftedByThree(b, recording);
    if (shifted === undefined) continue;
    if (isNumber(a, 1 / 6, recording)) return { op: "hardSigmoid", input: shifted };
    const sixth = inputsOf(a, "Mul", recording);
    if (sixth?.[0] === shifted && isNumber(sixth[1]!, 1 / 6, recording)) {
      return { op: "hardSwish", input: shifted };
    }
  }
  return undefined;
}

/** The x of `relu6(x + 3)`. */
function shiftedByThree(id: number, recording: Recording): number | undefined {
  const clipped = inputsOf(id, "Relu6", recording);
  const sum = clipped && inputsOf(clipped[0]!, "Add", recording);
  return sum !== undefined && isNumber(sum[1]!, 3, recording) ? sum[0] : undefined;
}

/**
 * Whether a value is the normalised pictures: `cast(images) * scale + offset`, one scale and offset a channel.
 *
 * @param id The value.
 * @param recording Where it is.
 */
export function matchNormalisation(id: number, recording: Recording): boolean {
  const sum = inputsOf(id, "Add", recording);
  const product = sum && inputsOf(sum[0]!, "Mul", recording);
  const cast = product && inputsOf(product[0]!, "Cast", recording);
  return cast !== undefined && recording.name(cast[0]!) === "images" &&
    isPerChannel(sum![1]!, recording) && isPerChannel(product![1]!, recording);
}

function isPerChannel(id: number, recording: Recording): boolean {
  return recording.constant(id)?.data.length === 3;
}

function inputsOf(id: number, op: string, { producer }: Recording): readonly number[] | undefined {
  const node = producer(id);
  return node?.op === op ? node.inputs : undefined;
}

function isNumber(id: number, wanted: number, { constant }: Recording): boolean {
  const data = constant(id)?.data;
  return data?.length === 1 && Math.abs(Number(data[0]) - wanted) < 1e-6;
}
