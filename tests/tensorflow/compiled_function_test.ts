import assert from "node:assert/strict";
import {
  compile,
  type CompiledFunction,
  type Graph,
  type HostData,
  type HostTensor,
  record,
  tf,
} from "../../lib/tensorflow/mod.ts";
import { handleCount } from "../../lib/tensorflow/native_tensor.ts";

const f32 = (...shape: number[]) => ({ dtype: "float32" as const, shape });
const tensor = (values: number[], shape: number[] = [values.length]): HostTensor => ({
  dtype: "float32",
  shape,
  data: new Float32Array(values),
});
const scalar = (value: number) => tensor([value], []);
const values = (tensor: HostTensor | undefined) => Array.from(tensor!.data as ArrayLike<number>);

/** A test at whose end as many native tensors are alive as at its beginning. */
function test(name: string, run: () => Promise<void>): void {
  Deno.test(name, async () => {
    const before = handleCount();
    await run();
    assert.equal(handleCount(), before, "native tensors left behind");
  });
}

function refuses(promise: Promise<unknown>, message: string): Promise<void> {
  return assert.rejects(promise, (error: Error) => {
    assert.equal(error.message, message);
    return true;
  });
}

/** `total += x`, returning the total too. */
const counterGraph = () =>
  record(
    ({ total, x }) => {
      const next = tf.add(total, x);
      return { total: next, seen: next };
    },
    { total: f32(), x: f32() },
    { name: "counter" },
  );
const createCounter = (total = 0) => compile(counterGraph(), { variables: { total: scalar(total) } });

test("compile() makes a graph one call, from host tensors to host tensors", async () => {
  const graph = record(({ x, w }) => ({ y: tf.relu(tf.matMul(x, w)) }), { x: f32(2, 3), w: f32(3, 2) });
  await using dense = compile(graph);
  assert.equal(dense.graph, graph);
  const { y } = await dense.run({
    x: tensor([1, 2, 3, -4, -5, -6], [2, 3]),
    w: tensor([1, 0, 0, 1, 1, 1], [3, 2]),
  });
  assert.deepEqual(y, tensor([4, 5, 0, 0], [2, 2]));
});

test("compile() runs constants, inputs and outputs of every dtype", async () => {
  const cases: [HostTensor["dtype"], HostData][] = [
    ["float32", new Float32Array([-1.5, NaN])],
    ["int32", new Int32Array([-7, 2 ** 31 - 1])],
    ["int64", new BigInt64Array([-(2n ** 62n), 5n])],
    ["uint8", new Uint8Array([0, 255])],
    ["bool", new Uint8Array([0, 1])],
  ];
  for (const [dtype, data] of cases) {
    const value: HostTensor = { dtype, shape: [2], data };
    await using identity = compile(record(({ x }) => ({ y: x }), { x: value }));
    assert.deepEqual(await identity.run({ x: value }), { y: value });
    const constant: Graph = {
      name: "constant",
      inputs: [],
      nodes: [{
        op: "Const",
        inputs: [],
        attributes: { dtype: { kind: "dtype", value: dtype }, value: { kind: "tensor", value } },
        outputs: [{ id: 0, dtype, shape: [2] }],
      }],
      outputs: [{ name: "y", value: 0 }],
    };
    await using compiled = compile(constant);
    assert.deepEqual(await compiled.run({}), { y: value });
  }
});

test("compile() runs scalars and tensors without elements", async () => {
  await using sum = compile(
    record(({ none, x }) => ({ sum: tf.sum(none), both: tf.concat([none, none], 0), x: tf.neg(x) }), {
      none: f32(0, 3),
      x: f32(),
    }),
  );
  const result = await sum.run({ none: tensor([], [0, 3]), x: scalar(2) });
  assert.deepEqual(result, { sum: scalar(0), both: tensor([], [0, 3]), x: scalar(-2) });
});

test("compile() returns inputs, one value twice, and takes inputs nothing reads", async () => {
  await using compiled = compile(
    record(({ x }) => {
      const y = tf.neg(x);
      return { y, again: y, x, input: x.clone() };
    }, { x: f32(1), unused: f32(3) }),
  );
  const result = await compiled.run({ x: tensor([2]), unused: tensor([1, 2, 3]) });
  assert.deepEqual(result, { y: tensor([-2]), again: tensor([-2]), x: tensor([2]), input: tensor([2]) });
});

test("compile() takes any name", async () => {
  for (const name of ["", "0", "_", "train step (B0)", "großes Netz", "../x"]) {
    await using compiled = compile(record(({ x }) => ({ y: tf.neg(x) }), { x: f32(1) }, { name: name }));
    assert.deepEqual(values((await compiled.run({ x: tensor([1]) })).y), [-1]);
  }
});

test("compile() compiles one graph many times, each with its own variables", async () => {
  const graph = counterGraph();
  await using a = compile(graph, { variables: { total: scalar(1) } });
  await using b = compile(graph, { variables: { total: scalar(100) } });
  await a.run({ x: scalar(1) });
  await b.run({ x: scalar(1) });
  assert.deepEqual([await a.read(), await b.read()], [{ total: scalar(2) }, { total: scalar(101) }]);
});

test("run() says of all inputs at once what does not fit", async () => {
  await using compiled = compile(
    record(
      ({ a, b, c }) => ({ y: tf.add(tf.add(a, b), c) }),
      { a: f32(2), b: f32(2), c: f32(2), d: f32(1) },
      {
        name: "sum",
      },
    ),
  );
  await refuses(
    compiled.run({
      b: tensor([1, 2, 3]),
      c: { dtype: "int32", shape: [2], data: new Int32Array(2) },
      d: { ...tensor([1]), data: new Float32Array(4) },
      e: scalar(1),
    }),
    `Cannot run sum: its inputs do not fit
  a: missing, wanted float32[2]
  b: found float32[3], wanted float32[2]
  c: found int32[2], wanted float32[2]
  d: found 4 values, wanted 1 for float32[1]
  e: not an input
  help: sum takes a, b, c, d`,
  );
});

test("run() refuses a variable as an input", async () => {
  await using counter = createCounter();
  await refuses(
    counter.run({ x: scalar(1), total: scalar(5) }),
    "Cannot run counter: its inputs do not fit\n  total: not an input\n  help: counter takes x",
  );
});

test("run() copies its inputs at once", async () => {
  await using counter = createCounter();
  const x = scalar(1);
  const runs = [1, 2, 3].map((value) => {
    x.data[0] = value; // while the runs before wait
    return counter.run({ x });
  });
  assert.deepEqual((await Promise.all(runs)).map(({ seen }) => values(seen)[0]), [1, 3, 6]);
});

test("run() lets overlapping calls take turns", async () => {
  await using counter = createCounter();
  const results = await Promise.all(Array.from({ length: 10 }, (_, i) => counter.run({ x: scalar(i) })));
  assert.deepEqual(results.map(({ seen }) => values(seen)[0]), [0, 1, 3, 6, 10, 15, 21, 28, 36, 45]);
});

test("run() of several functions may overlap", async () => {
  await using stack = new AsyncDisposableStack();
  const counters = Array.from({ length: 4 }, () => stack.use(createCounter()));
  await Promise.all(
    counters.flatMap((counter) => Array.from({ length: 10 }, () => counter.run({ x: scalar(1) }))),
  );
  for (const counter of counters) assert.deepEqual(await counter.read(), { total: scalar(10) });
});

test("run() leaves JavaScript alive while TensorFlow computes", async () => {
  const size = 768;
  const graph = record(({ x }) => {
    let y = x as tf.Tensor2D;
    for (let i = 0; i < 40; i++) y = tf.mul(tf.matMul(y, y), 1 / size);
    return { y: tf.mean(y) };
  }, { x: f32(size, size) });
  await using slow = compile(graph);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  try {
    const x = tensor(Array(size * size).fill(1), [size, size]);
    assert.deepEqual(values((await slow.run({ x })).y), [1]);
  } finally {
    clearInterval(timer);
  }
  assert.ok(ticks > 3, `${ticks} ticks`);
});

const gatherGraph = () =>
  record(
    ({ table, row }) => {
      const picked = tf.gather(table, row as tf.Tensor1D);
      return { table: tf.add(table, 1), picked };
    },
    { table: f32(3, 2), row: { dtype: "int32", shape: [1] } },
    { name: "pick" },
  );
const row = (index: number): HostTensor => ({ dtype: "int32", shape: [1], data: new Int32Array([index]) });

test("run() names the operator that failed, its input shapes and the status code", async () => {
  await using pick = compile(gatherGraph(), { variables: { table: tensor([1, 2, 3, 4, 5, 6], [3, 2]) } });
  await assert.rejects(
    pick.run({ row: row(7) }),
    /^Error: Cannot run pick at GatherV2\(float32\[3,2\], int32\[1\], int32\[\]\): INVALID_ARGUMENT \(3\): .*indices\[0\] = 7 is not in \[0, 3\)/,
  );
  // Nothing is lost: the variables are as before, and the next call works.
  assert.deepEqual(values((await pick.read()).table), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(values((await pick.run({ row: row(2) })).picked), [5, 6]);
  assert.deepEqual(values((await pick.read()).table), [2, 3, 4, 5, 6, 7]);
});

test("run() fails alone: the calls before and after it work", async () => {
  await using pick = compile(gatherGraph(), { variables: { table: tensor([1, 2, 3, 4, 5, 6], [3, 2]) } });
  const runs = await Promise.allSettled([0, 9, 1].map((index) => pick.run({ row: row(index) })));
  assert.deepEqual(runs.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
  assert.deepEqual(values((runs[2] as PromiseFulfilledResult<Record<string, HostTensor>>).value.picked), [
    4,
    5,
  ]);
});

test("read() gives variables by prefix, without it", async () => {
  const specs = { parameters: { a: f32(1), b: f32(2) }, momentum: { a: f32(1) } };
  await using compiled = compile(record(({ parameters }) => ({ sum: tf.sum(parameters.b) }), specs), {
    variables: { "parameters/a": tensor([1]), "parameters/b": tensor([2, 3]), "momentum/a": tensor([4]) },
  });
  assert.deepEqual(await compiled.read("parameters/"), { a: tensor([1]), b: tensor([2, 3]) });
  assert.deepEqual(await compiled.read("nothing"), {});
  assert.deepEqual(Object.keys(await compiled.read()), ["parameters/a", "parameters/b", "momentum/a"]);
  // A variable the graph does not return keeps its value.
  assert.deepEqual(await compiled.run({}), { sum: scalar(5) });
  assert.deepEqual(await compiled.read("parameters/"), { a: tensor([1]), b: tensor([2, 3]) });
});

test("read() waits for the calls before it", async () => {
  await using counter = createCounter();
  const runs = [counter.run({ x: scalar(1) }), counter.run({ x: scalar(1) })];
  assert.deepEqual(await counter.read(), { total: scalar(2) });
  const later = counter.run({ x: scalar(1) });
  assert.deepEqual(await counter.read(), { total: scalar(3) });
  await Promise.all([...runs, later]);
});

test("write() overwrites variables, those it names and in its turn", async () => {
  await using counter = createCounter();
  const run = counter.run({ x: scalar(1) });
  const value = scalar(40);
  const written = counter.write({ total: value });
  value.data[0] = 0; // copied already
  await Promise.all([run, written]);
  await counter.run({ x: scalar(2) });
  assert.deepEqual(await counter.read(), { total: scalar(42) });
  await counter.write({});
  assert.deepEqual(await counter.read(), { total: scalar(42) });
});

test("write() overwrites nothing if one value does not fit", async () => {
  const graph = record(({ a, b, x }) => ({ a: tf.add(a, x), b }), { a: f32(1), b: f32(2), x: f32(1) }, {
    name: "step",
  });
  await using step = compile(graph, { variables: { a: tensor([1]), b: tensor([2, 3]) } });
  await refuses(
    step.write({ a: tensor([9]), b: tensor([9]), x: tensor([9]), c: tensor([9]) }),
    `Cannot write variables of step: its variables do not fit
  b: found float32[1], wanted float32[2]
  x: an input, but not a variable
  c: not an input of the graph
  help: step keeps a, b`,
  );
  assert.deepEqual(await step.read(), { a: tensor([1]), b: tensor([2, 3]) });
});

test("compile() refuses variables that do not fit, all at once", async () => {
  const graph = record(({ a, x }) => ({ a: tf.concat([a, x]) }), { a: f32(1), x: f32(1) }, { name: "grow" });
  const refusesVariables = (variables: Record<string, HostTensor>, message: string) =>
    assert.throws(() => compile(graph, { variables }), (error: Error) => {
      assert.equal(error.message, message);
      return true;
    });
  refusesVariables(
    { x: tensor([1, 2]), a: { ...tensor([1]), data: new Float32Array(3) }, y: scalar(1) },
    `Cannot compile grow: its variables do not fit
  x: found float32[2], wanted float32[1]
  a: found 3 values, wanted 1 for float32[1]
  y: not an input of the graph
  help: grow can keep a, x`,
  );
  refusesVariables(
    { a: tensor([1]) },
    `Cannot compile grow: variables would change their dtype or shape
  a: its next value is float32[2], wanted float32[1]
  help: return a tensor of the variable's dtype and shape under its name, or choose another name`,
  );
  await Promise.resolve();
});

test("compile() refuses a graph that TensorFlow refuses, or that is none", async () => {
  const graph = (node: Partial<Graph["nodes"][0]>): Graph => ({
    name: "broken",
    inputs: [{ id: 0, name: "x", dtype: "float32", shape: [2] }],
    nodes: [{
      op: "Neg",
      inputs: [0],
      attributes: {},
      outputs: [{ id: 1, dtype: "float32", shape: [2] }],
      ...node,
    }],
    outputs: [{ name: "y", value: 1 }],
  });
  assert.throws(
    () => compile(graph({ op: "NoSuchOperator" })),
    /^Error: Cannot record NoSuchOperator\(\): INVALID_ARGUMENT \(3\): Op type not registered 'NoSuchOperator'/,
  );
  assert.throws(
    () => compile(graph({ inputs: [7] }), { variables: { x: tensor([1, 2]) } }),
    /^RangeError: Cannot build a graph: Neg reads %7, which nothing before it defines$/,
  );
  assert.throws(
    () => compile({ ...graph({}), outputs: [{ name: "y", value: 5 }] }),
    /^RangeError: Cannot build a graph: broken_\d+ reads %5, which nothing before it defines$/,
  );
  await Promise.resolve();
});

const disposed =
  "Cannot use counter: it was disposed\n  help: compile the graph again, or dispose of it later";

test("dispose() may be called twice; nothing works after it", async () => {
  const counter = createCounter();
  await counter.run({ x: scalar(1) });
  await Promise.all([counter.dispose(), counter.dispose()]);
  await counter.dispose();
  await refuses(counter.run({ x: scalar(1) }), disposed);
  await refuses(counter.read(), disposed);
  await refuses(counter.write({ total: scalar(1) }), disposed);
});

test("dispose() waits for the calls made before it, and refuses later ones at once", async () => {
  const counter = createCounter();
  const runs = [1, 2, 3].map((x) => counter.run({ x: scalar(x) }));
  const gone = counter.dispose();
  await refuses(counter.run({ x: scalar(1) }), disposed);
  assert.deepEqual((await Promise.all(runs)).map(({ seen }) => values(seen)[0]), [1, 3, 6]);
  await gone;
});

test("await using disposes of a compiled function", async () => {
  let kept: CompiledFunction;
  {
    await using counter = createCounter();
    kept = counter;
    await counter.run({ x: scalar(1) });
  }
  await refuses(kept.run({ x: scalar(1) }), disposed);
});

test("compile() gives the same bits each time", async () => {
  const graph = record(
    ({ w, x }) => {
      const loss = (w: tf.Tensor) => tf.mean(tf.logSoftmax(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D)));
      return { w: tf.sub(w, tf.mul(tf.grad(loss)(w), 0.1)) };
    },
    { w: f32(40, 30), x: f32(50, 40) },
  );
  const noise = (length: number) => Array.from({ length }, (_, i) => Math.sin(i * 12.9898) * 3);
  const train = async () => {
    await using step = compile(graph, { variables: { w: tensor(noise(1200), [40, 30]) } });
    for (let i = 0; i < 10; i++) await step.run({ x: tensor(noise(2000), [50, 40]) });
    return (await step.read()).w!.data;
  };
  const first = await train();
  for (let i = 0; i < 3; i++) assert.deepEqual(await train(), first);
});
