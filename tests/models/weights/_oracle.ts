import type { HostTensor } from "../../../lib/graph/host_tensor.ts";

/** Path of a file made by the scripts in tests/oracles/weights. */
export function oracle(name: string): string {
  return new URL(`../../oracles/weights/${name}`, import.meta.url).pathname;
}

/** A tensor as the oracle's JSON has it: integers beyond 2^53 and infinities are text. */
export interface StoredTensor {
  dtype: HostTensor["dtype"];
  shape: number[];
  data: (number | boolean | string)[];
}

/** Tensors and names that the oracle files hold. */
export const expected: {
  tensors: Record<string, StoredTensor>;
  checkpoint: Record<string, StoredTensor>;
  writable: string[];
} = JSON.parse(Deno.readTextFileSync(oracle("expected.json")));

/** The host tensor that a stored one describes. */
export function toHostTensor({ dtype, shape, data }: StoredTensor): HostTensor {
  const numbers = data.map((item) => typeof item === "string" && !/inf/.test(item) ? item : toNumber(item));
  switch (dtype) {
    case "int64":
      return { dtype, shape, data: BigInt64Array.from(numbers.map(BigInt)) };
    case "int32":
      return { dtype, shape, data: Int32Array.from(numbers.map(Number)) };
    case "uint8":
    case "bool":
      return { dtype, shape, data: Uint8Array.from(numbers.map(Number)) };
    default:
      return { dtype, shape, data: Float32Array.from(numbers.map(Number)) };
  }
}

function toNumber(item: number | boolean | string): number {
  return item === "inf" ? Infinity : item === "-inf" ? -Infinity : Number(item);
}

/** Tensors of the oracle by name. */
export function pick(names: string[]): Record<string, HostTensor> {
  return Object.fromEntries(names.map((name) => [name, toHostTensor(expected.tensors[name])]));
}
