import assert from "node:assert/strict";
import { createEvaluation, type Evaluation } from "../../lib/metrics/evaluation.ts";
import { writeMetricsYaml } from "../../lib/metrics/metrics_yaml.ts";

const ORACLES = new URL("../oracles/metrics/", import.meta.url);
const WANTED = Deno.readTextFileSync(new URL("metrics_yaml.yaml", ORACLES));
const NAMES: { name: string; files: string }[] = JSON.parse(
  Deno.readTextFileSync(new URL("metrics_yaml_names.json", ORACLES)),
);

/** Class 0: 2 of 3 right, class 1: 1 of 1, class 2: 0 of 1. */
const evaluation: Evaluation = createEvaluation({
  logits: [[3, 0, 0], [3, 0, 0], [0, 3, 0], [0, 3, 0], [3, 0, 0]],
  labels: [0, 0, 0, 1, 2],
  classNames: ["ant", "bee", "cat"],
  complexity: { gflops: 0.430871, megaParams: 4.332692 },
});

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Saves the evaluation of a snapshot of that name and reads the file back, with `folder` for the real folder. */
async function saved(folder: string, name: string): Promise<string> {
  await Deno.writeTextFile(`${folder}/${name}`, "weights\n");
  await writeMetricsYaml(`${folder}/metrics.yaml`, evaluation, { snapshotPath: `${folder}/${name}` });
  return (await Deno.readTextFile(`${folder}/metrics.yaml`)).replaceAll(`${folder}/`, "folder/");
}

Deno.test("writeMetricsYaml() writes what PyYAML's dump writes, other top-level keys kept and sorted", () =>
  inFolder(async (folder) => {
    // An existing file with keys in another order, and old entries that have to go.
    await Deno.writeTextFile(
      `${folder}/metrics.yaml`,
      "threshold: 75.0\nname: mobilenet-v3-large-1\nmetrics:\n- old\ndomain: Image classification\n" +
        "dependencies:\n- size: 22127335\n  source: snapshot.pth\nfiles: []\n",
    );
    assert.equal(await saved(folder, "main_model.pth"), WANTED);
    assert.equal(await saved(folder, "main_model.pth"), WANTED, "saving again changes nothing");
    assert.deepEqual([...Deno.readDirSync(folder)].map((entry) => entry.name).sort(), [
      "main_model.pth",
      "metrics.yaml",
    ]);
  }));

Deno.test("writeMetricsYaml() quotes and escapes names as PyYAML does", () =>
  inFolder(async (folder) => {
    for (const { name, files } of NAMES) {
      const text = await saved(folder, name);
      assert.equal(text.slice(0, text.indexOf("metrics:\n")), files);
    }
  }));

Deno.test("writeMetricsYaml() keeps the comments and the layout of other keys", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/metrics.yaml`, "zone: {a: 1.50} # of the lab\n# who\nauthor: Ünal\n");
    const text = await saved(folder, "a.pth");
    assert.match(text, /^# who\nauthor: "\\xDCnal"\nfiles:\n/);
    assert.match(text, /\nzone: *\{ ?a: 1\.50 ?\} # of the lab\n$/);
  }));

Deno.test("writeMetricsYaml() rounds as Python does", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/a.pth`, "");
    const values = async (changed: Partial<Evaluation>) => {
      await writeMetricsYaml(`${folder}/metrics.yaml`, { ...evaluation, ...changed }, {
        snapshotPath: `${folder}/a.pth`,
      });
      return [...(await Deno.readTextFile(`${folder}/metrics.yaml`)).matchAll(/value: (.*)/g)].map((match) =>
        match[1]
      );
    };
    // python: round(.0625, 3), round(.1875, 3), "{:.2%}".format(.92125), "{:.2%}".format(1 / 3)
    assert.deepEqual(
      await values({
        complexity: { gflops: 0.1875, megaParams: 0.0625 },
        meanTop1: 0.92125,
        meanTop5: 1 / 3,
      }),
      ["0.062", "0.188", "92.12", "33.33"],
    );
    assert.deepEqual(await values({ complexity: undefined, meanTop1: 0, meanTop5: 1 }), ["0.0", "100.0"]);
  }));

Deno.test("writeMetricsYaml() follows a symbolic link to the snapshot once", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/epoch-3.pth`, "weights\n");
    await Deno.symlink("epoch-3.pth", `${folder}/best.pth`);
    await Deno.symlink("best.pth", `${folder}/latest.pth`);
    const source = async (link: string) => {
      await writeMetricsYaml(`${folder}/metrics.yaml`, evaluation, { snapshotPath: `${folder}/${link}` });
      return /source: .*\/(.*)/.exec(await Deno.readTextFile(`${folder}/metrics.yaml`))![1];
    };
    assert.equal(await source("best.pth"), "epoch-3.pth");
    assert.equal(await source("latest.pth"), "best.pth");
  }));

Deno.test("writeMetricsYaml() makes the folder, and takes an empty file for a new one", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/a.pth`, "");
    await writeMetricsYaml(`${folder}/x/y/metrics.yaml`, evaluation, { snapshotPath: `${folder}/a.pth` });
    const first = await Deno.readTextFile(`${folder}/x/y/metrics.yaml`);
    await Deno.writeTextFile(`${folder}/x/y/metrics.yaml`, "");
    await writeMetricsYaml(`${folder}/x/y/metrics.yaml`, evaluation, { snapshotPath: `${folder}/a.pth` });
    assert.equal(await Deno.readTextFile(`${folder}/x/y/metrics.yaml`), first);
  }));

Deno.test("writeMetricsYaml() leaves a file alone that is no YAML mapping", () =>
  inFolder(async (folder) => {
    const path = `${folder}/metrics.yaml`;
    await Deno.writeTextFile(`${folder}/a.pth`, "");
    const write = () => writeMetricsYaml(path, evaluation, { snapshotPath: `${folder}/a.pth` });
    await Deno.writeTextFile(path, "- 1\n- 2\n");
    await assert.rejects(write, {
      name: "SyntaxError",
      message:
        `Cannot save metrics to "${path}": the file that is there holds no mapping of keys to values\n` +
        "  help: move that file away, or save the metrics under another name",
    });
    assert.equal(await Deno.readTextFile(path), "- 1\n- 2\n");
    await Deno.writeTextFile(path, "a: [1\nb: 2\n");
    await assert.rejects(write, (error: Error) => {
      assert.equal(error.name, "SyntaxError");
      assert.match(error.message, /the file that is there is not YAML\n {2}.* at line 2, column 1/);
      assert.match(error.message, /\n {2}help: move that file away/);
      return true;
    });
  }));

Deno.test("writeMetricsYaml() says which snapshot cannot be read and which file not written", () =>
  inFolder(async (folder) => {
    await assert.rejects(
      writeMetricsYaml(`${folder}/metrics.yaml`, evaluation, { snapshotPath: `${folder}/none.pth` }),
      (error: Error) => {
        assert.ok(error.message.startsWith(
          `Cannot save metrics to "${folder}/metrics.yaml": the snapshot "${folder}/none.pth" cannot be read: No such file`,
        ));
        assert.ok(
          error.message.endsWith(
            "\n  help: pass { snapshotPath } with the file of the weights that were evaluated",
          ),
        );
        return true;
      },
    );
    await Deno.writeTextFile(`${folder}/a.pth`, "");
    await assert.rejects(
      writeMetricsYaml(`${folder}/a.pth/metrics.yaml`, evaluation, { snapshotPath: `${folder}/a.pth` }),
      {
        message: `Cannot write "${folder}/a.pth/metrics.yaml": a file stands where its folder should be\n` +
          "  help: choose another path",
      },
    );
  }));
