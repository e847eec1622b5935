import assert from "node:assert/strict";
import { compareEnvironments, describeEnvironment } from "../../lib/training/environment.ts";
import { openExecutor } from "../../lib/tensorflow/executor.ts";

Deno.test("describeEnvironment() tells what the bits of a run depend on", async () => {
  const executor = await openExecutor();
  const before = Deno.env.get("OMP_NUM_THREADS");
  Deno.env.set("OMP_NUM_THREADS", "1");
  try {
    const environment = describeEnvironment(executor);
    assert.match(environment.library, /^(oneDNN|TensorFlow) \d+\.\d+/);
    assert.equal(environment.device, executor.device);
    assert.equal(environment.threads, executor.threads);
    assert.notEqual(environment.processor, "");
    assert.match(environment.variables, /OMP_NUM_THREADS=1/);
    assert.deepEqual(JSON.parse(JSON.stringify(environment)), environment);
  } finally {
    before === undefined ? Deno.env.delete("OMP_NUM_THREADS") : Deno.env.set("OMP_NUM_THREADS", before);
  }
});

Deno.test("compareEnvironments() names what differs, and not Deno's version", async () => {
  const here = describeEnvironment(await openExecutor());
  assert.deepEqual(compareEnvironments(here, { ...here, deno: "1.0.0" }), []);
  assert.deepEqual(
    compareEnvironments({ ...here, threads: 64, device: "gpu", variables: "" }, {
      ...here,
      threads: 2,
      device: "cpu",
      variables: "OMP_NUM_THREADS=1",
    }),
    ["device: was gpu, is cpu", "threads: was 64, is 2", "variables: was not set, is OMP_NUM_THREADS=1"],
  );
});
