/** The largest half-precision number; what is larger would become infinite. */
const LARGEST_HALF = 65504;

/** Whether numbers can be stored in half precision. */
export function fitsHalf(data: Float32Array): boolean {
  return data.every((value) => Math.abs(value) <= LARGEST_HALF);
}
