import assert from "node:assert/strict";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { compile } from "../../lib/tensorflow/compile.ts";
import { record } from "../../lib/tensorflow/record.ts";
import { tf } from "../../lib/tensorflow/tf.ts";
import { apart, compileFor, numbers, tensor } from "./_compare.ts";

const f32 = (...shape: number[]) => ({ dtype: "float32" as const, shape });
const scalar = (value: number): HostTensor => ({ dtype: "float32", shape: [], data: Float32Array.of(value) });
const vector = (...values: number[]): HostTensor => ({
  dtype: "float32",
  shape: [values.length],
  data: Float32Array.from(values),
});
const list = (tensor: HostTensor | undefined) => Array.from(tensor!.data as ArrayLike<number>);

function refuses(promise: Promise<unknown>, message: string): Promise<void> {
  return assert.rejects(promise, (error: Error) => {
    assert.equal(error.message, message);
    return true;
  });
}

const counterGraph = () =>
  record(
    ({ total, x }) => {
      const next = tf.add(total, x);
      return { total: next, seen: next };
    },
    { total: f32(), x: f32() },
    { name: "counter" },
  );
const createCounter = (total = 0) => compileFor(2, counterGraph(), { total: scalar(total) });

/** Runs a graph a few times with both executors; outputs and variables must agree after each. */
async function assertSameSteps(
  graph: Parameters<typeof compile>[0],
  variables: Record<string, HostTensor>,
  inputs: Record<string, HostTensor> = {},
): Promise<void> {
  for (const threads of [1, 2, 3]) {
    await using tensorflow = compile(graph, { executor: "tensorflow", variables });
    await using onednn = await compileFor(threads, graph, variables);
    for (let step = 0; step < 3; step++) {
      const [wanted, found] = [await tensorflow.run(inputs), await onednn.run(inputs)];
      assert.deepEqual(Object.keys(found), Object.keys(wanted));
      const [state, foundState] = [await tensorflow.read(), await onednn.read()];
      assert.deepEqual(Object.keys(foundState), Object.keys(state));
      for (const [name, value] of Object.entries({ ...wanted, ...state })) {
        const off = apart(value, { ...found, ...foundState }[name]!);
        assert.ok(off < 1e-6, `${name} is ${off} apart in step ${step} with ${threads} threads`);
      }
    }
  }
}

Deno.test("run() returns inputs, constants, scalars, one value twice, and values that are used further", async () => {
  const graph = record(({ x, i, u }) => {
    const y = tf.mul(x, 2), z = tf.add(y, 1);
    return {
      x,
      again: x.clone(),
      y,
      same: y,
      z,
      sum: tf.sum(z),
      constant: tf.tensor1d([1, 2, 3]),
      five: tf.scalar(5),
      i,
      u,
    };
  }, {
    x: f32(5, 3),
    i: { dtype: "int32", shape: [5] },
    u: { dtype: "uint8", shape: [5, 2] },
    unused: f32(4),
  });
  await assertSameSteps(graph, {}, {
    x: tensor([5, 3], 3),
    i: { dtype: "int32", shape: [5], data: Int32Array.of(1, -2, 3, -4, 5) },
    u: { dtype: "uint8", shape: [5, 2], data: Uint8Array.from({ length: 10 }, (_, index) => 25 * index) },
    unused: tensor([4], 1),
  });
});

Deno.test("run() copies whole numbers that float32 cannot hold", async () => {
  const data = Int32Array.of(2 ** 31 - 1, -(2 ** 31), 2 ** 24 + 1, -7);
  const x: HostTensor = { dtype: "int32", shape: [4], data };
  const graph = record(({ x, v }) => ({ x, v, turned: tf.reshape(x, [2, 2]) }), { x, v: x });
  await using compiled = await compileFor(2, graph, { v: x });
  const { x: same, turned } = await compiled.run({ x });
  assert.deepEqual(same!.data, data);
  assert.deepEqual(turned!.data, data);
  assert.deepEqual((await compiled.read()).v!.data, data);
});

Deno.test("a variable's next value may be another variable's old one", async () => {
  const graph = record(({ a, b, c, x }) => ({ a: b, b: tf.clone(a), c: tf.add(a, tf.add(b, x)), old: c }), {
    a: f32(5),
    b: f32(5),
    c: f32(5),
    x: f32(5),
  });
  await assertSameSteps(graph, { a: tensor([5], 1), b: tensor([5], 2), c: tensor([5], 3) }, {
    x: tensor([5], 4),
  });
  const cycle = record(({ a, b, c }) => ({ a: b, b: c, c: a }), { a: f32(3, 2), b: f32(3, 2), c: f32(3, 2) });
  await assertSameSteps(cycle, { a: tensor([3, 2], 1), b: tensor([3, 2], 2), c: tensor([3, 2], 3) });
});

Deno.test("variables may have the same next value, one another output has too, or none", async () => {
  const graph = record(({ a, b, kept, x }) => {
    const next = tf.add(a, tf.mul(b, tf.sum(tf.mul(x, kept))));
    return { a: next, b: next, next, also: tf.neg(next) };
  }, { a: f32(4), b: f32(4), kept: f32(3), unread: f32(2), x: f32(5, 3) });
  const state = { a: tensor([4], 1), b: tensor([4], 2), kept: tensor([3], 3), unread: tensor([2], 4) };
  await assertSameSteps(graph, state, { x: tensor([5, 3], 5) });
  const unchanged = record(({ a, x }) => ({ a, y: tf.add(a, x) }), { a: f32(4), x: f32(5, 4) });
  await assertSameSteps(unchanged, { a: tensor([4], 1) }, { x: tensor([5, 4], 2) });
});

Deno.test("a variable's next value may be made of its old one in any order", async () => {
  const steps: Record<string, (a: tf.Tensor2D, x: tf.Tensor2D) => tf.Tensor> = {
    transposed: (a) => tf.transpose(a),
    "transposed and more": (a) => tf.add(tf.transpose(a), tf.mul(a, 0.5)),
    squared: (a) => tf.tanh(tf.matMul(a, a)),
    "softmax over columns": (a) => tf.transpose(tf.softmax(tf.transpose(a))),
    shifted: (a, x) => tf.concat([tf.slice(x, [0, 0], [1, 4]), tf.slice(a, [0, 0], [3, 4])], 0),
    "shifted the other way": (a, x) =>
      tf.concat([tf.slice(a, [1, 0], [3, 4]), tf.slice(x, [0, 0], [1, 4])], 0),
    "its beginning kept": (a, x) => tf.concat([tf.slice(a, [0, 0], [2, 4]), tf.slice(x, [0, 0], [2, 4])], 0),
    padded: (a) => tf.pad2d(tf.slice(a, [0, 0], [3, 3]), [[1, 0], [0, 1]]),
    "its rows reduced": (a) => tf.sub(a, tf.mean(a, 0, true)),
    "its columns reduced": (a) => tf.div(a, tf.add(1, tf.sum(tf.abs(a), 1, true))),
    "the first row everywhere": (a) => tf.mul(tf.slice(a, [0, 0], [1, 4]), tf.ones([4, 4])),
    "the last row everywhere": (a) => tf.add(tf.slice(a, [3, 0], [1, 4]), tf.mul(a, 0.25)),
    "another shape and back": (a) => tf.reshape(tf.transpose(tf.reshape(a, [2, 8])), [4, 4]),
    "from the batch": (a, x) => tf.add(tf.mul(a, 0.5), tf.matMul(x, x, true)),
    "transposed, and from the batch": (a, x) => tf.add(tf.transpose(a), tf.matMul(x, x, true)),
    constant: () => tf.ones([4, 4]),
    "an input": (_, x) => tf.slice(x, [1, 0], [4, 4]),
  };
  const graph = record(({ x, ...variables }) => ({
    ...Object.fromEntries(
      Object.entries(variables).map(([name, a]) => [name, steps[name]!(a as tf.Tensor2D, x as tf.Tensor2D)]),
    ),
    y: tf.sum(x!),
  }), { x: f32(5, 4), ...Object.fromEntries(Object.keys(steps).map((name) => [name, f32(4, 4)])) });
  const state = Object.fromEntries(
    Object.keys(steps).map((name, index) => [name, tensor([4, 4], index + 1)]),
  );
  await assertSameSteps(graph, state, { x: tensor([5, 4], 99) });
  // Each alone, where there is nothing else to do.
  for (const [name, step] of Object.entries(steps)) {
    const alone = record(({ a, x }) => ({ a: step(a as tf.Tensor2D, x as tf.Tensor2D) }), {
      a: f32(4, 4),
      x: f32(5, 4),
    }, { name });
    await assertSameSteps(alone, { a: tensor([4, 4], 7) }, { x: tensor([5, 4], 99) });
  }
});

Deno.test("what is made of variables that stay is made again when they are written", async () => {
  const large = 130; // more elements than every thread computes for itself
  const graph = record(({ a, b, still, c, x }) => {
    const folded = tf.mul(
      tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D),
      tf.sqrt(tf.add(tf.square(still), 1)),
    );
    const mixed = tf.add(folded, c);
    return {
      folded,
      y: tf.matMul(x as tf.Tensor2D, folded as tf.Tensor2D),
      z: tf.matMul(x as tf.Tensor2D, tf.transpose(mixed) as tf.Tensor2D),
      scale: tf.add(tf.sum(folded), tf.sum(x)),
      c: tf.mul(c, 0.5),
    };
  }, { a: f32(large, large), b: f32(large, large), still: f32(large), c: f32(), x: f32(5, large) });
  const state = {
    a: tensor([large, large], 1, 0.1),
    b: tensor([large, large], 2, 0.1),
    still: tensor([large], 3),
    c: scalar(1),
  };
  const x = tensor([5, large], 5);
  for (const threads of [1, 2, 3]) {
    await using tensorflow = compile(graph, { executor: "tensorflow", variables: state });
    await using onednn = await compileFor(threads, graph, state);
    const writes: Record<string, HostTensor>[] = [
      {},
      {},
      { still: tensor([large], 6) },
      {},
      { c: scalar(3) },
      {
        b: tensor([large, large], 7, 0.1),
      },
    ];
    for (const [step, values] of writes.entries()) {
      await Promise.all([tensorflow.write(values), onednn.write(values)]);
      if (step === 3) await onednn.profile(); // takes a step of its own
      if (step === 3) await tensorflow.run({ x });
      const [wanted, found] = [await tensorflow.run({ x }), await onednn.run({ x })];
      for (const [name, value] of Object.entries(wanted)) {
        const off = apart(value, found[name]!);
        assert.ok(off < 1e-5, `${name} is ${off} apart in step ${step} with ${threads} threads`);
      }
    }
  }
});

Deno.test("run() works on tensors without elements", async () => {
  const graph = record(({ none, x }) => ({
    sum: tf.sum(none),
    mean: tf.mean(none, 0),
    most: tf.max(none, 0),
    both: tf.concat([none, none], 0),
    product: tf.matMul(tf.transpose(none) as tf.Tensor2D, none as tf.Tensor2D),
    neg: tf.neg(none),
    x: tf.neg(x),
  }), { none: f32(0, 3), x: f32() });
  await assertSameSteps(graph, {}, { none: tensor([0, 3]), x: scalar(2) });
});

Deno.test("run() copies its inputs at once, and takes turns", async () => {
  await using counter = await createCounter();
  const x = scalar(1);
  const runs = [1, 2, 3].map((value) => {
    x.data[0] = value; // while the runs before wait
    return counter.run({ x });
  });
  x.data[0] = 99;
  assert.deepEqual((await Promise.all(runs)).map(({ seen }) => list(seen)[0]), [1, 3, 6]);
});

Deno.test("run() of several functions may overlap", async () => {
  await using stack = new AsyncDisposableStack();
  const counters = await Promise.all(Array.from({ length: 4 }, (_, index) => createCounter(100 * index)));
  for (const counter of counters) stack.use(counter);
  await Promise.all(
    counters.flatMap((counter) => Array.from({ length: 10 }, () => counter.run({ x: scalar(1) }))),
  );
  for (const [index, counter] of counters.entries()) {
    assert.deepEqual(await counter.read(), { total: scalar(100 * index + 10) });
  }
});

Deno.test("what run() and read() return stays as it is", async () => {
  await using counter = await createCounter();
  const first = await counter.run({ x: scalar(1) }), state = await counter.read();
  await counter.run({ x: scalar(1) });
  assert.deepEqual([first, state], [{ seen: scalar(1) }, { total: scalar(1) }]);
  state.total!.data[0] = 40;
  assert.deepEqual(await counter.read(), { total: scalar(2) });
});

Deno.test("compile() copies the variables it is given", async () => {
  const total = scalar(5);
  await using counter = await compileFor(2, counterGraph(), { total });
  total.data[0] = 0;
  assert.deepEqual(await counter.read(), { total: scalar(5) });
});

Deno.test("read() and write() take variables by prefix and in their turn", async () => {
  const specs = { parameters: { a: f32(1), b: f32(2) }, momentum: { a: f32(1) }, x: f32(1) };
  const graph = record(({ parameters, x }) => ({ parameters: { a: tf.add(parameters.a, x) } }), specs, {
    name: "step",
  });
  await using step = await compileFor(2, graph, {
    "momentum/a": vector(4),
    "parameters/b": vector(2, 3),
    "parameters/a": vector(1),
  });
  assert.deepEqual(await step.read("parameters/"), { a: vector(1), b: vector(2, 3) });
  assert.deepEqual(await step.read("nothing"), {});
  // In the order they were given in, which is the order of files made of them.
  assert.deepEqual(Object.keys(await step.read()), ["momentum/a", "parameters/b", "parameters/a"]);
  const runs = [step.run({ x: vector(1) }), step.run({ x: vector(1) })];
  const written = { "parameters/a": vector(40), "momentum/a": vector(7) };
  const between = step.read("parameters/");
  const writing = step.write(written);
  written["parameters/a"].data[0] = 0; // copied already
  const after = step.run({ x: vector(2) });
  assert.deepEqual(await between, { a: vector(3), b: vector(2, 3) });
  await Promise.all([...runs, writing, after]);
  assert.deepEqual(await step.read(), {
    "parameters/a": vector(42),
    "parameters/b": vector(2, 3),
    "momentum/a": vector(7),
  });
  await refuses(
    step.write({ "parameters/a": vector(9), "parameters/b": vector(9), x: vector(9), c: vector(9) }),
    `Cannot write variables of step: its variables do not fit
  parameters/b: found float32[1], wanted float32[2]
  x: an input, but not a variable
  c: not an input of the graph
  help: step keeps momentum/a, parameters/b, parameters/a`,
  );
  assert.deepEqual(await step.read("parameters/"), { a: vector(42), b: vector(2, 3) });
});

Deno.test("errors of the caller have the texts of TensorFlow's executor", async () => {
  const graph = record(({ a, b }) => ({ y: tf.add(a, b) }), { a: f32(2), b: f32(2) }, { name: "sum" });
  const errorOf = (action: () => unknown) =>
    Promise.resolve().then(action).then(() => assert.fail("nothing was thrown"), (error: Error) => [
      error.name,
      error.message,
    ]);
  const b = vector(1, 2);
  const calls: Record<string, HostTensor>[] = [{}, { a: vector(1) }, { a: vector(1, 2), b }, {
    a: vector(1, 2),
    c: b,
  }];
  for (const inputs of calls) {
    await using tensorflow = compile(graph, { executor: "tensorflow", variables: { b } });
    await using onednn = await compileFor(2, graph, { b });
    assert.deepEqual(await errorOf(() => onednn.run(inputs)), await errorOf(() => tensorflow.run(inputs)));
    assert.deepEqual(
      await errorOf(() => onednn.write({ a: b })),
      await errorOf(() => tensorflow.write({ a: b })),
    );
  }
  const grow = record(({ a }) => ({ a: tf.concat([a, a]) }), { a: f32(1) }, { name: "grow" });
  const wrong: Record<string, HostTensor>[] = [{ a: vector(1) }, { a: vector(1, 2) }, { z: vector(1) }];
  for (const variables of wrong) {
    assert.deepEqual(
      await errorOf(() => compileFor(2, grow, variables)),
      await errorOf(() => compile(grow, { executor: "tensorflow", variables })),
    );
  }
});

const disposed =
  "Cannot use counter: it was disposed\n  help: compile the graph again, or dispose of it later";

Deno.test("dispose() waits for the calls made before it, and refuses later ones at once", async () => {
  const counter = await createCounter();
  const runs = [1, 2, 3].map((x) => counter.run({ x: scalar(x) }));
  const gone = counter.dispose();
  await refuses(counter.run({ x: scalar(1) }), disposed);
  await refuses(counter.read(), disposed);
  await refuses(counter.write({ total: scalar(1) }), disposed);
  assert.deepEqual((await Promise.all(runs)).map(({ seen }) => list(seen)[0]), [1, 3, 6]);
  await Promise.all([gone, counter.dispose()]);
  const never = await createCounter();
  await never.dispose();
  await refuses(never.read(), disposed);
});

Deno.test("run() gives the same bits each time", async () => {
  const graph = record(({ w, x }) => {
    const loss = (w: tf.Tensor) => tf.mean(tf.logSoftmax(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D)));
    return { w: tf.sub(w, tf.mul(tf.grad(loss)(w), 0.1)) };
  }, { w: f32(40, 30), x: f32(50, 40) });
  const train = async (threads: number) => {
    await using step = await compileFor(threads, graph, { w: tensor([40, 30], 1) });
    const x: HostTensor = { dtype: "float32", shape: [50, 40], data: numbers(2000, 2) };
    for (let index = 0; index < 10; index++) await step.run({ x });
    return (await step.read()).w!.data;
  };
  for (const threads of [1, 2, 3]) {
    const first = await train(threads);
    for (let again = 0; again < 3; again++) assert.deepEqual(await train(threads), first);
  }
});
