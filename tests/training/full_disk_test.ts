import assert from "node:assert/strict";
import { join } from "node:path";
import { readSafetensors } from "../../lib/models/weights/safetensors.ts";
import { loadResume } from "../../lib/training/checkpoint.ts";
import { trainSmall } from "./_killed_run.ts";
import { readRunFolder } from "./_run_folder.ts";
import { failure, freshFolder } from "./_runs.ts";

Deno.test({
  name:
    "train() on a disk that fills up keeps the last whole state, and goes on from it as if nothing had been",
  // Only root can mount a small disk.
  ignore: Deno.build.os !== "linux" || Deno.uid() !== 0,
  async fn() {
    const disk = freshFolder(), outputDir = join(disk, "run");
    await Deno.mkdir(disk, { recursive: true });
    // Room for the first state (12 MB) and the first best weights (6 MB), not for a second state (18 MB) beside them.
    await run("mount", "-t", "tmpfs", "-o", "size=26m", "tmpfs", disk);
    try {
      const options = { checkpointSeconds: 1000 };
      const { message } = await failure(trainSmall({ ...options, outputDir }));
      assert.equal(
        message,
        `Cannot write "${join(outputDir, "resume.safetensors")}": no space is left on the device\n` +
          "  help: free some space, or choose a path on another disk",
      );
      const left = Array.from(Deno.readDirSync(outputDir), ({ name }) => name).sort();
      assert.deepEqual(left, [
        "best.safetensors",
        "events.jsonl",
        "history.csv",
        "resume.safetensors",
        "tensorboard",
      ]);
      assert.deepEqual((await loadResume(outputDir)).state.history, []);
      assert.ok((await readSafetensors(join(outputDir, "best.safetensors"))).metadata);

      await run("mount", "-o", "remount,size=200m", disk);
      await trainSmall({ ...options, resumeFrom: outputDir });
      const whole = freshFolder();
      await trainSmall({ ...options, outputDir: whole });
      assert.deepEqual(await readRunFolder(outputDir), await readRunFolder(whole));
    } finally {
      await run("umount", disk);
    }
  },
});

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, stderr: "piped" }).output();
  assert.equal(success, true, new TextDecoder().decode(stderr));
}
