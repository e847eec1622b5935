import assert from "node:assert/strict";
import { join } from "node:path";
import { evaluate } from "../../lib/evaluate.ts";
import { openIR } from "../../lib/runtimes/openvino.ts";
import { tempFolder, withEnvironment } from "../provision/_fake_index.ts";
import { shapeSplits } from "../training/_shapes.ts";
import { exportSmall, smallModel } from "./_exported_files.ts";

// In this file OpenVINO is not open before the tests open it, each with a cache in which nothing of it is.

Deno.test("evaluate() stops while the runtime of an exported file is fetched", async () => {
  await using folder = await tempFolder();
  const { xml, bin } = exportSmall(await smallModel());
  await Deno.writeTextFile(join(folder.path, "model.xml"), xml);
  await Deno.writeFile(join(folder.path, "model.bin"), bin);
  const { validation } = shapeSplits({ validation: 3 });
  const signal = AbortSignal.abort(new Error("enough"));
  const environment = { WHITTLE_OPENVINO: undefined, WHITTLE_CACHE: join(folder.path, "cache") };
  await withEnvironment(environment, async () => {
    await assert.rejects(evaluate(join(folder.path, "model.xml"), validation, { signal }), {
      message: "enough",
    });
  });
  const left = [...Deno.readDirSync(environment.WHITTLE_CACHE)].filter(({ isDirectory }) => isDirectory);
  assert.deepEqual(left, [], "nothing was unpacked");
});

Deno.test("openIR() opens OpenVINO where another call that did was stopped", async () => {
  await using folder = await tempFolder();
  const files = exportSmall(await smallModel());
  const signal = AbortSignal.abort(new Error("enough"));
  const environment = { WHITTLE_OPENVINO: undefined, WHITTLE_CACHE: join(folder.path, "cache") };
  const [stopped, other] = await withEnvironment(environment, () => {
    const calls = [openIR(files, "the model", { signal }), openIR(files, "the model")] as const;
    calls.forEach((call) => call.catch(() => {})); // they are awaited below
    return Promise.resolve(calls);
  });
  await assert.rejects(stopped, { message: "enough" });
  const model = await other;
  assert.match(model.runtime, /^OpenVINO /);
  await model.dispose();
});
