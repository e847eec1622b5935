/**
 * Decodes IEEE 754 half-precision numbers.
 *
 * @param bits float16 bit patterns, any length
 * @returns the same numbers as float32 (exact: every float16 is a float32)
 */
export function float16ToFloat32(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const out = new Float32Array(bits.length);
  const words = new Uint32Array(out.buffer);
  for (let i = 0; i < bits.length; i++) {
    const half = bits[i];
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0) { // zero and subnormals: fraction x 2^-24
      out[i] = fraction * 2 ** -24;
      words[i] |= sign;
    } else if (exponent === 31) { // infinity and NaN keep their payload
      words[i] = sign | 0x7f800000 | (fraction << 13);
    } else {
      words[i] = sign | ((exponent + 112) << 23) | (fraction << 13);
    }
  }
  return out;
}

/**
 * Decodes bfloat16 numbers: the upper halves of float32 numbers.
 *
 * @param bits bfloat16 bit patterns, any length
 * @returns the same numbers as float32 (exact)
 */
export function bfloat16ToFloat32(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const words = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i] << 16;
  return new Float32Array(words.buffer);
}
