import assert from "node:assert/strict";
import { contestantCommand, contestantIds, hasModel } from "../../bench/training/contestants.ts";
import {
  configurationsOf,
  modelIds,
  parseTrainingOptions,
  setNames,
  sets,
} from "../../bench/training/options.ts";

Deno.test("parseTrainingOptions() without arguments measures the main set with everyone", () => {
  assert.deepEqual(parseTrainingOptions([], "results"), {
    sets: ["main"],
    models: [...modelIds],
    contestants: [...contestantIds],
    rounds: 5,
    launches: 3,
    steps: 4,
    seconds: 2,
    resume: false,
    results: "results",
  });
});

Deno.test("parseTrainingOptions() reads what is asked for", () => {
  const options = parseTrainingOptions(
    ["--set=all", "--models", "efficientnet_b0, efficientnet_lite0", "--contestants", "onednn,pytorch-tuned"]
      .concat("--rounds", "2", "--launches", "1", "--steps", "3", "--seconds", "0.5", "--resume")
      .concat("--results", "elsewhere", "--python", "a", "--keras-python", "b"),
    "results",
  );
  assert.deepEqual(options, {
    sets: setNames,
    models: ["efficientnet_b0", "efficientnet_lite0"],
    contestants: ["onednn", "pytorch-tuned"],
    rounds: 2,
    launches: 1,
    steps: 3,
    seconds: 0.5,
    resume: true,
    results: "elsewhere",
    python: "a",
    kerasPython: "b",
  });
});

Deno.test("parseTrainingOptions() refuses what is not there", () => {
  const refused = (args: string[], message: RegExp) =>
    assert.throws(() => parseTrainingOptions(args, "results"), { message });
  refused(["--set", "huge"], /'huge' is invalid\. Allowed choices are main, batches, small-pictures/);
  refused(["--models", "resnet50"], /There is no resnet50; there is mobilenetv3_small_100, /);
  refused(
    ["--contestants", "onednn,jax"],
    /There is no jax; there is onednn, onednn-bf16, tensorflow, pytorch, /,
  );
  refused(["--rounds", "0"], /Wanted a whole number above 0\./);
  refused(["--seconds", "-1"], /Wanted a number of seconds, 0 or more\./);
  refused(["--round", "1"], /unknown option '--round'/);
});

Deno.test("configurationsOf() has each network with each batch size of the set", () => {
  assert.deepEqual(configurationsOf("batches", ["a", "b"]), [
    { model: "a", batchSize: 8, size: 224, threads: 2, busy: false },
    { model: "b", batchSize: 8, size: 224, threads: 2, busy: false },
    { model: "a", batchSize: 64, size: 224, threads: 2, busy: false },
    { model: "b", batchSize: 64, size: 224, threads: 2, busy: false },
  ]);
  assert.deepEqual(configurationsOf("small-pictures", ["a"]).map(({ size }) => size), [96]);
  assert.deepEqual(configurationsOf("one-thread", ["a"]).map(({ threads }) => threads), [1]);
  assert.deepEqual(setNames.filter((set) => sets[set].busy), ["busy"]);
});

Deno.test("contestantCommand() tells each program its threads", () => {
  const configuration = { model: "efficientnet_b0", batchSize: 8, size: 96, threads: 1, busy: false };
  const command = (id: typeof contestantIds[number]) =>
    contestantCommand(id, configuration, { torch: "python-t", keras: "python-k" });
  for (const id of ["onednn", "onednn-bf16", "tensorflow"] as const) {
    const { args, env } = command(id);
    assert.deepEqual(args.slice(-4), ["efficientnet_b0", "8", "96", id]);
    assert.deepEqual([env["OMP_NUM_THREADS"], env["TF_NUM_INTRAOP_THREADS"]], ["1", "1"]);
  }
  for (const id of ["pytorch", "pytorch-tuned", "keras"] as const) {
    const { program, args } = command(id);
    assert.equal(program, id === "keras" ? "python-k" : "python-t");
    assert.deepEqual(args.slice(1), ["efficientnet_b0", "8", "96", "1"]);
  }
  assert.deepEqual(command("pytorch").env, {});
  assert.equal(command("pytorch-tuned").env["MALLOC_MMAP_MAX_"], "0");
});

Deno.test("hasModel() leaves EfficientNet-Lite0 out for Keras only", () => {
  for (const id of contestantIds) {
    for (const model of modelIds) {
      assert.equal(hasModel(id, model), id !== "keras" || model !== "efficientnet_lite0");
    }
  }
});
