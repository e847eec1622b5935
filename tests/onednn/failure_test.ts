/** Threads that fail, and threads that end, in the middle of a call. */
import assert from "node:assert/strict";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { Barrier } from "../../lib/onednn/barrier.ts";
import type { ProgramDescription } from "../../lib/onednn/program.ts";
import { findOneDNN } from "../../lib/onednn/library.ts";
import { requireMemory } from "../../lib/onednn/memory.ts";
import { OneDNNFunction } from "../../lib/onednn/onednn_function.ts";
import { Team } from "../../lib/onednn/team.ts";
import { record } from "../../lib/tensorflow/record.ts";
import { tf } from "../../lib/tensorflow/tf.ts";
import { teamOf, tensor } from "./_compare.ts";

const f32 = (...shape: number[]) => ({ dtype: "float32" as const, shape });

/** A step of several phases: statistics of the batch, what is made of them, and new values of two variables. */
const stepGraph = () =>
  record(
    ({ w, total, x }) => {
      const loss = (w: tf.Tensor) => {
        const y = tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D);
        return tf.mean(tf.square(tf.sub(y, tf.mean(y, 0, true)))) as tf.Scalar;
      };
      const { value, grad } = tf.valueAndGrad(loss)(w);
      return { w: tf.sub(w, tf.mul(grad, 0.1)), total: tf.add(total, value), loss: value };
    },
    { w: f32(6, 4), total: f32(), x: f32(7, 6) },
    { name: "step" },
  );
const variables: Record<string, HostTensor> = { w: tensor([6, 4], 1), total: tensor([], 2) };
const inputs = { x: tensor([7, 6], 3) };

/**
 * A team, and what its threads were given to run.
 */
async function spiedTeam(threads: number): Promise<{ team: Team; programs: ProgramDescription[] }> {
  const real = await teamOf(threads), programs: ProgramDescription[] = [];
  const team = {
    threads,
    ask(request: Parameters<Team["ask"]>[0], onFailure?: () => void) {
      return real.ask((thread) => {
        const asked = request(thread);
        if (asked.kind === "prepare") programs[thread] = asked.description;
        return asked;
      }, onFailure);
    },
  } as unknown as Team;
  return { team, programs };
}

/** Sends one loop of a thread out of the memory, where it traps; returns what mends it. */
function sabotage(
  { memory, instructions }: ProgramDescription,
  { plan }: OneDNNFunction,
  which: "first" | "last",
): () => void {
  const kernels = instructions.filter((instruction) => instruction.kind === "kernel")
    .filter(({ settled }) => !settled); // those are not run again
  const kernel = which === "first" ? kernels[0]! : kernels.at(-1)!;
  const { rank } = plan.kernels[kernel.kernel]! as { rank: number };
  // After the lengths of the loops comes the first pointer.
  const word = new Int32Array(memory.buffer, kernel.arguments + 4 * rank, 1), before = word[0]!;
  word[0] = 0x7fff0000;
  return () => {
    word[0] = before;
  };
}

for (const threads of [1, 2, 3]) {
  for (let failing = 0; failing < threads; failing++) {
    Deno.test(`a call whose thread ${failing} of ${threads} fails says so, loses nothing, and the next one works`, async () => {
      const { team, programs } = await spiedTeam(threads);
      await using step = new OneDNNFunction(stepGraph(), variables, "a test", { team });
      await using untouched = new OneDNNFunction(stepGraph(), variables, "a test", {
        team: await teamOf(threads),
      });
      await step.run(inputs);
      await untouched.run(inputs);
      assert.ok(programs[failing]!.instructions.filter(({ kind }) => kind === "barrier").length >= 2);
      const mend = sabotage(programs[failing]!, step, "first");
      await assert.rejects(step.run(inputs), {
        name: "Error",
        message: "Cannot run step: memory access out of bounds",
      });
      assert.deepEqual(await step.read(), await untouched.read());
      await assert.rejects(step.run(inputs), /^Error: Cannot run step: memory access out of bounds$/);
      mend();
      assert.deepEqual(await step.run(inputs), await untouched.run(inputs));
      assert.deepEqual(await step.read(), await untouched.read());
    });
  }
}

Deno.test("a call that fails while variables are overwritten says that they must be written again", async () => {
  const { team, programs } = await spiedTeam(2);
  await using step = new OneDNNFunction(stepGraph(), variables, "a test", { team });
  const first = await step.run(inputs);
  const failing = programs.findIndex(({ instructions }) =>
    instructions.findLastIndex(({ kind }) => kind === "kernel") >
      instructions.findLastIndex(({ kind }) => kind === "commit")
  );
  const mend = sabotage(programs[failing]!, step, "last");
  await assert.rejects(step.run(inputs), /^Error: Cannot run step: memory access out of bounds$/);
  mend();
  const refused = {
    name: "Error",
    message: "Cannot use step: a call failed while w (and 1 more variables) was being overwritten\n" +
      "  help: write() all variables, or compile the graph again",
  };
  await assert.rejects(step.run(inputs), refused);
  await assert.rejects(step.read(), refused);
  await step.write({ w: variables["w"]! });
  await assert.rejects(step.run(inputs), /while total was being overwritten/);
  await step.write({ total: variables["total"]! });
  assert.deepEqual(await step.run(inputs), first);
});

Deno.test("a thread that ends leaves no call waiting", async () => {
  const team = await Team.start(3, await findOneDNN());
  const step = new OneDNNFunction(stepGraph(), variables, "a test", { team });
  await step.run(inputs);
  const running = Array.from({ length: 20 }, () => step.run(inputs));
  const settled = Promise.allSettled(running);
  await team.stop();
  const problems = (await settled).filter((result) => result.status === "rejected").map(({ reason }) =>
    `${reason}`
  );
  for (const problem of problems) {
    assert.match(problem, /^Error: Cannot (run|use) step: /);
  }
  await assert.rejects(
    new OneDNNFunction(stepGraph(), variables, "a test", { team }).run(inputs),
    /^Error: (Cannot run step: )?thread \d of oneDNN's has ended: it was stopped\n {2}help: start the program again$/,
  );
  await step.dispose();
});

Deno.test("a function compiled for another number of threads says so", async () => {
  const team = { ...await teamOf(2), threads: 2 } as unknown as Team;
  const step = new OneDNNFunction(stepGraph(), variables, "a test", { team });
  (team as { threads: number }).threads = 3;
  await assert.rejects(step.run(inputs), {
    message: "Cannot run step: it was compiled for 2 threads, and 3 were started\n" +
      "  help: await startTeam() before compile()",
  });
});

Deno.test("Barrier.wait() fails in threads that come after one has failed", () => {
  const memory = new SharedArrayBuffer(256);
  const [one, other] = [new Barrier(memory, 2), new Barrier(memory, 2)];
  one.abort();
  for (const barrier of [other, one, other]) {
    assert.throws(() => barrier.wait(), /^Error: another thread of the team failed$/);
  }
  one.commit();
  assert.ok(other.isCommitting);
  one.reset();
  assert.ok(!other.isCommitting);
  const alone = new Barrier(memory, 1);
  alone.wait();
  alone.wait();
});

Deno.test("requireMemory() says what is needed, what there is, and which batch size fits", () => {
  const refused = (
    plan: { memoryBytes: number; batchBytes: number },
    batchSize: number,
    available: number,
  ) => {
    try {
      requireMemory("train_step", plan, batchSize, available);
    } catch (thrown) {
      assert.ok(thrown instanceof RangeError);
      return thrown.message;
    }
  };
  assert.equal(refused({ memoryBytes: 1e9, batchBytes: 9e8 }, 32, 1e9), undefined);
  assert.equal(
    refused({ memoryBytes: 3.3e9, batchBytes: 3.2e9 }, 32, 1.15e9),
    "Cannot compile train_step for oneDNN: it needs 3.3 GB for a batch of 32, " +
      "and 1.1 GB are free on this machine\n" +
      '  help: { batchSize: 10 } fits; { executor: "tensorflow" } has no such limit but needs more',
  );
  assert.equal(
    refused({ memoryBytes: 9.1e9, batchBytes: 9e9 }, 128, 64e9),
    "Cannot compile train_step for oneDNN: it needs 9.1 GB for a batch of 128, and 4.3 GB can be addressed\n" +
      '  help: { batchSize: 59 } fits; { executor: "tensorflow" } has no such limit but needs more',
  );
  const small =
    '  help: use smaller pictures, or a machine with more memory; { executor: "tensorflow" } has no such ' +
    "limit but needs more";
  const beginning = "Cannot compile train_step for oneDNN: it needs 2.0 GB for a batch of";
  assert.equal(
    refused({ memoryBytes: 2e9, batchBytes: 1e9 }, 2, 5e8),
    `${beginning} 2, and 500 MB are free on this machine\n${small}`,
  );
  assert.equal(
    refused({ memoryBytes: 2e9, batchBytes: 0 }, 1, 5e8),
    `${beginning} 1, and 500 MB are free on this machine\n${small}`,
  );
});
