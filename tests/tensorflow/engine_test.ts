import assert from "node:assert/strict";
import { currentEngine, openEngine, throwOnError } from "../../lib/tensorflow/engine.ts";
import "../../lib/tensorflow/mod.ts";
import { lib, runProcess } from "./_process.ts";

Deno.test("openEngine() opens once: later calls return the same engine", async () => {
  const [a, b] = await Promise.all([openEngine(), openEngine({ device: "auto" })]);
  assert.equal(a, b);
  assert.equal(a, currentEngine());
  assert.match(a.version, /^2\.\d+\.\d+/);
  assert.equal(await openEngine({ device: a.device }), a);
});

Deno.test("openEngine() refuses a GPU where there is none, and opens without one after that", async () => {
  const output = await runProcess(`
    import { openEngine } from "${lib}tensorflow/engine.ts";
    try {
      await openEngine({ device: "gpu" });
    } catch (error) {
      console.log(error.name + ": " + error.message);
    }
    console.log((await openEngine()).device);
  `);
  const [error, help, device] = output.split("\n");
  assert.match(
    error!,
    /^LibraryError: Cannot compute on device "gpu": TensorFlow 2\.\d+\.\d+ at \/.*libtensorflow_cc.* sees no GPU$/,
  );
  assert.equal(help, '  help: check the driver with nvidia-smi, or pass { device: "auto" }');
  assert.equal(device, "cpu");
});

Deno.test("openEngine() refuses another device once it is open", async () => {
  const output = await runProcess(`
    import { openEngine } from "${lib}tensorflow/engine.ts";
    console.log((await openEngine({ device: "cpu" })).device);
    await openEngine({ device: "gpu" }).catch((error) => console.log(error.name + ": " + error.message));
    console.log((await openEngine()).device);
  `);
  const [device, error, help, still] = output.split("\n");
  assert.equal(device, "cpu");
  assert.match(
    error!,
    /^LibraryError: Cannot compute on device "gpu": this process already computes on "cpu" with TensorFlow 2\.\d+\.\d+ at \//,
  );
  assert.equal(
    help,
    "  help: choose the device in the first call of the process: restart it (the kernel, in a notebook)",
  );
  assert.equal(still, "cpu");
});

Deno.test("currentEngine(), compile() and operations say that the engine is not open, and work once it is", async () => {
  const output = await runProcess(`
    import { currentEngine } from "${lib}tensorflow/engine.ts";
    import { startBackend } from "${lib}tensorflow/backend.ts";
    import { compile } from "${lib}tensorflow/compile.ts";
    import { record } from "${lib}tensorflow/record.ts";
    import { tf } from "${lib}tensorflow/tf.ts";
    const graph = record(({ x }) => ({ y: tf.neg(x) }), { x: { dtype: "float32", shape: [2] } });
    const early = tf.tensor1d([1, 2]); // stays in JavaScript until it is used
    for (const use of [currentEngine, () => compile(graph), () => tf.add(1, 2), () => tf.neg(early)]) {
      try {
        use();
      } catch (error) {
        console.log(error.name + ": " + error.message);
      }
    }
    await startBackend();
    await using neg = compile(graph);
    const { y } = await neg.run({ x: { dtype: "float32", shape: [2], data: await tf.add(early, 1).data() } });
    console.log([...y.data].join(), tf.getBackend());
  `);
  const closed = `LibraryError: Cannot compute: the engine is not open yet
  help: import from whittle/tensorflow, or await openEngine() first
`;
  assert.equal(output, `${closed.repeat(4)}-2,-3 tensorflow`);
});

Deno.test("throwOnError() throws the status code's name and number, and TensorFlow's message", () => {
  const { native } = currentEngine();
  const status = native.TF_NewStatus()!;
  throwOnError(native, status, "Cannot be");
  const graph = native.TF_NewGraph();
  const name = new TextEncoder().encode("NoSuchOperator\0");
  native.TF_FinishOperation(native.TF_NewOperation(graph, name, name), status);
  assert.throws(
    () => throwOnError(native, status, (message) => `Cannot ${message.length > 9 ? "try" : "be"}`),
    /^Error: Cannot try: INVALID_ARGUMENT \(3\): Op type not registered 'NoSuchOperator'/,
  );
  native.TF_DeleteGraph(graph);
  native.TF_DeleteStatus(status);
});
