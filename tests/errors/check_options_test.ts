import assert from "node:assert/strict";
import {
  checkOptions,
  checkValues,
  nonNegativeNumber,
  ofType,
  oneOf,
  positiveInteger,
  positiveNumber,
  ratio,
  share,
  wholeNumber,
} from "../../lib/errors/check_options.ts";

const KNOWN = ["epochs", "batchSize", "learningRate"];

Deno.test("checkOptions() lets known options, no options and undefined ones pass", () => {
  checkOptions(undefined, KNOWN, "fineTune");
  checkOptions({}, KNOWN, "fineTune");
  checkOptions({ epochs: 3, batchSize: undefined }, KNOWN, "fineTune");
});

Deno.test("checkOptions() refuses all unknown names at once, with the nearest known ones", () => {
  assert.throws(
    () => checkOptions({ epoch: 1, batchSize: 2, colour: 3, learning_rate: undefined }, KNOWN, "fineTune"),
    {
      name: "TypeError",
      message: "Cannot run fineTune(): 3 options are not known\n" +
        '  "epoch": did you mean "epochs"?\n' +
        '  "colour"\n' +
        '  "learning_rate": did you mean "learningRate"?\n' +
        "  help: the options of fineTune() are batchSize, epochs, learningRate",
    },
  );
  assert.throws(() => checkOptions({ epoch: 1 }, KNOWN, "findLR"), {
    name: "TypeError",
    message: 'Cannot run findLR(): 1 option is not known\n  "epoch": did you mean "epochs"?\n' +
      "  help: the options of findLR() are batchSize, epochs, learningRate",
  });
});

Deno.test("checkOptions() refuses options that are no object", () => {
  const found: [unknown, string][] = [
    [null, "null"],
    [3, "3"],
    ["fast", '"fast"'],
    [[1, 2], "an array of 2"],
    [() => {}, "a function"],
  ];
  for (const [given, words] of found) {
    assert.throws(() => checkOptions(given, KNOWN, "fineTune"), {
      name: "TypeError",
      message: `Cannot run fineTune(): found ${words} for the options, wanted an object\n` +
        "  help: write for example { epochs: ... }",
    });
  }
});

Deno.test("checkValues() lets values that fit, and options that were not given, pass", () => {
  checkValues("fineTune", [
    positiveInteger("epochs", 1),
    wholeNumber("seed", 0),
    positiveNumber("learningRate", 1e-9),
    nonNegativeNumber("weightDecay", 0),
    ratio("labelSmoothing", 0),
    ratio("momentum", 0.999),
    share("probability", 1),
    oneOf("device", "gpu", ["auto", "cpu", "gpu"]),
    ofType("outputDir", "", "string"),
    ofType("onEvent", () => {}, "function"),
    ofType("shuffle", false, "boolean"),
  ]);
  checkValues("fineTune", [
    positiveInteger("epochs", undefined),
    wholeNumber("seed", undefined),
    positiveNumber("learningRate", undefined),
    nonNegativeNumber("weightDecay", undefined),
    ratio("momentum", undefined),
    share("probability", undefined),
    oneOf("device", undefined, ["cpu"]),
    ofType("outputDir", undefined, "string"),
  ]);
});

Deno.test("checkValues() throws a RangeError with all values that are out of range", () => {
  const cases = [
    positiveInteger("epochs", 0),
    positiveInteger("batchSize", 1.5),
    wholeNumber("seed", -1),
    positiveNumber("learningRate", Infinity),
    nonNegativeNumber("weightDecay", NaN),
    ratio("momentum", 1),
    share("probability", 1.01),
    oneOf("device", "tpu", ["auto", "cpu", "gpu"]),
    oneOf("recipe", "x", ["baseline"]),
  ];
  assert.throws(() => checkValues("fineTune", cases), {
    name: "RangeError",
    message: "Cannot run fineTune(): 9 options have values that cannot be used\n" +
      "  epochs: found 0, wanted a whole number of at least 1\n" +
      "  batchSize: found 1.5, wanted a whole number of at least 1\n" +
      "  seed: found -1, wanted a whole number of at least 0\n" +
      "  learningRate: found Infinity, wanted a number above 0\n" +
      "  weightDecay: found NaN, wanted a number of at least 0\n" +
      "  momentum: found 1, wanted a number from 0 up to, not including, 1\n" +
      "  probability: found 1.01, wanted a number from 0 to 1\n" +
      '  device: found "tpu", wanted "auto", "cpu" or "gpu"\n' +
      '  recipe: found "x", wanted "baseline"\n' +
      "  help: leave an option out to get its default",
  });
});

Deno.test("checkValues() throws a TypeError if a type is wrong, and shows the values shortly", () => {
  const cases = [
    positiveInteger("epochs", "3"),
    positiveNumber("learningRate", { value: 1 }),
    oneOf("device", new Map(), ["cpu", "gpu"]),
    ofType("outputDir", null, "string"),
    ofType("onEvent", "x".repeat(100), "function"),
    ofType("shuffle", [1], "boolean"),
    ratio("momentum", 5),
  ];
  assert.throws(() => checkValues("fineTune", cases), {
    name: "TypeError",
    message: "Cannot run fineTune(): 7 options have values that cannot be used\n" +
      '  epochs: found "3", wanted a whole number of at least 1\n' +
      "  learningRate: found an object, wanted a number above 0\n" +
      '  device: found an object of class Map, wanted "cpu" or "gpu"\n' +
      "  outputDir: found null, wanted a string\n" +
      `  onEvent: found "${"x".repeat(55)}...", wanted a function\n` +
      "  shuffle: found an array of 1, wanted true or false\n" +
      "  momentum: found 5, wanted a number from 0 up to, not including, 1\n" +
      "  help: leave an option out to get its default",
  });
  assert.throws(() => checkValues("findLR", [positiveInteger("epochs", true)]), {
    name: "TypeError",
    message: "Cannot run findLR(): 1 option has a value that cannot be used\n" +
      "  epochs: found true, wanted a whole number of at least 1\n  help: leave an option out to get its default",
  });
});
