import assert from "node:assert/strict";
import { join } from "node:path";
import { replaceSection } from "../../bench/training/document.ts";
import { sections } from "../../bench/ablation/document.ts";
import { ablationFigure } from "../../bench/ablation/figure.ts";
import { chosenRate, readResults, type Result } from "../../bench/ablation/results.ts";
import {
  type AblationRun,
  configurationsOf,
  nameOf,
  networks,
  queue,
  recipeOf,
  searchSeed,
  settingsOf,
} from "../../bench/ablation/runs.ts";
import { summarise } from "../../bench/ablation/summary.ts";
import { techniqueTable, verdict } from "../../bench/ablation/tables.ts";
import type { Recipe } from "../../lib/training/recipe.ts";

/** A result as the queue writes it. */
function result(run: AblationRun, testTop1: number, changes: Partial<Result> = {}): Result {
  return {
    ...run,
    settings: settingsOf(run.network),
    learningRateUsed: run.learningRate ?? 0.1,
    model: networks[run.network].id,
    pictures: { train: 500, validation: 200, test: 1000 },
    recipe: recipeOf(run, 0.1),
    testTop1,
    testLoss: 1,
    validationTop1: testTop1,
    bestEpoch: 1,
    epochs: 6,
    validationTop1ByEpoch: [],
    trainLossByEpoch: [],
    learningRateByEpoch: [],
    seconds: 100,
    processorSeconds: run.configuration === "baseline" ? 20 : 40,
    wentOn: false,
    environment: { library: "oneDNN 3.2.0 (AVX2)", processor: "A processor avx2", threads: 1 },
    ...changes,
  };
}

const lite0 = (configuration: string, accuracies: readonly number[]) =>
  accuracies.map((top1, seed) => result({ network: "lite0", data: "fashion", configuration, seed }, top1));

const results = [
  ...lite0("baseline", [0.70, 0.72, 0.74]),
  ...lite0("adaptive", [0.80, 0.81, 0.82]),
  ...lite0("no SAM", [0.78, 0.80, 0.79]).map((run, seed) => ({
    ...run,
    wentOn: seed === 0,
    processorSeconds: 9 + seed,
  })),
  ...lite0("no EMA", [0.81, 0.83, 0.825]),
  ...lite0("no AugMix", [0.81, 0.80, 0.82]),
  ...lite0("no rotation", [0.85]).map((run) => ({ ...run, wentOn: true })),
];

Deno.test("queue() has every configuration with each seed on each data set once, after the searches", () => {
  const runs = queue(), names = runs.map(nameOf);
  assert.equal(new Set(names).size, names.length);
  const searches = runs.filter(({ seed }) => seed === searchSeed);
  assert.deepEqual(runs.slice(0, searches.length), searches);
  assert.ok(searches.every(({ data, learningRate }) => data === "fashion" && learningRate !== undefined));
  const compared = configurationsOf("lite0").length + configurationsOf("small").length;
  assert.equal(runs.length - searches.length, compared * 2 * 3);
  const recipes = runs.slice(searches.length, searches.length + 24);
  assert.ok(recipes.every(({ configuration }) => ["baseline", "adaptive"].includes(configuration)));
  const parts = runs.slice(searches.length + 24).map(({ data }) => data);
  assert.equal(parts.lastIndexOf("fashion") + 1, parts.indexOf("emoji"));
});

Deno.test("nameOf() is a file's name", () => {
  const run = { network: "small", data: "emoji", configuration: "softmax, not AM-softmax", seed: 2 } as const;
  assert.equal(nameOf(run), "small-emoji-softmax_not_AM-softmax-seed_2");
  assert.equal(
    nameOf({ ...run, configuration: "baseline", learningRate: 0.1 }),
    "small-emoji-baseline-rate_0.1-seed_2",
  );
  assert.ok(queue().every((run) => /^[\w.-]+$/.test(nameOf(run))));
});

Deno.test("recipeOf() changes one thing of the adaptive recipe for each part", () => {
  const changed = (network: "lite0" | "small", configuration: string) => {
    const run = { network, data: "fashion", configuration, seed: 0 } as const;
    const recipe = recipeOf(run, 0.1), adaptive = recipeOf({ ...run, configuration: "adaptive" }, 0.1);
    const keys = new Set([...Object.keys(recipe), ...Object.keys(adaptive)]) as Set<keyof Recipe>;
    return [...keys].filter((key) => JSON.stringify(recipe[key]) !== JSON.stringify(adaptive[key]))
      .filter((key) => key !== "name");
  };
  const ofLite0 = Object.fromEntries(configurationsOf("lite0").slice(2).map((c) => [c, changed("lite0", c)]));
  assert.deepEqual(ofLite0, {
    "softmax, not AM-softmax": ["loss"],
    "no SAM": ["sam"],
    "no EMA": ["ema"],
    "bias decay": ["noBiasDecay"],
    "no AugMix": ["augmentation"],
    "no rotation": ["augmentation"],
    "cosine, not plateau": ["schedule", "earlyStoppingPatience", "plateau"],
    "no warm-up": ["warmUpEpochs"],
  });
  assert.deepEqual(changed("small", "no mutual learning"), ["auxiliaryModels"]);
  assert.deepEqual(changed("small", "auxiliary loss of the reference's code"), ["auxiliaryModels"]);
  const { augmentation } = recipeOf(
    { network: "small", data: "emoji", configuration: "no AugMix", seed: 0 },
    0.1,
  );
  assert.deepEqual(augmentation, [{ kind: "flip" }, { kind: "rotate", probability: 0.35, degrees: 10 }]);
});

Deno.test("chosenRate() is the middle one of those that are as good as the best, with the baseline or the adaptive recipe", () => {
  const searches = (configuration: string, tops: Record<number, number>) =>
    Object.entries(tops).map(([rate, validationTop1]) =>
      result({ network: "small", data: "fashion", configuration, seed: searchSeed, learningRate: +rate }, 0, {
        learningRateUsed: +rate,
        validationTop1,
        pictures: { validation: 260 },
      })
    );
  const tried = [
    // 6.8 points are chance on 260 pictures, 20 are not.
    ...searches("baseline", { 0.02: 0.78, 0.05: 0.77, 0.1: 0.76, 0.2: 0.44 }),
    ...searches("adaptive", { 0.2: 0.8, 0.02: 0.6, 0.1: 0.78, 0.05: 0.79, 0.3: 0.77 }),
  ];
  const run = (
    configuration: string,
  ) => ({ network: "small", data: "emoji", configuration, seed: 0 } as const);
  assert.equal(chosenRate(tried, run("baseline")), 0.05);
  assert.equal(chosenRate(tried, run("adaptive")), 0.2, "the better one of 0.1 and 0.2");
  assert.equal(chosenRate(tried, run("no SAM")), 0.2);
  assert.throws(() => chosenRate([], run("no SAM")), {
    message: "No learning rate was tried for small with the adaptive recipe yet",
  });
});

Deno.test("readResults() refuses results of other settings and names them", async () => {
  const folder = `${await Deno.makeTempDir()}/`;
  try {
    const write = (name: string, value: Result) =>
      Deno.writeTextFile(join(folder, name), JSON.stringify(value));
    await write("a.json", results[0]!);
    assert.deepEqual(await readResults(folder), [results[0]]);
    await write("b.json", { ...results[1]!, settings: { ...results[1]!.settings, imageSize: 96 } });
    await assert.rejects(readResults(folder), {
      name: "RangeError",
      message:
        `Cannot compare the results in ${folder}: 1 of 2 were measured with other settings\n  b.json\n` +
        "  help: delete them, or put the settings in bench/ablation/runs.ts back",
    });
    assert.deepEqual(await readResults(`${folder}none/`), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("summarise() pairs runs by seed", () => {
  const rows = summarise(results, "lite0", "fashion");
  assert.deepEqual(rows.map(({ configuration, results }) => [configuration, results.length]), [
    ["baseline", 3],
    ["adaptive", 3],
    ["no SAM", 3],
    ["no EMA", 3],
    ["no AugMix", 3],
    ["no rotation", 1],
  ]);
  const { values, mean, standardError } = rows[0]!.difference!;
  const near = (found: number, wanted: number) => assert.ok(Math.abs(found - wanted) < 1e-12, `${found}`);
  values.forEach((value, seed) => near(value, [-0.10, -0.09, -0.08][seed]!));
  near(mean, -0.09);
  near(standardError!, 0.01 / Math.sqrt(3)); // numpy: std([-.1, -.09, -.08], ddof=1) / sqrt(3)
  assert.equal(rows[1]!.difference, undefined);
  assert.equal(rows[5]!.difference!.standardError, undefined);
  assert.deepEqual(summarise(results, "small", "fashion"), []);
});

Deno.test("techniqueTable() has a row for each configuration, with times of runs that were not stopped", () => {
  assert.deepEqual(techniqueTable(summarise(results, "lite0", "fashion")).split("\n"), [
    "|  | test top-1 | to adaptive, points | epochs | processor time | of adaptive's |",
    "| --- | --- | --- | --- | --- | --- |",
    "| baseline | 72.0 % (70.0 % to 74.0 %) | -9.0 ± 0.6 | 6 | 20 s | 0.50x |",
    "| adaptive | 81.0 % (80.0 % to 82.0 %) |  | 6 | 40 s | 1.00x |",
    "| no SAM | 79.0 % (78.0 % to 80.0 %) | -2.0 ± 0.6 | 6 | 11 s | 0.26x |",
    "| no EMA | 82.2 % (81.0 % to 83.0 %) | +1.2 ± 0.4 | 6 | 40 s | 1.00x |",
    "| no AugMix | 81.0 % (80.0 % to 82.0 %) | 0.0 ± 0.6 | 6 | 40 s | 1.00x |",
    "| no rotation, 1 of 3 seeds | 85.0 % (85.0 % to 85.0 %) | +5.0 | 6 |  |  |",
  ]);
});

Deno.test("verdict() tells what all seeds agree about, of parts with all seeds", () => {
  assert.equal(
    verdict(summarise(results, "lite0", "fashion")),
    "The adaptive recipe is better than the baseline with every seed. " +
      'Worse than adaptive with every seed: "no SAM". Better with every seed: "no EMA". ' +
      'Now worse, now better: "no AugMix".',
  );
  assert.equal(verdict([]), "");
});

Deno.test("sections() and ablationFigure() show what there is", () => {
  const text = sections(results);
  assert.match(
    text,
    /^80 px; .*Fashion-MNIST 500 \/ 200 \/ 1000; .*16 of the \d+ runs of the queue are done\.\n/,
  );
  assert.match(text, /### Fashion-MNIST, tf_efficientnet_lite0 from ImageNet weights\n/);
  assert.doesNotMatch(text, /mobilenetv3_small_100 from/);
  assert.equal(
    replaceSection("<!-- ablation: begin --><!-- ablation: end -->", "ablation", text).includes(text),
    true,
  );
  assert.match(text, /figures\/ablation\.svg/);
  const search = { network: "small", data: "fashion", configuration: "adaptive", learningRate: 0.1 } as const;
  const searched = sections([result({ ...search, seed: searchSeed }, 0.7)]);
  assert.match(searched, /\| `mobilenetv3_small_100` \| adaptive \| 0\.1: 70\.0 % \|$/);
  assert.doesNotMatch(searched, /svg/);
  const [dots, means] = ablationFigure(results).data as { x: number[]; y: string[] }[];
  assert.equal(dots!.x.length, 16);
  assert.deepEqual(means!.y, ["baseline", "no SAM", "adaptive", "no AugMix", "no EMA", "no rotation"]);
});
