import type { Code, FunctionCode } from "./assembler.ts";
import {
  choose,
  decrease,
  doWhile,
  f32,
  f32x4,
  fill,
  get,
  i32,
  increase,
  leave,
  Locals,
  set,
  v128,
  when,
  whileDo,
} from "./assembler.ts";

/** The gradient of the filter of a depthwise convolution, NHWC, float32. */
export interface DepthwiseFilterGradient {
  /** Height and width of the filter: 3, 5 or 7. */
  readonly kernelSize: 3 | 5 | 7;
  /** Stride of the convolution in both directions. */
  readonly stride: 1 | 2;
}

/** What one call works on. */
export interface DepthwiseFilterGradientArguments {
  /** Number of images. */
  readonly images: number;
  /** Height of the input. */
  readonly height: number;
  /** Width of the input. */
  readonly width: number;
  /** Height of the output. */
  readonly outHeight: number;
  /** Width of the output. */
  readonly outWidth: number;
  /** Rows of zeros above the input. */
  readonly paddingTop: number;
  /** Columns of zeros left of the input. */
  readonly paddingLeft: number;
  /** Channels to work on, from where the pointers point. */
  readonly channels: number;
  /** Channels a pixel has in memory, at least `channels`: more if the work is divided by channels. */
  readonly allChannels: number;
  /** Whether to add to the filter gradient in memory instead of overwriting it. */
  readonly add: boolean;
  /** Byte address of the input `[images, height, width, allChannels]`. */
  readonly x: number;
  /** Byte address of the gradient of the output `[images, outHeight, outWidth, allChannels]`. */
  readonly dy: number;
  /** Byte address of the gradient of the filter `[kernelSize, kernelSize, allChannels]`. */
  readonly filter: number;
}

const order = [
  "images",
  "height",
  "width",
  "outHeight",
  "outWidth",
  "paddingTop",
  "paddingLeft",
  "channels",
  "allChannels",
  "add",
  "x",
  "dy",
  "filter",
] as const satisfies readonly (keyof DepthwiseFilterGradientArguments)[];

/** Number of i32 words that {@linkcode writeDepthwiseFilterGradientArguments} writes. */
export const depthwiseFilterGradientArgumentCount: number = order.length;

/**
 * Writes what a call works on, one word a field in the order of {@linkcode DepthwiseFilterGradientArguments}.
 *
 * @param view The memory as words.
 * @param at Index of the first word.
 * @param values What to write.
 */
export function writeDepthwiseFilterGradientArguments(
  view: Int32Array,
  at: number,
  values: DepthwiseFilterGradientArguments,
): void {
  view.set(order.map((key) => Number(values[key])), at);
}

/** Bytes of the input that one sweep reads, about: fits in the L1. */
const sweepBytes = 24 * 1024;

/**
 * The code of a {@linkcode DepthwiseFilterGradient}. For some rows of the output, some channels and one row of the
 * filter, the gradients of that row stay in registers while the output is swept from left to right; a column of the
 * input is loaded once for all filter columns that meet it. Columns whose window leaves the input are done apart.
 *
 * @param kernel What to compile.
 * @returns A function of the byte address of the arguments.
 */
export function depthwiseFilterGradientFunction(kernel: DepthwiseFilterGradient): FunctionCode {
  const { kernelSize, stride } = kernel;
  const locals = new Locals(["i32"]);
  const newLocal = () => locals.add("i32");
  const argument = (key: typeof order[number]) => i32.load(get(0), 4 * order.indexOf(key));
  const [width, height, outWidth, pixel] = [newLocal(), newLocal(), newLocal(), newLocal()];
  const [paddingLeft, interiorBegin, interiorEnd] = [newLocal(), newLocal(), newLocal()];
  const [images, x, dy] = [newLocal(), newLocal(), newLocal()];
  const [firstRow, endRow, rowsPerSweep, channels] = [newLocal(), newLocal(), newLocal(), newLocal()];
  const [xTile, dyTile, filterTile] = [newLocal(), newLocal(), newLocal()];
  const [filterRow, row, inRow, column] = [newLocal(), newLocal(), newLocal(), newLocal()];
  const [xAt, dyAt, inColumn, filterAt] = [newLocal(), newLocal(), newLocal(), newLocal()];
  const xValue = locals.add("v128");
  const minimum = (a: Code, b: Code) => choose(i32.lessSigned(a, b), a, b);
  const taps = Array.from({ length: kernelSize }, (_, index) => index);

  /** All of one row of the filter for `4 * vectors` channels or for one. */
  function sweep(vectors: number, columns: number, lanes: 1 | 4): Code {
    const sums = taps.map(() => Array.from({ length: vectors }, () => locals.add("v128")));
    const dys = Array.from(
      { length: columns },
      () => Array.from({ length: vectors }, () => locals.add("v128")),
    );
    const load = lanes === 4 ? v128.load : v128.load32Zero;
    const each = (code: (vector: number) => Code) =>
      Array.from({ length: vectors }, (_, vector) => code(vector));
    const pixels = (count: number) => i32.multiply(get(pixel), i32.const(count));
    const atPixel = newLocal();

    function interior(count: number): Code {
      const reach = stride * (count - 1) + kernelSize;
      return [
        set(atPixel, get(dyAt)),
        dys.slice(0, count).map((registers, index) => [
          index === 0 ? [] : increase(atPixel, get(pixel)),
          each((vector) => set(registers[vector]!, load(get(atPixel), 16 * vector))),
        ]),
        set(atPixel, get(xAt)),
        Array.from({ length: reach }, (_, at) => [
          at === 0 ? [] : increase(atPixel, get(pixel)),
          each((vector) => [
            set(xValue, load(get(atPixel), 16 * vector)),
            dys.slice(0, count).map((registers, index) => {
              const sum = sums[at - stride * index]?.[vector];
              if (sum === undefined) return [];
              return set(sum, f32x4.multiplyAdd(get(xValue), get(registers[vector]!), get(sum)));
            }),
          ]),
        ]),
        increase(xAt, pixels(stride * count)),
        increase(dyAt, pixels(count)),
        increase(column, i32.const(count)),
      ];
    }

    const border = (end: Code) =>
      whileDo(
        i32.lessSigned(get(column), end),
        each((vector) => set(dys[0]![vector]!, load(get(dyAt), 16 * vector))),
        set(inColumn, i32.subtract(i32.multiply(get(column), i32.const(stride)), get(paddingLeft))),
        set(atPixel, get(xAt)),
        sums.map((registers) => [
          when(
            i32.lessUnsigned(get(inColumn), get(width)),
            each((vector) =>
              set(
                registers[vector]!,
                f32x4.multiplyAdd(
                  load(get(atPixel), 16 * vector),
                  get(dys[0]![vector]!),
                  get(registers[vector]!),
                ),
              )
            ),
          ),
          increase(inColumn, i32.const(1)),
          increase(atPixel, get(pixel)),
        ]),
        increase(xAt, pixels(stride)),
        increase(dyAt, get(pixel)),
        increase(column, i32.const(1)),
      );

    const outputRow = [
      set(column, i32.const(0)),
      set(
        xAt,
        i32.add(
          get(xTile),
          i32.multiply(get(pixel), i32.subtract(i32.multiply(get(inRow), get(width)), get(paddingLeft))),
        ),
      ),
      set(dyAt, i32.add(get(dyTile), i32.multiply(get(pixel), i32.multiply(get(row), get(outWidth))))),
      border(get(interiorBegin)),
      columns > 1
        ? whileDo(
          i32.lessSigned(i32.add(get(column), i32.const(columns - 1)), get(interiorEnd)),
          interior(columns),
        )
        : [],
      whileDo(i32.lessSigned(get(column), get(interiorEnd)), interior(1)),
      border(get(outWidth)),
    ];

    const toMemory = (registers: readonly number[], vector: number): Code => {
      const sum = f32x4.add(load(get(filterAt), 16 * vector), get(registers[vector]!));
      return lanes === 4
        ? v128.store(get(filterAt), sum, 16 * vector)
        : v128.store32Lane(get(filterAt), sum, 0);
    };

    return [
      set(filterRow, i32.const(0)),
      set(filterAt, get(filterTile)),
      doWhile(
        i32.lessSigned(get(filterRow), i32.const(kernelSize)),
        sums.map((registers) => registers.map((local) => set(local, f32x4.splat(f32.const(0))))),
        set(row, get(firstRow)),
        doWhile(
          i32.lessSigned(get(row), get(endRow)),
          set(
            inRow,
            i32.add(
              i32.subtract(i32.multiply(get(row), i32.const(stride)), argument("paddingTop")),
              get(filterRow),
            ),
          ),
          when(i32.lessUnsigned(get(inRow), get(height)), outputRow),
          increase(row, i32.const(1)),
        ),
        sums.map((
          registers,
        ) => [each((vector) => toMemory(registers, vector)), increase(filterAt, get(pixel))]),
        increase(filterRow, i32.const(1)),
      ),
    ];
  }

  function tile(vectors: number, columns: number, lanes: 1 | 4): Code {
    const count = i32.const(vectors * lanes);
    const bytes = i32.const(4 * vectors * lanes);
    return whileDo(
      i32.greaterOrEqualUnsigned(get(channels), count),
      sweep(vectors, columns, lanes),
      [xTile, dyTile, filterTile].map((pointer) => increase(pointer, bytes)),
      decrease(channels, count),
    );
  }

  const imageBytes = (rows: Code, columns: Code) => i32.multiply(get(pixel), i32.multiply(rows, columns));
  const [vectors, columns] = kernelSize === 3 ? [2, 3] : kernelSize === 5 ? [2, 2] : [1, 4];
  const isEmpty = (["images", "outHeight", "outWidth", "channels"] as const).map((key) =>
    i32.isZero(argument(key))
  ).reduce((a, b) => i32.or(a, b));

  return locals.toFunction([
    set(pixel, i32.multiply(argument("allChannels"), i32.const(4))),
    when(
      i32.isZero(argument("add")),
      set(filterAt, argument("filter")),
      set(filterRow, i32.const(kernelSize * kernelSize)),
      doWhile(
        get(filterRow),
        fill(get(filterAt), i32.const(0), i32.multiply(argument("channels"), i32.const(4))),
        increase(filterAt, get(pixel)),
        decrease(filterRow, i32.const(1)),
      ),
    ),
    when(isEmpty, leave),
    set(width, argument("width")),
    set(height, argument("height")),
    set(outWidth, argument("outWidth")),
    set(paddingLeft, argument("paddingLeft")),
    // The columns of the output whose whole window is inside: stride * column - padding in 0 .. width - kernelSize.
    set(
      interiorBegin,
      minimum(
        get(outWidth),
        i32.divideSigned(i32.add(get(paddingLeft), i32.const(stride - 1)), i32.const(stride)),
      ),
    ),
    set(interiorEnd, i32.add(i32.subtract(get(width), i32.const(kernelSize)), get(paddingLeft))),
    set(
      interiorEnd,
      choose(
        i32.lessSigned(get(interiorEnd), i32.const(0)),
        i32.const(0),
        i32.add(i32.divideSigned(get(interiorEnd), i32.const(stride)), i32.const(1)),
      ),
    ),
    set(interiorEnd, minimum(get(interiorEnd), get(outWidth))),
    // A line of the cache is 64 bytes of each pixel.
    set(
      rowsPerSweep,
      i32.divideUnsigned(i32.const(sweepBytes / 64 / stride), i32.add(get(width), i32.const(1))),
    ),
    set(rowsPerSweep, choose(get(rowsPerSweep), get(rowsPerSweep), i32.const(1))),
    set(images, argument("images")),
    set(x, argument("x")),
    set(dy, argument("dy")),
    doWhile(
      get(images),
      set(firstRow, i32.const(0)),
      doWhile(
        i32.lessSigned(get(firstRow), argument("outHeight")),
        set(endRow, minimum(i32.add(get(firstRow), get(rowsPerSweep)), argument("outHeight"))),
        set(channels, argument("channels")),
        set(xTile, get(x)),
        set(dyTile, get(dy)),
        set(filterTile, argument("filter")),
        tile(vectors!, columns!, 4),
        vectors === 1 ? [] : tile(1, columns!, 4),
        tile(1, columns!, 1),
        set(firstRow, get(endRow)),
      ),
      increase(x, imageBytes(get(height), get(width))),
      increase(dy, imageBytes(argument("outHeight"), get(outWidth))),
      decrease(images, i32.const(1)),
    ),
  ]);
}
