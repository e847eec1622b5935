import assert from "node:assert/strict";
import { buildKernels } from "../../../lib/onednn/wasm/build_kernels.ts";
import {
  argumentCount,
  type Binary,
  type ElementType,
  type InnerStride,
  kernelKey,
  type LoopKernel,
  type LoopOutput,
  type Step,
  type Unary,
  writeArguments,
} from "../../../lib/onednn/wasm/loop_kernel.ts";
import { assertLikeLoops, computeStep, rowMajor, TestMemory } from "./_loop_reference.ts";

const lengths = [1, 3, 5, 17, 67];
const specials = [NaN, Infinity, -Infinity, 0, -0, 1e-45, -1e-45, 1.2e-38, 3.4e38, -3.4e38];
const limits = { initialPages: 1, maximumPages: 2 };

/** `count` numbers from -3 to 3 that repeat nothing. */
function numbers(count: number, seed = 1): Float32Array {
  return Float32Array.from({ length: count }, (_, index) => 3 * Math.sin(seed * 17.3 + index * 12.9898));
}

const product = (extents: readonly number[]) => extents.reduce((a, b) => a * b, 1);

function output(step: number, rest: Partial<LoopOutput> = {}): LoopOutput {
  return { step, type: "float32", inner: "contiguous", mode: "store", ...rest };
}

const float = (inner: InnerStride = "contiguous") => ({ type: "float32", inner }) as const;
const operand = (index: number): Step => ({ op: "operand", operand: index });

/** A kernel of one loop over float32 operands, and its results. */
function compute(steps: readonly Step[], ...operands: (readonly number[] | Float32Array)[]): Float32Array {
  const memory = new TestMemory();
  const length = operands[0]!.length;
  const pointers = operands.map((values) => memory.put("float32", values));
  const result = memory.put("float32", new Float32Array(length));
  memory.run({
    rank: 1,
    operands: operands.map(() => float()),
    steps,
    outputs: [output(steps.length - 1)],
  }, {
    extents: [length],
    operands: pointers.map((pointer) => ({ pointer, strides: [4] })),
    outputs: [{ pointer: result, strides: [4] }],
  });
  return memory.view("float32", result, length) as Float32Array;
}

const exactUnary: Unary[] = [
  "negate",
  "abs",
  "sqrt",
  "floor",
  "isFinite",
  "not",
  "reciprocal",
  "rsqrt",
  "sign",
];
const binary: Binary[] = [
  "add",
  "subtract",
  "multiply",
  "divide",
  "minimum",
  "maximum",
  "equal",
  "notEqual",
  "less",
  "lessEqual",
  "greater",
  "greaterEqual",
  "and",
  "or",
];

for (const op of exactUnary) {
  Deno.test(`buildKernels() computes ${op} exactly, of NaN, infinities and denormals too`, () => {
    const values = [...specials, ...numbers(31), 0.5, 2.5, 16777216];
    const x = Float32Array.from(values);
    const step: Step = { op, args: [0] };
    const expected = Float32Array.from(x, (value) => computeStep(step, [], [value]));
    assert.deepEqual([...compute([operand(0), step], x)], [...expected]);
  });
}

for (const op of binary) {
  Deno.test(`buildKernels() computes ${op} exactly, of NaN and infinities too`, () => {
    const values = [...specials, 1, -1, 2, 0.3];
    const a = Float32Array.from(values.flatMap((value) => values.map(() => value)));
    const b = Float32Array.from(values.flatMap(() => values));
    const step: Step = { op, args: [0, 1] };
    // Which zero an extremum gives is open, so none is negative.
    const plain = (value: number) => value === 0 && (op === "minimum" || op === "maximum") ? 0 : value;
    const expected = Float32Array.from(a, (value, index) => plain(computeStep(step, [], [value, b[index]!])));
    assert.deepEqual([...compute([operand(0), operand(1), step], a, b)].map(plain), [...expected]);
  });
}

for (const op of ["minimum", "maximum"] as const) {
  Deno.test(`buildKernels() lets NaN through the ${op} with a constant on either side`, () => {
    const x = Float32Array.from([...specials, 1, 2, -1]);
    for (const constant of [1.5, -Infinity, NaN]) {
      for (const args of [[0, 1], [1, 0]] as const) {
        const step: Step = { op, args };
        const actual = compute([operand(0), { op: "constant", value: constant }, step], x);
        assert.deepEqual(
          [...actual].map((value) => value + 0),
          Array.from(x, (value) => computeStep({ op, args: [0, 1] }, [], [value, constant]) + 0),
        );
      }
    }
  });
}

/** Units in the last place of float32 between a float32 and the exact value. */
function ulps(actual: number, exact: number): number {
  if (Object.is(actual, exact) || Math.fround(exact) === actual) return 0;
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(exact))));
  return Math.abs(actual - exact) / 2 ** (exponent - 23);
}

const curves: { op: Unary; limit: number; exact: (x: number) => number }[] = [
  { op: "exp", limit: 2, exact: Math.exp },
  { op: "log", limit: 2, exact: Math.log },
  { op: "sigmoid", limit: 4, exact: (x) => x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)) },
  { op: "tanh", limit: 4, exact: Math.tanh },
];

for (const { op, limit, exact } of curves) {
  Deno.test(`buildKernels() computes ${op} within ${limit} ulp over all of float32`, () => {
    // Every 60013th pattern of bits, and numbers of everyday size.
    const bits = Int32Array.from({ length: 2 ** 32 / 60013 }, (_, index) => index * 60013);
    const everyday = Array.from({ length: 40001 }, (_, index) => (index - 20000) / 180);
    const near1 = Array.from({ length: 2001 }, (_, index) => 1 + (index - 1000) / 5000);
    const x = Float32Array.from([...specials, ...new Float32Array(bits.buffer), ...everyday, ...near1]);
    const actual = compute([operand(0), { op, args: [0] }], x);
    for (const [index, value] of x.entries()) {
      const expected = exact(value);
      const problem = `${op}(${value}) is ${actual[index]}, should be ${expected}`;
      if (Number.isNaN(expected)) assert.ok(Number.isNaN(actual[index]), problem);
      else assert.ok(ulps(actual[index]!, expected) <= limit, problem);
    }
  });
}

Deno.test("buildKernels() selects by a comparison, by a number and by a bool", () => {
  const x = Float32Array.from([...numbers(19), NaN, 0, -0]);
  const steps: Step[] = [operand(0), { op: "constant", value: 1 }];
  const byComparison = compute(
    [...steps, { op: "less", args: [0, 1] }, { op: "select", args: [2, 0, 1] }],
    x,
  );
  assert.deepEqual([...byComparison], Array.from(x, (value) => value < 1 ? value : 1));
  const byNumber = compute([...steps, { op: "select", args: [0, 1, 0] }], x);
  assert.deepEqual([...byNumber], Array.from(x, (value) => value !== 0 ? 1 : value));
});

Deno.test("buildKernels() computes constants once, even if nothing else is there", () => {
  const actual = compute([{ op: "constant", value: -0.1 }, { op: "negate", args: [0] }], new Float32Array(7));
  assert.deepEqual([...actual], Array(7).fill(Math.fround(0.1)));
});

for (const type of ["float32", "int32", "uint8", "bool"] as const) {
  for (const inner of ["contiguous", "constant", "strided"] as const) {
    Deno.test(`buildKernels() reads ${inner} ${type}`, () => {
      for (const length of lengths) {
        const memory = new TestMemory();
        const count = inner === "constant" ? 3 : 3 * 3 * length;
        const values = Array.from(
          numbers(count),
          (value) =>
            type === "bool"
              ? Number(value > 0)
              : type === "uint8"
              ? Math.floor(Math.abs(value) * 85)
              : value * 1e4,
        );
        const size = type === "float32" || type === "int32" ? 4 : 1;
        const innerStride = { contiguous: size, constant: 0, strided: 3 * size }[inner];
        const kernel: LoopKernel = {
          rank: 2,
          operands: [{ type, inner }],
          steps: [operand(0), { op: "constant", value: 0.5 }, { op: "add", args: [0, 1] }],
          outputs: [output(2)],
        };
        assertLikeLoops(memory, kernel, {
          extents: [3, length],
          operands: [{
            pointer: memory.put(type, values.map(type === "float32" ? Number : Math.trunc)),
            strides: [inner === "constant" ? size : innerStride * length, innerStride],
          }],
          outputs: [rowMajor(memory.put("float32", new Float32Array(3 * length)), "float32", [3, length])],
        });
      }
    });

    Deno.test(`buildKernels() writes ${inner} ${type} in every mode`, () => {
      for (const mode of ["store", "add", "maximum", "minimum"] as const) {
        for (const length of lengths) {
          const memory = new TestMemory();
          const size = type === "float32" || type === "int32" ? 4 : 1;
          const innerStride = { contiguous: size, constant: 0, strided: 2 * size }[inner];
          const kernel: LoopKernel = {
            rank: 2,
            operands: [float()],
            steps: [operand(0)],
            outputs: [output(0, { type, inner, mode })],
          };
          // Whole numbers, which no rounding between the additions changes.
          const values = Array.from(numbers(3 * length), (value) => Math.round(value * 3));
          if (mode === "store" && inner !== "constant") values.splice(0, 3, 300, -300, 0.75);
          assertLikeLoops(memory, kernel, {
            extents: [3, length],
            operands: [rowMajor(memory.put("float32", values), "float32", [3, length])],
            outputs: [{
              pointer: memory.put(type, Array(6 * length).fill(1)),
              strides: [inner === "constant" ? size : innerStride * length, innerStride],
            }],
          }, type === "float32" ? 1e-6 : 0);
        }
      }
    });
  }
}

Deno.test("buildKernels() cuts NaN and what is too large to the limits of int32, uint8 and bool", () => {
  const memory = new TestMemory();
  const types: ElementType[] = ["int32", "uint8", "bool"];
  const kernel: LoopKernel = {
    rank: 1,
    operands: [float()],
    steps: [operand(0)],
    outputs: types.map((type) => output(0, { type })),
  };
  const length = specials.length;
  assertLikeLoops(memory, kernel, {
    extents: [length],
    operands: [{ pointer: memory.put("float32", specials), strides: [4] }],
    outputs: types.map((type) => rowMajor(memory.put(type, Array(length).fill(7)), type, [length])),
  }, 0);
});

for (const extents of [[67], [5, 17], [3, 5, 17], [2, 3, 5, 16], [3, 1, 2, 2, 5], [2, 2, 3, 2, 2, 9]]) {
  const rank = extents.length;
  Deno.test(`buildKernels() broadcasts over any of ${rank} loops`, () => {
    for (let constantIn = 0; constantIn < 2 ** rank; constantIn++) {
      const memory = new TestMemory();
      const levels = extents.map((_, level) => level).filter((level) => constantIn & (1 << level));
      const inner = levels.includes(rank - 1) ? "constant" : "contiguous";
      const put = (seed: number) => memory.put("float32", numbers(product(extents), seed));
      assertLikeLoops(memory, {
        rank,
        operands: [float(), float(inner), float()],
        steps: [
          operand(0),
          operand(1),
          operand(2),
          { op: "multiply", args: [0, 1] },
          { op: "add", args: [3, 2] },
        ],
        outputs: [output(4)],
      }, {
        extents,
        operands: [
          rowMajor(put(1), "float32", extents),
          rowMajor(put(2), "float32", extents, levels),
          rowMajor(put(3), "float32", extents),
        ],
        outputs: [rowMajor(put(4), "float32", extents)],
      });
    }
  });
}

const reductionNames = ["outer", "middle", "inner"];
for (const [reduced, name] of reductionNames.entries()) {
  for (const mode of ["add", "maximum", "minimum"] as const) {
    const verb = { add: "adds", maximum: "takes the maximum", minimum: "takes the minimum" }[mode];
    Deno.test(`buildKernels() ${verb} over the ${name} loop`, () => {
      for (const extents of [[3, 5, 17], [5, 67, 3], [2, 3, 67], [2, 130, 40], [1, 1, 1], [7, 2, 72]]) {
        for (const reducedRows of [false, true]) {
          if (reducedRows && reduced !== 1) continue;
          const memory = new TestMemory();
          const inner = reduced === 2 ? "constant" : "contiguous";
          assertLikeLoops(memory, {
            rank: 3,
            operands: [float()],
            steps: [operand(0), { op: "multiply", args: [0, 0] }],
            outputs: [
              output(0, { mode, inner, reducedRows }),
              output(1, { mode, inner, reducedRows }),
            ],
          }, {
            extents,
            operands: [rowMajor(memory.put("float32", numbers(product(extents))), "float32", extents)],
            outputs: [1, 2].map(() =>
              rowMajor(memory.put("float32", Array(product(extents)).fill(0.5)), "float32", extents, [
                reduced,
              ])
            ),
          }, 1e-5);
        }
      }
    });
  }
}

Deno.test("buildKernels() reduces to one number, over a stride of 0 that is known at run time only too", () => {
  for (const inner of ["constant", "strided"] as const) {
    for (const mode of ["add", "maximum"] as const) {
      const memory = new TestMemory();
      const extents = [3, 5, 67];
      assertLikeLoops(memory, {
        rank: 3,
        operands: [float()],
        steps: [operand(0)],
        outputs: [output(0, { mode, inner })],
      }, {
        extents,
        operands: [rowMajor(memory.put("float32", numbers(product(extents))), "float32", extents)],
        outputs: [rowMajor(memory.put("float32", [2]), "float32", extents, [0, 1, 2])],
      }, 1e-5);
    }
  }
});

Deno.test("buildKernels() lets NaN and infinities through reductions", () => {
  for (const reducedRows of [true, false]) {
    for (const mode of ["add", "maximum", "minimum"] as const) {
      for (const special of [NaN, Infinity, -Infinity]) {
        const memory = new TestMemory();
        const values = numbers(70 * 9);
        values[9 * 33 + 4] = special;
        const extents = reducedRows ? [70, 9] : [9, 70];
        const x = memory.put("float32", values);
        const sums = memory.put("float32", new Float32Array(9));
        memory.run({
          rank: 2,
          operands: [float(reducedRows ? "contiguous" : "strided")],
          steps: [operand(0)],
          outputs: [output(0, { mode, reducedRows, inner: reducedRows ? "contiguous" : "constant" })],
        }, {
          extents,
          operands: [{ pointer: x, strides: reducedRows ? [36, 4] : [4, 36] }],
          outputs: [{ pointer: sums, strides: reducedRows ? [0, 4] : [4, 0] }],
        });
        const result = memory.view("float32", sums, 9);
        const ignores = mode === "maximum" ? -Infinity : mode === "minimum" ? Infinity : undefined;
        if (special === ignores) assert.ok(result.every(Number.isFinite));
        else {assert.deepEqual(
            [...result].map(Number.isFinite),
            Array.from(result, (_, index) => index !== 4),
          );}
        if (special !== ignores) assert.ok(Object.is(result[4], special));
      }
    }
  }
});

Deno.test("buildKernels() writes an output and sums of its rows in one pass", () => {
  for (const extents of [[3, 67, 5], [2, 130, 24], [1, 200, 16], [2, 65, 100]]) {
    const memory = new TestMemory();
    const [images, , channels] = extents as [number, number, number];
    const put = (count: number, seed: number) => memory.put("float32", numbers(count, seed));
    assertLikeLoops(memory, {
      rank: 3,
      operands: [float(), float(), float(), float("constant")],
      steps: [
        operand(0),
        operand(1),
        operand(2),
        operand(3),
        { op: "subtract", args: [0, 1] },
        { op: "multiply", args: [4, 4] },
        { op: "multiply", args: [0, 2] },
        { op: "add", args: [6, 3] },
      ],
      outputs: [
        output(7),
        output(0, { mode: "add", reducedRows: true }),
        output(5, { mode: "add", reducedRows: true }),
        output(7, { mode: "maximum", reducedRows: true }),
      ],
    }, {
      extents,
      operands: [
        rowMajor(put(product(extents), 1), "float32", extents),
        rowMajor(put(channels, 2), "float32", extents, [0, 1]),
        rowMajor(put(images * channels, 3), "float32", extents, [1]),
        rowMajor(put(extents[1]!, 4), "float32", extents, [0, 2]),
      ],
      outputs: [
        rowMajor(put(product(extents), 5), "float32", extents),
        rowMajor(put(channels, 6), "float32", extents, [0, 1]),
        rowMajor(put(images * channels, 7), "float32", extents, [1]),
        rowMajor(put(images * channels, 8), "float32", extents, [1]),
      ],
    }, 1e-5);
  }
});

Deno.test("buildKernels() adds a million rows of 0.1 with a relative error below 1e-6", () => {
  const rows = 1_000_000;
  const memory = new TestMemory();
  const x = memory.put("float32", new Float32Array(8 * rows).fill(0.1));
  const rowSums = memory.put("float32", new Float32Array(8));
  const all = memory.put("float32", [0]);
  memory.run({
    rank: 2,
    operands: [float()],
    steps: [operand(0)],
    outputs: [output(0, { mode: "add", reducedRows: true })],
  }, {
    extents: [rows, 8],
    operands: [{ pointer: x, strides: [32, 4] }],
    outputs: [{ pointer: rowSums, strides: [0, 4] }],
  });
  memory.run({
    rank: 1,
    operands: [float()],
    steps: [operand(0)],
    outputs: [output(0, { mode: "add", inner: "constant" })],
  }, {
    extents: [8 * rows],
    operands: [{ pointer: x, strides: [4] }],
    outputs: [{ pointer: all, strides: [0] }],
  });
  const exact = rows * Math.fround(0.1);
  for (const sum of memory.view("float32", rowSums, 8)) assert.ok(Math.abs(sum / exact - 1) < 1e-6, `${sum}`);
  const [sum] = memory.view("float32", all, 1);
  assert.ok(Math.abs(sum! / (8 * exact) - 1) < 1e-6, `${sum}`);
});

Deno.test("buildKernels() transposes by strides, of the operand or of the output, backwards too", () => {
  for (const type of ["float32", "uint8"] as const) {
    const size = type === "float32" ? 4 : 1;
    const [height, width, channels] = [5, 17, 3];
    const memory = new TestMemory();
    const count = height * width * channels;
    const source = memory.put(type, Array.from({ length: count }, (_, index) => index % 251));
    const target = memory.put(type, new Float32Array(count));
    const planes = [size * width, size, size * height * width];
    const pixels = [size * width * channels, size * channels, size];
    const move = (operand: InnerStride, result: InnerStride): LoopKernel => ({
      rank: 3,
      operands: [{ type, inner: operand }],
      steps: [{ op: "operand", operand: 0 }],
      outputs: [output(0, { type, inner: result })],
    });
    assertLikeLoops(memory, move("contiguous", "strided"), {
      extents: [height, width, channels],
      operands: [{ pointer: source, strides: pixels }],
      outputs: [{ pointer: target, strides: planes }],
    }, 0);
    const byPlanes = ([a, b, c]: number[]) => [c!, a!, b!];
    assertLikeLoops(memory, move("strided", "contiguous"), {
      extents: [channels, height, width],
      operands: [{ pointer: source, strides: byPlanes(pixels) }],
      outputs: [{ pointer: target, strides: byPlanes(planes) }],
    }, 0);
    assertLikeLoops(memory, move("strided", "contiguous"), {
      extents: [1, 1, count],
      operands: [{ pointer: source + size * (count - 1), strides: [0, 0, -size] }],
      outputs: [{ pointer: target, strides: [0, 0, size] }],
    }, 0);
  }
});

Deno.test("buildKernels() works in place, with an output in the memory of an operand", () => {
  for (const inner of ["contiguous", "strided"] as const) {
    for (const length of lengths) {
      const memory = new TestMemory();
      const x = rowMajor(memory.put("float32", numbers(3 * length)), "float32", [3, length]);
      const y = rowMajor(memory.put("float32", numbers(3 * length, 2)), "float32", [3, length]);
      assertLikeLoops(memory, {
        rank: 2,
        operands: [float(inner), float(inner)],
        steps: [
          operand(0),
          operand(1),
          { op: "multiply", args: [0, 1] },
          { op: "add", args: [0, 1] },
        ],
        outputs: [output(2, { inner }), output(3, { inner })],
      }, { extents: [3, length], operands: [x, y], outputs: [x, y] });
    }
  }
});

Deno.test("buildKernels() does nothing if a loop has no positions", () => {
  for (const extents of [[0, 3, 5], [3, 0, 5], [3, 5, 0]]) {
    for (const reducedRows of [false, true]) {
      const memory = new TestMemory();
      const at = rowMajor(memory.put("float32", numbers(75)), "float32", [3, 5, 5], [1]);
      assertLikeLoops(memory, {
        rank: 3,
        operands: [float()],
        steps: [operand(0)],
        outputs: [output(0, { mode: "add", reducedRows })],
      }, { extents, operands: [at], outputs: [at] });
    }
  }
});

Deno.test("buildKernels() exports each kernel under its number", () => {
  const kernel: LoopKernel = {
    rank: 1,
    operands: [],
    steps: [{ op: "constant", value: 1 }],
    outputs: [output(0)],
  };
  const module = new WebAssembly.Module(
    buildKernels([kernel, { kernelSize: 3, stride: 1 }, kernel], limits),
  );
  assert.deepEqual(
    WebAssembly.Module.exports(module),
    ["k0", "k1", "k2"].map((name) => ({ name, kind: "function" })),
  );
  assert.deepEqual(WebAssembly.Module.imports(module), [{ module: "env", name: "memory", kind: "memory" }]);
});

Deno.test("buildKernels() refuses a rank, an operand, a step and an output that are not there", () => {
  const kernel: LoopKernel = { rank: 1, operands: [float()], steps: [operand(0)], outputs: [output(0)] };
  const cases: [Partial<LoopKernel>, string][] = [
    [{ rank: 7 }, "rank 7 is not one of 1 to 6"],
    [{ steps: [operand(1)] }, "step 0 reads operand 1 of 1"],
    [{ steps: [{ op: "abs", args: [0] }] }, "step 0 (abs) reads step 0, which is not before it"],
    [{ outputs: [output(2)] }, "output 0 is step 2 of 1"],
    [{ steps: [operand(0), { op: "sinh" as Unary, args: [0] }] }, 'unknown operation "sinh"'],
  ];
  for (const [change, problem] of cases) {
    assert.throws(
      () => buildKernels([{ ...kernel, ...change }], limits),
      { name: "RangeError", message: `Cannot compile a loop kernel: ${problem}` },
    );
  }
});

Deno.test("writeArguments() leaves out the innermost strides that the kernel knows", () => {
  const kernel: LoopKernel = {
    rank: 2,
    operands: [float(), float("strided"), float("constant")],
    steps: [operand(0)],
    outputs: [output(0)],
  };
  const view = new Int32Array(16).fill(-1);
  writeArguments(kernel, view, 1, {
    extents: [5, 6],
    operands: [
      { pointer: 100, strides: [24, 4] },
      { pointer: 0xf0000000, strides: [8, 40] },
      { pointer: 300, strides: [4, 0] },
    ],
    outputs: [{ pointer: 400, strides: [24, 4] }],
  });
  assert.equal(argumentCount(kernel), 11);
  assert.deepEqual(
    [...view],
    [-1, 5, 6, 100, 24, 0xf0000000 | 0, 8, 40, 300, 4, 400, 24, -1, -1, -1, -1],
  );
});

Deno.test("kernelKey() is the same for equal kernels only", () => {
  const kernel = (value: number, change: Partial<LoopOutput> = {}): LoopKernel => ({
    rank: 2,
    operands: [float()],
    steps: [operand(0), { op: "constant", value }, { op: "add", args: [0, 1] }],
    outputs: [output(2, change)],
  });
  const different = [
    kernel(0),
    kernel(-0),
    kernel(NaN),
    kernel(Infinity),
    kernel(0, { step: 1 }),
    kernel(0, { mode: "add" }),
    kernel(0, { mode: "add", reducedRows: true }),
    kernel(0, { inner: "strided" }),
    kernel(0, { type: "bool" }),
    { ...kernel(0), rank: 3 },
    { ...kernel(0), operands: [float("constant")] },
    { kernelSize: 3, stride: 1 } as const,
    { kernelSize: 3, stride: 2 } as const,
  ];
  assert.equal(new Set(different.map(kernelKey)).size, different.length);
  assert.equal(kernelKey(kernel(0.1)), kernelKey(kernel(Math.fround(0.1), { reducedRows: false })));
});
