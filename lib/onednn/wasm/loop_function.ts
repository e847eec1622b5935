import {
  choose,
  type Code,
  decrease,
  doWhile,
  f32,
  f32x4,
  f64,
  f64x2,
  type FunctionCode,
  get,
  i32,
  increase,
  integers,
  leave,
  Locals,
  set,
  v128,
  when,
  whileDo,
} from "./assembler.ts";
import {
  argumentCount,
  canBeTiled,
  type ElementType,
  type LoopKernel,
  type LoopOutput,
  reducesRows,
  slotBytes,
  streamsOf,
  wordsOf,
} from "./loop_kernel.ts";
import { StepWriter } from "./step_writer.ts";

const args = 0;
const sizeOfElement = { float32: 4, int32: 4, uint8: 1, bool: 1 } as const;
/**
 * Bytes that the rows of a block have, about, in each tensor, when sums over rows take the channels tile by tile: what
 * the first tile brings into the cache must still be there for the last one.
 */
const blockBytes = 1 << 15;
/** Elements of a row from which on the loop along it is worth its beginning and end; shorter ones are tiled. */
const shortestRow = 65;
/** Rows added in float32 before the sum is added to one in float64. */
const rowsPerSum = 16;

const lane = (index: number) => Array.from({ length: 16 }, (_, byte) => 4 * index + byte % 4);
const shuffleWords = (a: Code, b: Code, words: readonly number[]) =>
  v128.shuffle(a, b, words.flatMap((word) => [0, 1, 2, 3].map((byte) => 4 * word + byte)));
const splatLane = (vector: Code, index: number) => v128.shuffle(vector, vector, lane(index));

/** An output whose values are collected in registers. */
interface Reduction {
  readonly output: number;
  /** One for each vector of an unrolled position. */
  readonly partial: readonly number[];
  /** Sums in float64: the first and the last two lanes of a partial sum. */
  readonly totals: readonly (readonly [number, number])[];
}

/**
 * Writes the function of a kernel: loops around the code of its steps.
 *
 * @param kernel A kernel that was checked.
 * @returns The code of a function of one parameter, the address of its arguments.
 */
export function loopFunction(kernel: LoopKernel): FunctionCode {
  const { rank, operands, outputs } = kernel;
  const locals = new Locals(["i32"]);
  const streams = streamsOf(kernel);
  const outputAt = (output: number) => operands.length + output;

  const firstWord: number[] = [];
  streams.reduce((word, stream) => (firstWord.push(word), word + wordsOf(kernel, stream)), rank);
  const word = (index: number) => i32.load(get(args), 4 * index);
  const extent = (level: number) => word(level);
  const pointerOf = (stream: number) => word(firstWord[stream]!);
  const stride = (stream: number, level: number) => word(firstWord[stream]! + 1 + level);
  const newPointers = () => streams.map(() => locals.add("i32"));
  const copyPointers = (to: readonly number[], from: readonly number[]) =>
    to.map((pointer, stream) => set(pointer, get(from[stream]!)));

  const byTiles = reducesRows(kernel);
  const inRegisters = outputs.map(({ inner, mode, reducedRows }) =>
    mode !== "store" && (byTiles ? reducedRows === true : inner === "constant")
  );
  const steps = new StepWriter(
    kernel,
    locals,
    outputs.filter(({ mode }, index) => mode === "add" && inRegisters[index]).map(({ step }) => step),
  );
  const unrolled = byTiles || steps.size < 20 ? 4 : 2;
  const reductions: Reduction[] = [];
  for (const [output, { mode }] of outputs.entries()) {
    if (!inRegisters[output]) continue;
    const newTotals = () => [locals.add("v128"), locals.add("v128")] as const;
    reductions.push({
      output,
      partial: Array.from({ length: unrolled }, () => locals.add("v128")),
      totals: mode === "add" ? Array.from({ length: byTiles ? unrolled : 1 }, newTotals) : [],
    });
  }
  const isSum = ({ output }: Reduction) => outputs[output]!.mode === "add";

  // -- one vector, or one element in lane 0 --

  /** Bytes from an element to the next in the innermost loop, as often as told. */
  const innerStrides = streams.map((stream, index) => {
    if (stream.inner !== "strided") return [];
    return [1, 2, 3, 4].map((times) => ({ index, times, local: locals.add("i32") }));
  });
  const setInnerStrides = innerStrides.flat().map(({ times, local, index }) =>
    set(local, i32.multiply(stride(index, rank - 1), i32.const(times)))
  );
  const laneAddress = (stream: number, pointer: number, index: number) =>
    index === 0 ? get(pointer) : i32.add(get(pointer), get(innerStrides[stream]![index - 1]!.local));

  function toFloats(type: ElementType, words: Code): Code {
    return type === "float32" ? words : f32x4.fromIntegers(words);
  }

  function loadOne(type: ElementType, address: Code): Code {
    const isByte = sizeOfElement[type] === 1;
    return toFloats(type, isByte ? integers.splat(i32.loadByte(address)) : v128.load32Zero(address));
  }

  function loadSplat(type: ElementType, address: Code): Code {
    const isByte = sizeOfElement[type] === 1;
    return toFloats(type, isByte ? integers.splat(i32.loadByte(address)) : v128.load32Splat(address));
  }

  function loadFour(stream: number, pointer: number, vector: number): Code {
    const { type, inner } = streams[stream]!;
    const isByte = sizeOfElement[type] === 1;
    if (inner === "constant") return loadSplat(type, get(pointer));
    if (inner === "strided") {
      const loadLane = isByte ? v128.load8Lane : v128.load32Lane;
      const words = [0, 1, 2, 3].reduce<Code>(
        (vector, index) => loadLane(laneAddress(stream, pointer, index), vector, isByte ? 4 * index : index),
        steps.constant(0),
      );
      return toFloats(type, words);
    }
    const offset = 4 * sizeOfElement[type] * vector;
    if (!isByte) return toFloats(type, v128.load(get(pointer), offset));
    return toFloats(
      type,
      integers.shortsToWords(integers.bytesToShorts(v128.load32Zero(get(pointer), offset))),
    );
  }

  /** Four floats as they are in memory: words, or the first four bytes. */
  function toElements(type: ElementType, value: Code): Code {
    if (type === "float32") return value;
    if (type === "int32") return integers.fromFloats(value);
    const words = type === "bool" ? f32x4.notEqual(value, steps.constant(0)) : integers.fromFloats(value);
    const shorts = integers.wordsToShorts(words, words);
    if (type === "bool") {
      return v128.and(integers.shortsToSignedBytes(shorts, shorts), steps.bits(0x01010101));
    }
    return integers.shortsToBytes(shorts, shorts);
  }

  function storeLane(type: ElementType, address: Code, elements: Code, index: number): Code {
    return (sizeOfElement[type] === 1 ? v128.store8Lane : v128.store32Lane)(address, elements, index);
  }

  const element = locals.add("v128");

  function storeFour(stream: number, pointer: number, vector: number, value: Code): Code {
    const { type, inner } = streams[stream]!;
    if (inner === "constant") return storeLane(type, get(pointer), toElements(type, value), 3);
    if (inner === "strided") {
      return [
        set(element, toElements(type, value)),
        [0, 1, 2, 3].map((index) =>
          storeLane(type, laneAddress(stream, pointer, index), get(element), index)
        ),
      ];
    }
    const offset = 4 * sizeOfElement[type] * vector;
    if (sizeOfElement[type] === 4) return v128.store(get(pointer), toElements(type, value), offset);
    return v128.store32Lane(get(pointer), toElements(type, value), 0, offset);
  }

  function combine(mode: LoopOutput["mode"], old: Code, value: Code): Code {
    if (mode === "store") return value;
    return mode === "add" ? f32x4.add(old, value) : f32x4[mode](old, value);
  }

  /** Stores an output at one or four positions. */
  function storeOutput(output: number, pointer: number, vector: number, lanes: 1 | 4): Code {
    const { type, inner, mode, step } = outputs[output]!;
    const stream = outputAt(output);
    const storeOne = (address: Code, value: Code) =>
      storeLane(type, address, toElements(type, combine(mode, loadOne(type, address), value)), 0);
    if (lanes === 1) return storeOne(get(pointer), steps.number(step));
    // One after another: the stride may be 0.
    if (inner === "strided" && mode !== "store") {
      return [0, 1, 2, 3].map((index) =>
        storeOne(laneAddress(stream, pointer, index), splatLane(steps.number(step), index))
      );
    }
    const old = mode === "store" ? [] : loadFour(stream, pointer, vector);
    return storeFour(stream, pointer, vector, combine(mode, old, steps.number(step)));
  }

  /** Adds an output to what a register holds. */
  function collect({ output, partial }: Reduction, vector: number, lanes: 1 | 4): Code {
    const { mode, step } = outputs[output]!;
    const register = partial[vector]!;
    if (mode === "add") {
      if (lanes === 4) return set(register, steps.sum(step, get(register)));
      const lane0 = shuffleWords(steps.number(step), steps.constant(0), [0, 4, 4, 4]);
      return set(register, f32x4.add(get(register), lane0));
    }
    const value = steps.number(step);
    return set(register, combine(mode, get(register), lanes === 4 ? value : splatLane(value, 0)));
  }

  /** All steps and outputs at some vectors of four positions, or at one position. */
  function position(pointers: readonly number[], vectors: number, lanes: 1 | 4): Code {
    return Array.from({ length: vectors }, (_, vector) => [
      steps.write(
        ["position"],
        (operand) =>
          lanes === 4
            ? loadFour(operand, pointers[operand]!, vector)
            : loadOne(operands[operand]!.type, get(pointers[operand]!)),
      ),
      outputs.map((_, output) => {
        const reduction = reductions.find((reduction) => reduction.output === output);
        return reduction
          ? collect(reduction, vector, lanes)
          : storeOutput(output, pointers[outputAt(output)]!, vector, lanes);
      }),
      // The others move when all vectors are done.
      innerStrides.map((strides, stream) =>
        strides.length === 0 ? [] : increase(pointers[stream]!, get(strides[lanes - 1]!.local))
      ),
    ]);
  }

  function advanceContiguous(pointers: readonly number[], elements: number): Code {
    return streams.map(({ inner, type }, stream) =>
      inner === "contiguous" ? increase(pointers[stream]!, i32.const(elements * sizeOfElement[type])) : []
    );
  }

  const rowSteps = (pointers: readonly number[]) =>
    steps.write(["row"], (operand) => loadSplat(operands[operand]!.type, get(pointers[operand]!)));

  const zero = (registers: readonly number[]) => registers.map((local) => set(local, steps.constant(0)));
  const clearPartials = () => reductions.filter(isSum).map(({ partial }) => zero(partial));
  const clearTotals = () => reductions.map(({ totals }) => zero(totals.flat()));
  const toTotal = ([low, high]: readonly [number, number], value: number): Code => [
    set(low, f64x2.add(get(low), f64x2.promote(get(value)))),
    set(high, f64x2.add(get(high), f64x2.promote(shuffleWords(get(value), get(value), [2, 3, 2, 3])))),
  ];

  // -- the innermost loop --

  function innermostLoop(pointers: readonly number[]): Code {
    const count = locals.add("i32");
    const chunk = locals.add("i32");
    const addPartials = (vectors: number) =>
      reductions.filter(isSum).map(({ partial, totals }) => [
        partial.slice(1, vectors).map((other) => set(partial[0]!, f32x4.add(get(partial[0]!), get(other)))),
        toTotal(totals[0]!, partial[0]!),
      ]);
    const begin = reductions.map((reduction) => {
      const { type } = outputs[reduction.output]!;
      const memory = () => loadSplat(type, get(pointers[outputAt(reduction.output)]!));
      return isSum(reduction) ? [] : reduction.partial.map((register) => set(register, memory()));
    });
    const finish = reductions.map((reduction) => {
      const { type, mode } = outputs[reduction.output]!;
      const address = get(pointers[outputAt(reduction.output)]!);
      const register = reduction.partial[0]!;
      if (isSum(reduction)) {
        const [low, high] = reduction.totals[0]!;
        const both = f64x2.add(get(low), get(high));
        const memory = f64.promote(f32x4.extractLane(loadOne(type, address), 0));
        const sum = f64.add(f64.add(f64x2.extractLane(both, 0), f64x2.extractLane(both, 1)), memory);
        return storeLane(type, address, toElements(type, f32x4.splat(f32.demote(sum))), 0);
      }
      const fold = (words: number[]) =>
        set(register, combine(mode, get(register), shuffleWords(get(register), get(register), words)));
      return [
        reduction.partial.slice(1).map((other) => set(register, combine(mode, get(register), get(other)))),
        fold([2, 3, 0, 1]),
        fold([1, 0, 3, 2]),
        storeLane(type, address, toElements(type, get(register)), 0),
      ];
    });
    const wide = 4 * unrolled;
    const atLeast = (length: number) => i32.greaterOrEqualUnsigned(get(count), i32.const(length));
    const once = (vectors: number, lanes: 1 | 4) => [
      position(pointers, vectors, lanes),
      advanceContiguous(pointers, vectors * lanes),
    ];
    const wideLoop = reductions.some(isSum)
      ? whileDo(
        atLeast(wide),
        set(chunk, i32.divideUnsigned(get(count), i32.const(wide))),
        set(
          chunk,
          choose(i32.lessUnsigned(get(chunk), i32.const(rowsPerSum)), get(chunk), i32.const(rowsPerSum)),
        ),
        decrease(count, i32.multiply(get(chunk), i32.const(wide))),
        clearPartials(),
        doWhile(get(chunk), once(unrolled, 4), decrease(chunk, i32.const(1))),
        addPartials(unrolled),
      )
      : whileDo(atLeast(wide), once(unrolled, 4), decrease(count, i32.const(wide)));
    return [
      set(count, extent(rank - 1)),
      rowSteps(pointers),
      clearTotals(),
      begin,
      wideLoop,
      reductions.some(isSum) ? clearPartials() : [],
      unrolled > 1 ? whileDo(atLeast(4), once(1, 4), decrease(count, i32.const(4))) : [],
      whileDo(get(count), once(1, 1), decrease(count, i32.const(1))),
      reductions.some(isSum) ? addPartials(1) : [],
      finish,
    ];
  }

  // -- the two innermost loops, if sums over rows stay in registers --

  function tiles(pointers: readonly number[]): Code {
    const rowsLeft = locals.add("i32");
    const blockRows = locals.add("i32");
    const rows = locals.add("i32");
    const rowsOfTile = locals.add("i32");
    const sumRows = locals.add("i32");
    const channels = locals.add("i32");
    const columns = newPointers();
    const places = newPointers();
    const rowStrides = streams.map(() => locals.add("i32"));
    const moving = streams.map((_, stream) => stream).filter((stream) =>
      !reductions.some(({ output }) => outputAt(output) === stream)
    );
    const minimum = (a: Code, b: Code) => choose(i32.lessUnsigned(a, b), a, b);
    // Between blocks the sums stay in the scratch, in float64; each tile has its slots.
    const sums = reductions.filter(isSum);
    const slot = locals.add("i32");
    const isLater = locals.add("i32");

    function tile(vectors: number, lanes: 1 | 4): Code {
      const width = vectors * lanes;
      const slotOf = (reduction: Reduction, vector: number) =>
        (sums.indexOf(reduction) * vectors + vector) * slotBytes;
      const forReductions = (code: (reduction: Reduction, vector: number) => Code) =>
        reductions.map((reduction) =>
          Array.from({ length: vectors }, (_, vector) => code(reduction, vector))
        );
      const load = ({ output }: Reduction, vector: number) =>
        lanes === 4
          ? loadFour(outputAt(output), columns[outputAt(output)]!, vector)
          : loadOne(outputs[output]!.type, get(columns[outputAt(output)]!));
      const begin = forReductions((reduction, vector) =>
        isSum(reduction)
          ? [
            when(i32.isZero(get(isLater)), zero([...reduction.totals[vector]!])),
            when(
              get(isLater),
              reduction.totals[vector]!.map((local, half) =>
                set(local, v128.load(get(slot), slotOf(reduction, vector) + 16 * half))
              ),
            ),
          ]
          : set(reduction.partial[vector]!, load(reduction, vector))
      );
      const beginSum = forReductions((reduction, vector) =>
        isSum(reduction) ? zero([reduction.partial[vector]!]) : []
      );
      const addSum = forReductions((reduction, vector) =>
        isSum(reduction) ? toTotal(reduction.totals[vector]!, reduction.partial[vector]!) : []
      );
      const finish = forReductions((reduction, vector) => {
        const { type } = outputs[reduction.output]!;
        const register = reduction.partial[vector]!;
        const stream = outputAt(reduction.output);
        const store = lanes === 4
          ? storeFour(stream, columns[stream]!, vector, get(register))
          : storeLane(type, get(columns[stream]!), toElements(type, get(register)), 0);
        if (!isSum(reduction)) return store;
        const [low, high] = reduction.totals[vector]!;
        return [
          when(
            get(rowsLeft),
            [low, high].map((local, half) =>
              v128.store(get(slot), get(local), slotOf(reduction, vector) + 16 * half)
            ),
          ),
          when(
            i32.isZero(get(rowsLeft)),
            set(register, load(reduction, vector)),
            toTotal([low, high], register),
            set(register, shuffleWords(f32x4.demote(get(low)), f32x4.demote(get(high)), [0, 1, 4, 5])),
            store,
          ),
        ];
      });
      const row = [
        rowSteps(places),
        position(places, vectors, lanes),
        moving.map((stream) => increase(places[stream]!, get(rowStrides[stream]!))),
      ];
      return whileDo(
        i32.greaterOrEqualUnsigned(get(channels), i32.const(width)),
        begin,
        moving.map((stream) => set(places[stream]!, get(columns[stream]!))),
        set(rowsOfTile, get(rows)),
        doWhile(
          get(rowsOfTile),
          set(sumRows, minimum(get(rowsOfTile), i32.const(rowsPerSum))),
          decrease(rowsOfTile, get(sumRows)),
          beginSum,
          whileDo(
            i32.greaterOrEqualUnsigned(get(sumRows), i32.const(2)),
            row,
            row,
            decrease(sumRows, i32.const(2)),
          ),
          when(get(sumRows), row),
          addSum,
        ),
        finish,
        increase(slot, i32.const(sums.length * vectors * slotBytes)),
        advanceContiguous(columns, width),
        decrease(channels, i32.const(width)),
      );
    }

    return [
      set(rowsLeft, extent(rank - 2)),
      rowStrides.map((local, stream) => set(local, stride(stream, rank - 2))),
      // A multiple of the rows of a sum, and at least that.
      set(blockRows, i32.divideUnsigned(i32.const(blockBytes / 4 / rowsPerSum), extent(rank - 1))),
      set(blockRows, choose(get(blockRows), get(blockRows), i32.const(1))),
      set(blockRows, i32.multiply(get(blockRows), i32.const(rowsPerSum))),
      set(isLater, i32.const(0)),
      doWhile(
        get(rowsLeft),
        set(rows, minimum(get(rowsLeft), get(blockRows))),
        decrease(rowsLeft, get(rows)),
        sums.length > 0 ? set(slot, word(argumentCount(kernel) - 1)) : [],
        copyPointers(columns, pointers),
        set(channels, extent(rank - 1)),
        tile(4, 4),
        tile(2, 4),
        tile(1, 4),
        tile(1, 1),
        streams.map((_, stream) =>
          increase(pointers[stream]!, i32.multiply(get(rows), get(rowStrides[stream]!)))
        ),
        set(isLater, i32.const(1)),
      ),
    ];
  }

  // -- all loops --

  function nest(level: number, pointers: readonly number[]): Code {
    if (byTiles && level === rank - 2) return tiles(pointers);
    if (canBeTiled(kernel) && level === rank - 2) {
      const isShort = i32.lessUnsigned(extent(rank - 1), i32.const(shortestRow));
      return [when(isShort, tiles(pointers)), when(i32.isZero(isShort), outerLoop(level, pointers))];
    }
    return level === rank - 1 ? innermostLoop(pointers) : outerLoop(level, pointers);
  }

  function outerLoop(level: number, pointers: readonly number[]): Code {
    const count = locals.add("i32");
    const inner = newPointers();
    return [
      set(count, extent(level)),
      doWhile(
        get(count),
        copyPointers(inner, pointers),
        nest(level + 1, inner),
        pointers.map((pointer, stream) => increase(pointer, stride(stream, level))),
        decrease(count, i32.const(1)),
      ),
    ];
  }

  const pointers = newPointers();
  const body = [
    Array.from({ length: rank }, (_, level) => when(i32.isZero(extent(level)), leave)),
    pointers.map((pointer, stream) => set(pointer, pointerOf(stream))),
    setInnerStrides,
    steps.write(["call"], () => []),
    nest(0, pointers),
  ];
  return locals.toFunction([steps.constants(), body]);
}
