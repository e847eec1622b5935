import assert from "node:assert/strict";
import { compile, type Graph, printGraph, rawOperator, record, tf } from "../../lib/tensorflow/mod.ts";
import { currentBackend } from "../../lib/tensorflow/backend.ts";

const f32 = (...shape: number[]) => ({ dtype: "float32" as const, shape });
const data = (...values: number[]) => ({
  dtype: "float32" as const,
  shape: [values.length],
  data: new Float32Array(values),
});

/** Checks the whole text of the error, and that recording left nothing behind. */
function refuses(record: () => unknown, message: string): void {
  const tensors = tf.memory().numTensors, native = currentBackend().binding.getNumOfTensors();
  assert.throws(record, (error: Error) => {
    assert.equal(error.message, message);
    return true;
  });
  assert.equal(tf.memory().numTensors, tensors, "tensors left behind");
  assert.equal(currentBackend().binding.getNumOfTensors(), native, "native tensors left behind");
  assert.deepEqual([...tf.tidy(() => tf.add([1, 2], [3, 4])).dataSync()], [4, 6]);
}

Deno.test("record() writes a function down as a graph", () => {
  const graph = record(({ x, w }) => ({ y: tf.relu(tf.matMul(x, w)) }), { x: f32(2, 3), w: f32(3, 4) }, {
    name: "dense",
  });
  assert.equal(
    printGraph(graph),
    `graph dense
  %0 = input x: float32[2,3]
  %1 = input w: float32[3,4]
  %2 = BatchMatMulV2(%0, %1) {adj_x: false, adj_y: false}: float32[2,4]
  %3 = Relu(%2): float32[2,4]
  return y: %3`,
  );
});

Deno.test("record() makes tensors of the function's own constants", () => {
  const graph = record(({ x }) => ({ y: tf.add(tf.mul(x, 2), tf.tensor1d([1, 2, 3])) }), { x: f32(3) });
  assert.equal(
    printGraph(graph),
    `graph graph
  %0 = input x: float32[3]
  %1 = Const {value: [2]}: float32[]
  %2 = Mul(%0, %1): float32[3]
  %3 = Const {value: [1,2,3]}: float32[3]
  %4 = Add(%2, %3): float32[3]
  return y: %4`,
  );
});

Deno.test("record() copies constants: changing the array afterwards changes nothing", async () => {
  const values = new Float32Array([1, 2]);
  const graph = record(({ x }) => ({ y: tf.add(x, tf.tensor1d(values)) }), { x: f32(2) });
  values.fill(9);
  await using add = compile(graph);
  assert.deepEqual([...(await add.run({ x: data(0, 0) })).y!.data], [1, 2]);
});

Deno.test("record() joins nested names by slashes and gives the function the same nesting", () => {
  const graph = record(
    ({ state: { weights, momentum }, x }) => ({
      loss: tf.sum(tf.mul(x, weights.w)),
      state: { weights: { w: tf.add(weights.w, momentum.w) } },
    }),
    { x: f32(2), state: { weights: { w: f32(2) }, momentum: { w: f32(2) } } },
  );
  assert.deepEqual(graph.inputs.map(({ name }) => name), ["x", "state/weights/w", "state/momentum/w"]);
  assert.deepEqual(graph.outputs.map(({ name }) => name), ["loss", "state/weights/w"]);
});

Deno.test("record() takes tensors and host tensors for specs", () => {
  const example = tf.zeros([2, 3], "int32");
  const graph = record(({ a, b }) => ({ a: tf.add(a, 1), b: tf.neg(b) }), { a: example, b: data(1, 2, 3) });
  example.dispose();
  assert.deepEqual(graph.inputs.map(({ name, dtype, shape }) => [name, dtype, [...shape]]), [
    ["a", "int32", [2, 3]],
    ["b", "float32", [3]],
  ]);
});

Deno.test("record() drops what no output needs and keeps inputs that are not used", () => {
  const graph = record(({ x }) => {
    tf.exp(x);
    return { y: tf.neg(x) };
  }, { x: f32(2), unused: f32(5) });
  assert.deepEqual(graph.nodes.map(({ op }) => op), ["Neg"]);
  assert.deepEqual(graph.inputs.map(({ name }) => name), ["x", "unused"]);
});

Deno.test("record() records gradients with the rest", () => {
  const graph = record(({ x }) => ({ dx: tf.grad((x: tf.Tensor) => tf.sum(tf.square(x)))(x) }), {
    x: f32(2),
  });
  assert.deepEqual(graph.outputs.map(({ name }) => name), ["dx"]);
  assert.ok(graph.nodes.some(({ op }) => op === "Mul"), printGraph(graph));
});

Deno.test("record() is deterministic", () => {
  const once = () =>
    printGraph(
      record(({ x }) => ({ dx: tf.grad((x: tf.Tensor) => tf.mean(tf.softmax(x)))(x) }), { x: f32(2, 5) }),
    );
  assert.equal(once(), once());
});

Deno.test("record() yields plain data", () => {
  const graph = record(({ x }) => ({ y: tf.add(x, 1) }), { x: f32(2) });
  assert.deepEqual(structuredClone(graph), graph);
});

Deno.test("record() names the graph after the function", () => {
  const trainStep = ({ x }: { x: tf.Tensor }) => ({ y: tf.neg(x) });
  assert.equal(record(trainStep, { x: f32() }).name, "trainStep");
  assert.equal(record(({ x }) => ({ y: x }), { x: f32() }).name, "graph");
});

Deno.test("record() returns inputs and one value under two names", () => {
  const graph = record(({ x }) => {
    const y = tf.neg(x);
    return { x, y, again: y, clone: y.clone() };
  }, { x: f32(2) });
  assert.deepEqual(graph.outputs.map(({ value }) => value), [0, 1, 1, 1]);
});

Deno.test("record() reads a cast of a uint8 input, which tfjs takes for int32", () => {
  const graph = record(({ images }) => ({ y: tf.cast(images, "float32") }), {
    images: { dtype: "uint8", shape: [2] },
  });
  assert.equal(
    printGraph(graph),
    `graph graph
  %0 = input images: uint8[2]
  %1 = Cast(%0) {Truncate: false}: float32[2]
  return y: %1`,
  );
  assert.deepEqual(graph.nodes[0]!.attributes.SrcT, { kind: "dtype", value: "uint8" });
});

Deno.test("record() refuses a tensor made outside", () => {
  const outer = tf.tensor1d([1, 2]);
  const message =
    `Cannot record: a tensor of shape [2] was made outside the recorded function and is not one of ` +
    `its inputs\n  help: pass it as an input, or make it inside the function if it is a constant`;
  refuses(() => record(({ x }) => ({ y: tf.add(x, outer) }), { x: f32(2) }), message);
  refuses(() => record(() => ({ y: outer }), {}), message);
  const variable = tf.variable(outer);
  refuses(() => record(({ x }) => ({ y: tf.add(x, variable) }), { x: f32(2) }), message);
  // Used before, so that it is on the native side already.
  tf.dispose([tf.neg(outer), variable]);
  refuses(() => record(({ x }) => ({ y: tf.mul(x, tf.neg(outer)) }), { x: f32(2) }), message);
  assert.deepEqual([...outer.dataSync()], [1, 2]);
  outer.dispose();
});

Deno.test("record() refuses a tensor of another recording", () => {
  let leaked: tf.Tensor | undefined;
  record(({ x }) => {
    leaked = tf.keep(tf.tensor1d([1, 2]));
    return { y: tf.add(x, leaked) };
  }, { x: f32(2) });
  refuses(
    () => record(({ x }) => ({ y: tf.add(x, leaked!) }), { x: f32(2) }),
    `Cannot record: a tensor of shape [2] was made outside the recorded function and is not one of its inputs\n` +
      `  help: pass it as an input, or make it inside the function if it is a constant`,
  );
  leaked!.dispose();
});

Deno.test("record() leaves a tensor kept from inside with a clear error where it is used", () => {
  let constant: tf.Tensor | undefined, computed: tf.Tensor | undefined;
  record(({ x }) => {
    constant = tf.keep(tf.tensor1d([1, 2]));
    computed = tf.keep(tf.add(x, constant));
    return { y: computed };
  }, { x: f32(2) });
  const message = "Cannot use a tensor of a finished recording: it never had a value\n" +
    "  help: return it from the recorded function instead of keeping it in a variable";
  refuses(() => tf.neg(constant!), message);
  refuses(() => constant!.dataSync(), message);
  assert.ok(computed!.isDisposed);
  constant!.dispose();
});

Deno.test("record() refuses reading values", () => {
  const message = "Cannot read the values of a tensor while recording: they are not computed yet\n" +
    "  help: return the tensor from the recorded function and read it from what the compiled function returns";
  refuses(() => record(({ x }) => ({ y: tf.mul(x, x.dataSync()[0]!) }), { x: f32(2) }), message);
  refuses(() => record(({ x }) => ({ y: tf.scalar(x.sum().arraySync() as number) }), { x: f32(2) }), message);
});

Deno.test("record() refuses async functions", async () => {
  // deno-lint-ignore require-await
  const fn = (async ({ x }: { x: tf.Tensor }) => ({ y: tf.neg(x) })) as unknown as () => { y: tf.Tensor };
  const message = "Cannot record an async function: what it does after the first await would be lost\n" +
    "  help: await what it needs before, and pass it as an input";
  refuses(() => record(fn, { x: f32(2) }), message);
  const late = (async ({ x }: { x: tf.Tensor }) => {
    await Promise.resolve();
    return { y: tf.neg(x) }; // fails, because x is gone; that must not end the process
  }) as unknown as () => { y: tf.Tensor };
  refuses(() => record(late, { x: f32(2) }), message);
  await new Promise((resolve) => setTimeout(resolve));
});

Deno.test("record() refuses a recording inside a recording, and goes on with the outer one if it is caught", () => {
  const inner = () => record(({ x }) => ({ y: tf.neg(x) }), { x: f32(2) });
  refuses(
    () => record(({ x }) => (inner(), { y: x }), { x: f32(2) }),
    "Cannot record inside a recording\n  help: call the inner function directly",
  );
  const graph = record(({ x }) => {
    assert.throws(inner);
    return { y: tf.neg(x) };
  }, { x: f32(2) });
  assert.deepEqual(graph.nodes.map(({ op }) => op), ["Neg"]);
});

Deno.test("record() refuses shapes that depend on values", () => {
  const where = (x: tf.Tensor) => rawOperator("Where", [x], { T: { kind: "dtype", value: "bool" } })[0]!;
  refuses(
    () => record(({ x }) => ({ y: where(tf.greater(x, 0)) }), { x: f32(2, 3) }),
    `Cannot record Where(bool[2,3]): the shape of its output depends on values, found int64[-1,2], and every ` +
      `length must be known\n` +
      `  help: use an operator with a fixed output shape, or run it outside the recording`,
  );
  refuses(
    () => record(({ x }) => ({ y: tf.unique(x as tf.Tensor1D).values }), { x: f32(4) }),
    `Cannot record UniqueV2(float32[4], int32[1]): the shape of its output depends on values, found ` +
      `float32[-1], and every length must be known\n` +
      `  help: use an operator with a fixed output shape, or run it outside the recording`,
  );
});

Deno.test("record() refuses random numbers drawn in JavaScript, and leaves Math.random as it was", () => {
  const { random } = Math;
  const message =
    "Cannot record a random number drawn in JavaScript: every call of the graph would repeat it\n" +
    "  help: draw it outside and pass it as an input, or pass a seed to one of TensorFlow's stateless operators";
  refuses(() => record(({ x }) => ({ y: tf.add(x, tf.randomUniform([2])) }), { x: f32(2) }), message);
  refuses(() => record(({ x }) => ({ y: tf.dropout(x, 0.5) }), { x: f32(2) }), message);
  refuses(() => record(({ x }) => ({ y: tf.mul(x, Math.random()) }), { x: f32(2) }), message);
  assert.equal(Math.random, random);
});

Deno.test("record() refuses outputs that are no tensors, all at once", () => {
  const bad = (outputs: unknown) => () =>
    record((() => outputs) as unknown as () => { y: tf.Tensor }, { x: f32(2) });
  const text = (...lines: string[]) =>
    `Cannot record: its outputs are not all tensors\n  ${lines.join("\n  ")}`;
  const wanted = "wanted a tensor or an object of them";
  refuses(
    bad({ a: 1, b: { c: null, d: "no" }, e: [1] }),
    text(
      `a: found number, ${wanted}`,
      `b/c: found null, ${wanted}`,
      `b/d: found string, ${wanted}`,
      `e: found an array, ${wanted}`,
    ),
  );
  refuses(bad(undefined), text(`all of it: found undefined, ${wanted}`));
  refuses(bad({}), text("nothing was returned"));
  refuses(
    () => record((({ x }: { x: tf.Tensor }) => x) as never, { x: f32(2) }),
    "Cannot record: the function returned a tensor without a name\n  help: return { y: tensor }",
  );
});

Deno.test("record() refuses bad specs, all at once", () => {
  const never = () => assert.fail("the function must not run");
  const bad = (specs: unknown) => () => record(never, specs as { x: { dtype: "float32"; shape: number[] } });
  const text = (...lines: string[]) => `Cannot record: its inputs are not all specs\n  ${lines.join("\n  ")}`;
  const spec = "wanted a spec { dtype, shape } or an object of them";
  const dtypes = "wanted a dtype among float32, int32, uint8, bool, int64";
  refuses(
    bad({
      a: { dtype: "float16", shape: [2] },
      b: { dtype: "float32", shape: [-1, 2] },
      c: { dtype: "string", shape: [1.5] },
      d: { dtype: "float32" },
      e: { f: [2, 3] },
      g: null,
    }),
    text(
      `d/dtype: found string, ${spec}`,
      `e/f: found an array, ${spec}`,
      `g: found null, ${spec}`,
      `a: found float16[2], ${dtypes}`,
      "b: found float32[-1,2], wanted a length >= 0 for every axis",
      `c: found string[1.5], ${dtypes}`,
      "c: found string[1.5], wanted a length >= 0 for every axis",
    ),
  );
  refuses(bad({ "a/b": f32(1), a: { b: f32(1) } }), text("a/b: named twice"));
  refuses(bad(undefined), text(`all of it: found undefined, ${spec}`));
});

Deno.test("record() refuses what TensorFlow would refuse, and names operator and input shapes", () => {
  refuses(
    () =>
      record(
        ({ x, w }) => ({ y: rawOperator("MatMul", [x, w], { T: { kind: "dtype", value: "float32" } })[0]! }),
        { x: f32(2, 3), w: f32(4, 5) },
      ),
    "Cannot record MatMul(float32[2,3], float32[4,5]): the inner lengths must be equal, found 3 and 4",
  );
  refuses(
    () =>
      record(({ x }) => ({ y: rawOperator("Neg", [x], { T: { kind: "dtype", value: "float32" } }, 2)[1]! }), {
        x: f32(2),
      }),
    "Cannot record Neg: it has 1 outputs, wanted 2",
  );
  refuses(
    () =>
      record(
        ({ x, i }) => ({ y: rawOperator("Mul", [x, i], { T: { kind: "dtype", value: "float32" } })[0]! }),
        {
          x: f32(2),
          i: { dtype: "int32", shape: [2] },
        },
      ),
    "Cannot record Mul(float32[2], int32[2]): y must be float32 (T), found int32",
  );
  assert.throws(
    () => record(({ x }) => ({ y: rawOperator("NoSuchOperator", [x], {})[0]! }), { x: f32(2) }),
    /^Error: Cannot record NoSuchOperator\(float32\[2\]\): INVALID_ARGUMENT \(3\): Op type not registered/,
  );
});

Deno.test("record() asks TensorFlow for the shapes of operators without a rule, and of what is computed", async () => {
  const T = { kind: "dtype", value: "float32" } as const;
  const x = { dtype: "float32" as const, shape: [2, 2], data: new Float32Array([2, 0, 0, 4]) };
  const graph = record(({ x }) => {
    const [inverse] = rawOperator("MatrixInverse", [tf.mul(x, 2)], {
      T,
      adjoint: { kind: "bool", value: false },
    });
    const [again] = rawOperator("MatrixInverse", [tf.neg(inverse!)], { T });
    return { y: tf.add(again!, 1) };
  }, { x });
  assert.deepEqual(graph.nodes.map(({ op }) => op), [
    "Const",
    "Mul",
    "MatrixInverse",
    "Neg",
    "MatrixInverse",
    "Const",
    "Add",
  ]);
  assert.deepEqual(graph.nodes[2]!.outputs[0]!.shape, [2, 2]);
  await using compiled = compile(graph);
  assert.deepEqual([...(await compiled.run({ x })).y!.data], [-3, 1, 1, -7]);

  const reshape = (x: tf.Tensor, shape: tf.Tensor) =>
    rawOperator("Reshape", [x, shape], { T, Tshape: { kind: "dtype", value: "int32" } })[0]!;
  const known = record(({ x }) => ({ y: reshape(x, tf.prod(tf.tensor2d([[2], [2]], [2, 1], "int32"), 0)) }), {
    x,
  });
  assert.deepEqual(known.nodes.at(-1)!.outputs[0]!.shape, [4]);
  refuses(
    () => record(({ x, s }) => ({ y: reshape(x, s) }), { x, s: { dtype: "int32", shape: [2] } }),
    "Cannot record Reshape(float32[2,2], int32[2]): the shape of its output depends on values, found " +
      "float32[-1,-1], and every length must be known\n" +
      "  help: use an operator with a fixed output shape, or run it outside the recording",
  );
});

Deno.test("record() passes on what the function throws, from inside tidies and gradients too", () => {
  const fail = () => {
    throw new RangeError("my own");
  };
  refuses(() => record(fail, { x: f32(2) }), "my own");
  refuses(() => record(({ x }) => ({ y: tf.tidy(() => (tf.neg(x), fail())) }), { x: f32(2) }), "my own");
  refuses(
    () => record(({ x }) => ({ y: tf.grad((x: tf.Tensor) => (tf.neg(x), fail()))(x) }), { x: f32(2) }),
    "my own",
  );
});

Deno.test("record() leaves no tensor behind, kept ones included", () => {
  const tensors = tf.memory().numTensors, native = currentBackend().binding.getNumOfTensors();
  for (let i = 0; i < 20; i++) {
    record(({ x }) => ({ y: tf.add(tf.keep(tf.neg(x)), tf.scalar(i)) }), { x: f32(2) });
  }
  assert.equal(tf.memory().numTensors, tensors);
  assert.equal(currentBackend().binding.getNumOfTensors(), native);
});

Deno.test("record() records list inputs: concat, stack, addN, einsum and a fused dense layer", async () => {
  const check = async (fn: (x: tf.Tensor2D) => tf.Tensor, ops: string) => {
    const x = { dtype: "float32" as const, shape: [2, 2], data: new Float32Array([1, 2, 3, -4]) };
    const graph: Graph = record(({ x }) => ({ y: fn(x as tf.Tensor2D) }), { x });
    assert.ok(graph.nodes.some(({ op }) => op === ops), printGraph(graph));
    await using compiled = compile(graph);
    const { y } = await compiled.run({ x });
    const eager = tf.tidy(() => fn(tf.tensor2d(x.data, [2, 2])).dataSync().slice());
    assert.deepEqual(y!.data, eager);
  };
  await check((x) => tf.concat([x, tf.neg(x), x], 1), "ConcatV2");
  await check((x) => tf.stack([x, x]), "Pack");
  await check((x) => tf.addN([x, x, x]), "AddN");
  await check((x) => tf.einsum("ij,jk->ik", x, x), "Einsum");
  await check(
    (x) => tf.fused.matMul({ a: x, b: x, bias: tf.tensor1d([1, 2]), activation: "relu" }),
    "BatchMatMulV2",
  );
});
