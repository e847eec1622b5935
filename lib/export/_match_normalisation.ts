import type { GraphView } from "../graph/graph_view.ts";
import { inputsOf } from "../graph/match_activation.ts";

/**
 * Whether a value is the normalised pictures: `cast(images) * scale + offset`, one scale and offset a channel.
 *
 * @param id The value.
 * @param view Its graph.
 */
export function matchNormalisation(id: number, view: GraphView): boolean {
  const sum = inputsOf(id, "Add", view);
  const product = sum && inputsOf(sum[0]!, "Mul", view);
  const cast = product && inputsOf(product[0]!, "Cast", view);
  return cast !== undefined && view.name(cast[0]!) === "images" &&
    isPerChannel(sum![1]!, view) && isPerChannel(product![1]!, view);
}

function isPerChannel(id: number, view: GraphView): boolean {
  return view.constant(id)?.data.length === 3;
}
