import { InvalidArgumentError } from "npm:commander@15.1.0";

/**
 * Runs a recipe and ends the process with 1 if it fails: with the message alone where the message is meant for the
 * user (those begin with "Cannot"), with the whole stack where something is wrong in the program.
 */
export async function runRecipe(recipe: () => Promise<void>): Promise<void> {
  try {
    await recipe();
  } catch (error) {
    const isForUser = error instanceof Error && error.message.startsWith("Cannot ");
    console.error(isForUser ? `\n${error.message}` : error);
    Deno.exit(1);
  }
}

/** An argument that is a count. */
export function atLeastOne(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new InvalidArgumentError("wanted a whole number of at least 1");
  }
  return value;
}

/** An argument that is a number above 0. */
export function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Infinity)) throw new InvalidArgumentError("wanted a number above 0");
  return value;
}

/** An argument that is a count and may be 0. */
export function atLeastZero(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < 0) {
    throw new InvalidArgumentError("wanted a whole number of at least 0");
  }
  return value;
}
