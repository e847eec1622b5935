import { checkValues } from "../errors/check_options.ts";
import type { ModelRecord } from "../models/registry.ts";
import type { FineTuneOptions } from "./fine_tune_options.ts";
import { adaptiveRecipe, baselineRecipe, type Recipe } from "./recipe.ts";
import { contradictions, recipeFieldNames } from "./recipe_fields.ts";

/**
 * What of a recipe the options say: the fields of the recipe that was passed, and those given as options, which count
 * more.
 */
export function recipeChanges(options: FineTuneOptions): Partial<Recipe> {
  const { recipe } = options;
  const own = typeof recipe === "object" ? { name: "custom", ...recipe } : {};
  const given = recipeFieldNames.filter((name) => name !== "name").map((name) =>
    [name, options[name as keyof FineTuneOptions]] as const
  ).filter(([, value]) => value !== undefined);
  return { ...own, ...Object.fromEntries(given) };
}

/**
 * The recipe that options ask for.
 *
 * @param record The model.
 * @param options The user's options.
 * @param verb Who asks, for errors.
 * @returns A recipe with every field it needs.
 * @throws {RangeError} If settings contradict each other.
 */
export function settleRecipe(record: ModelRecord, options: FineTuneOptions, verb = "fineTune"): Recipe {
  const changes = recipeChanges(options);
  const settled = options.recipe === "adaptive"
    ? fromScratch(adaptiveRecipe(record, changes), changes, options)
    : baselineRecipe(record, changes);
  const { freezeEpochs = 0 } = settled;
  checkValues(verb, [
    ...contradictions(settled),
    freezeEpochs > 0 && options.weights === null
      ? {
        option: "freezeEpochs",
        found: freezeEpochs,
        wanted: "0 with { weights: null }: random weights are not worth keeping as they are",
        wrongType: false,
      }
      : undefined,
  ]);
  return settled;
}

/** Where the main model begins with random weights, the recipe's own auxiliary models do too. */
function fromScratch(recipe: Recipe, changes: Partial<Recipe>, { weights }: FineTuneOptions): Recipe {
  const { auxiliaryModels } = recipe;
  if (weights !== null || auxiliaryModels === undefined || changes.auxiliaryModels !== undefined) {
    return recipe;
  }
  return { ...recipe, auxiliaryModels: auxiliaryModels.map((model) => ({ ...model, weights: null })) };
}
