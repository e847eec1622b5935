/** What values a fake quantisation gives. */
export interface FakeQuantizationRange {
  /** The lowest value, at most 0. */
  readonly low: number;
  /** The highest value. */
  readonly high: number;
  /** How many values there are. */
  readonly levels: number;
  /** From one to the next. */
  readonly step: number;
}

/**
 * The values TensorFlow's FakeQuantWithMinMaxVars gives: the range is shifted a little, so that 0 is one of them.
 *
 * @param min Wanted lowest value, at most 0.
 * @param max Wanted highest value, at least 0.
 * @param options `bits`: 2 to 8; `narrow`: one value fewer at the low end, which makes a symmetric range have a 0 in its
 * middle.
 * @returns The range, in float32 as TensorFlow's kernel has it.
 * @see Jacob et al., Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference, 2018,
 * https://arxiv.org/abs/1712.05877, section 3
 */
export function fakeQuantizationRange(
  min: number,
  max: number,
  { bits, narrow }: { bits: number; narrow: boolean },
): FakeQuantizationRange {
  const { fround } = Math;
  const first = narrow ? 1 : 0, last = 2 ** bits - 1;
  const step = fround(fround(max - min) / (last - first));
  const wantedZero = fround(first - fround(min / step));
  const zero = wantedZero < first ? first : wantedZero > last ? last : Math.floor(wantedZero + 0.5);
  return {
    low: fround((first - zero) * step),
    high: fround((last - zero) * step),
    levels: last - first + 1,
    step,
  };
}
