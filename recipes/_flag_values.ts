import { InvalidArgumentError } from "npm:commander@15.1.0";

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
