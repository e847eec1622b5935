import { convolutionRules } from "./convolutions.ts";
import { elementwiseRules } from "./elementwise.ts";
import { linearAlgebraRules } from "./linear_algebra.ts";
import type { ShapeRule } from "./node_view.ts";
import { reductionRules } from "./reductions.ts";
import { reshapingRules } from "./reshaping.ts";

/** The rule of each operator, by TensorFlow's name. */
export const shapeRules: ReadonlyMap<string, ShapeRule> = new Map(Object.entries({
  ...elementwiseRules,
  ...reductionRules,
  ...linearAlgebraRules,
  ...convolutionRules,
  ...reshapingRules,
}));
