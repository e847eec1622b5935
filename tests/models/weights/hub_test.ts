import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { downloadFromHub, type HubOptions } from "../../../lib/models/weights/hub.ts";
import { loadWeights } from "../../../lib/models/weights/load_weights.ts";
import { toSafetensors } from "../../../lib/models/weights/safetensors.ts";
import type { ProvisionEvent } from "../../../lib/provision/events.ts";
import { commit, type HubServer, type HubServerOptions, startHub } from "./_hub_server.ts";

const repository = "timm/net";
const file = "model.safetensors";
const content = new Uint8Array(300_000).map((_, i) => (i * i) % 251);
const sha256 = createHash("sha256").update(content).digest("hex");

/** Runs a test with its own server, cache and environment. */
function testHub(
  name: string,
  options: Partial<HubServerOptions>,
  work: (hub: HubServer, load: (options?: HubOptions) => Promise<string>, cache: string) => Promise<void>,
): void {
  Deno.test(name, async () => {
    const cache = await Deno.makeTempDir();
    await using hub = startHub({ files: { [file]: content }, ...options });
    const base = { endpoint: hub.endpoint, cacheDir: cache, retryDelaySeconds: 0.01 };
    try {
      await withEnvironment({ HF_HOME: `${cache}/home` }, async () => {
        await work(hub, (more) => downloadFromHub(repository, file, { ...base, ...more }), cache);
      });
    } finally {
      await Deno.remove(cache, { recursive: true });
    }
  });
}

testHub(
  "downloadFromHub() downloads once, into the layout of Python's client",
  {},
  async (hub, load, cache) => {
    const events: ProvisionEvent[] = [];
    const path = await load({ onProgress: (event) => events.push(event) });
    assert.equal(path, `${cache}/models--timm--net/snapshots/${commit}/${file}`);
    assert.deepEqual(await Deno.readFile(path), content);
    assert.equal(await Deno.readLink(path), `../../blobs/${sha256}`);
    assert.equal(await Deno.readTextFile(`${cache}/models--timm--net/refs/main`), commit);
    assert.deepEqual(await namesIn(`${cache}/models--timm--net/blobs`), [sha256]);
    assert.deepEqual(events.at(-1), {
      type: "download",
      what: `${repository} ${file}`,
      doneBytes: content.length,
      totalBytes: content.length,
    });
    const lines = ["HEAD", "GET"].map((method) => `hub ${method} /timm/net/resolve/main/${file}`);
    assert.deepEqual(hub.requests.map(({ line }) => line), [...lines, `store GET /${file}`]);
    assert.equal(await load(), path);
    assert.equal(hub.requests.length, 3);
  },
);

testHub(
  "downloadFromHub() reads what Python's client left, without network",
  {},
  async (hub, load, cache) => {
    const folder = `${cache}/models--timm--net`;
    await Deno.mkdir(`${folder}/snapshots/${commit}`, { recursive: true });
    await Deno.mkdir(`${folder}/blobs`);
    await Deno.mkdir(`${folder}/refs`);
    await Deno.writeFile(`${folder}/blobs/${sha256}`, content);
    await Deno.symlink(`../../blobs/${sha256}`, `${folder}/snapshots/${commit}/${file}`);
    await Deno.writeTextFile(`${folder}/refs/main`, commit);
    await withEnvironment({ HF_HUB_OFFLINE: "1" }, async () => {
      assert.equal(await load(), `${folder}/snapshots/${commit}/${file}`);
      assert.equal(await load({ revision: commit }), `${folder}/snapshots/${commit}/${file}`);
    });
    assert.deepEqual(hub.requests, []);
  },
);

testHub("downloadFromHub() replaces a cached file that was damaged", {}, async (_hub, load) => {
  const path = await load();
  await Deno.truncate(await Deno.realPath(path), 1000);
  assert.deepEqual(await Deno.readFile(await load()), content);
});

testHub(
  "downloadFromHub() resumes a cut-off download where it stopped",
  { cutAfter: [100_000, 50_000] },
  async (hub, load, cache) => {
    const events: ProvisionEvent[] = [];
    assert.deepEqual(await Deno.readFile(await load({ onProgress: (event) => events.push(event) })), content);
    const ranges = hub.requests.filter(({ line }) => line.startsWith("store GET")).map(({ range }) => range);
    assert.deepEqual(ranges, [null, "bytes=100000-", "bytes=150000-"]);
    assert.equal(events.filter(({ type }) => type === "warning").length, 2);
    assert.deepEqual(await namesIn(`${cache}/models--timm--net/blobs`), [sha256]);
  },
);

testHub("downloadFromHub() resumes in a later call", { cutAfter: [100_000] }, async (hub, load) => {
  await assert.rejects(load({ attempts: 1 }), (error: Error) => {
    const [summary, kept, help] = error.message.split("\n");
    assert.match(
      summary,
      /^Cannot download "model.safetensors" of timm\/net: no network for weights: .* \(127/,
    );
    assert.equal(kept, "  100000 of 300000 bytes came and are kept");
    assert.equal(help, `  help: check the network, or ${byHand(hub)}`);
    return true;
  });
  assert.deepEqual(await Deno.readFile(await load()), content);
  assert.equal(hub.requests.at(-1)?.range, "bytes=100000-");
});

testHub(
  "downloadFromHub() starts over where ranges are not served",
  { cutAfter: [100_000], ignoresRanges: true },
  async (_hub, load) => assert.deepEqual(await Deno.readFile(await load()), content),
);

testHub("downloadFromHub() starts over when too much is there", {}, async (_hub, load, cache) => {
  await Deno.mkdir(`${cache}/models--timm--net/blobs`, { recursive: true });
  await Deno.writeFile(`${cache}/models--timm--net/blobs/${sha256}.incomplete`, new Uint8Array(400_000));
  assert.deepEqual(await Deno.readFile(await load()), content);
});

testHub("downloadFromHub() stops at the signal and keeps what came", {}, async (_hub, load, cache) => {
  const stop = new AbortController();
  const reason = new Error("stopped by hand");
  const onProgress = () => stop.abort(reason);
  await assert.rejects(load({ signal: stop.signal, onProgress }), reason);
  const [name] = await namesIn(`${cache}/models--timm--net/blobs`);
  assert.equal(name, `${sha256}.incomplete`);
  assert.deepEqual(await Deno.readFile(await load()), content);
});

testHub("downloadFromHub() downloads once when two callers want the same", {}, async (hub, load) => {
  const paths = await Promise.all([load(), load()]);
  assert.equal(paths[0], paths[1]);
  assert.equal(hub.requests.filter(({ line }) => line.startsWith("store GET")).length, 1);
});

testHub("downloadFromHub() shows its token to the hub alone", {}, async (hub, load) => {
  await withEnvironment({ HF_TOKEN: "hf_secret" }, async () => void await load());
  const tokens = hub.requests.map(({ line, token }) => [line.split(" ")[0], token]);
  assert.deepEqual(tokens, [["hub", "Bearer hf_secret"], ["hub", "Bearer hf_secret"], ["store", null]]);
});

testHub(
  "downloadFromHub() reads endpoint, token and cache from the environment",
  {},
  async (hub, _load, cache) => {
    await Deno.mkdir(`${cache}/home`);
    await Deno.writeTextFile(`${cache}/home/token`, "hf_file\n");
    await withEnvironment({ HF_ENDPOINT: `${hub.endpoint}/` }, async () => {
      const path = await downloadFromHub(repository, file);
      assert.equal(path, `${cache}/home/hub/models--timm--net/snapshots/${commit}/${file}`);
      assert.equal(hub.requests[0].token, "Bearer hf_file");
    });
  },
);

testHub(
  "downloadFromHub() checks small files by Git's hash",
  { files: { [file]: new TextEncoder().encode("{}") }, small: [file] },
  async (_hub, load) => assert.equal(await Deno.readTextFile(await load()), "{}"),
);

const other = content.slice();
other[7] ^= 1;
testHub(
  "downloadFromHub() keeps nothing of other bytes than announced",
  { sent: other },
  async (hub, load, cache) => {
    const found = createHash("sha256").update(other).digest("hex");
    await assert.rejects(load(), {
      message:
        `Cannot download "${file}" of ${repository}: the download is damaged: SHA-256 ${sha256} was announced, ` +
        `found ${found}\n  help: run this again; nothing was kept. Or ${byHand(hub)}`,
    });
    assert.deepEqual(await namesIn(`${cache}/models--timm--net/blobs`), []);
    assert.deepEqual(await namesIn(`${cache}/models--timm--net`), ["blobs"]);
  },
);

testHub(
  "downloadFromHub() refuses more bytes than announced",
  { sent: new Uint8Array(400_000) },
  async (hub, load) => {
    await assert.rejects(load({ attempts: 1 }), (error: Error) => {
      assert.ok(
        error.message.startsWith(
          `Cannot download "${file}" of ${repository}: ${hostOf(hub)} does not answer as a hub does: ` +
            `300000 bytes were announced, found more\n`,
        ),
        error.message,
      );
      return true;
    });
  },
);

const answers: [
  what: string,
  answer: () => Response,
  cause: (host: string) => string,
  help: (hub: HubServer) => string,
][] = [
  [
    "no access",
    () => new Response("", { status: 401 }),
    (host) => `${host} refuses access (HTTP 401), and no access token was found`,
    () => "check the id; for a private or gated repository set HF_TOKEN to a token that may read it",
  ],
  [
    "no file",
    () => new Response("", { status: 404, headers: { "x-error-code": "EntryNotFound" } }),
    (host) => `the repository has no such file (HTTP 404 from ${host})`,
    () => "check the id and the file's name",
  ],
  [
    "no revision",
    () => new Response("", { status: 404, headers: { "x-error-code": "RevisionNotFound" } }),
    (host) => `the repository has no such revision (HTTP 404 from ${host})`,
    () => "check the id and the file's name",
  ],
  [
    "no repository",
    () => new Response("", { status: 404 }),
    (host) => `there is no such repository or file (HTTP 404 from ${host})`,
    () => "check the id and the file's name",
  ],
  [
    "a busy hub",
    () => new Response("", { status: 503 }),
    (host) => `${host} answers HTTP 503`,
    (hub) => `try again later, or ${byHand(hub)}`,
  ],
  [
    "another web server",
    () => new Response("<html>", { headers: { etag: '"../../evil"' } }),
    (host) => `${host} does not answer as a hub does: the answer has ETag "../../evil" and commit ""`,
    byHand,
  ],
];
for (const [what, answer, cause, help] of answers) {
  testHub(`downloadFromHub() explains ${what}`, { answer }, async (hub, load) => {
    await assert.rejects(load(), {
      name: "Error",
      message: `Cannot download "${file}" of ${repository}: ${cause(hostOf(hub))}\n  help: ${help(hub)}`,
    });
  });
}

testHub("downloadFromHub() explains a refused token without showing it", {
  answer: () => new Response("", { status: 403 }),
}, async (_hub, load) => {
  await withEnvironment({ HF_TOKEN: "hf_secret" }, () =>
    assert.rejects(load(), (error: Error) => {
      assert.match(
        error.message,
        /refuses access \(HTTP 403\), and the access token in use has no right to it/,
      );
      assert.ok(!error.message.includes("hf_secret"));
      return true;
    }));
});

testHub("downloadFromHub() explains a missing network", {}, async (hub, load) => {
  await hub[Symbol.asyncDispose]();
  await assert.rejects(load(), (error: Error) => {
    const [summary, help] = error.message.split("\n");
    assert.match(
      summary,
      /^Cannot download "model.safetensors" of timm\/net: no network for weights: .*refused/i,
    );
    assert.equal(help, `  help: check the network, or ${byHand(hub)}`);
    return true;
  });
});

testHub("downloadFromHub() stays offline where that is asked for", {}, async (hub, load, cache) => {
  await withEnvironment({ HF_HUB_OFFLINE: "1" }, () =>
    assert.rejects(load(), {
      message: `Cannot download "${file}" of ${repository}: HF_HUB_OFFLINE is set, and the file is not in ` +
        `"${cache}/models--timm--net"\n  help: ${byHand(hub)}`,
    }));
  assert.deepEqual(hub.requests, []);
});

const stem = {
  "conv_stem.weight": { dtype: "float32", shape: [1, 1, 1, 1], data: new Float32Array([2]) },
} as const;
testHub(
  "loadWeights() loads from the hub",
  { files: { [file]: toSafetensors(stem) } },
  async (hub, _load, cache) => {
    await withEnvironment({ HF_ENDPOINT: hub.endpoint }, async () => {
      const { tensors, path } = await loadWeights({ kind: "hub", repository, file }, "efficientnet_b0");
      assert.deepEqual(tensors, stem);
      assert.ok(path.startsWith(cache));
    });
  },
);

Deno.test("downloadFromHub() refuses names that would leave the cache", async () => {
  const help = `\n  help: write e.g. downloadFromHub("timm/efficientnet_b0.ra_in1k", "model.safetensors")`;
  const refused: [string, string, string | undefined, string][] = [
    ["../evil", file, undefined, `the repository is "../evil", "owner/name" was wanted`],
    ["a/b/c", file, undefined, `the repository is "a/b/c", "owner/name" was wanted`],
    ["a/b", "../x", undefined, `the file is "../x", a plain relative path was wanted`],
    ["a/b", "/etc/passwd", undefined, `the file is "/etc/passwd", a plain relative path was wanted`],
    ["a/b", "x\\y", undefined, `the file is "x\\y", a plain relative path was wanted`],
    ["a/b", "x", "../../main", `the revision is "../../main", a branch, tag or commit was wanted`],
  ];
  for (const [repo, name, revision, cause] of refused) {
    await assert.rejects(downloadFromHub(repo, name, { revision }), {
      name: "TypeError",
      message: `Cannot download from the hub: ${cause}${help}`,
    });
  }
});

function byHand(hub: HubServer): string {
  return `get ${hub.endpoint}/${repository}/resolve/main/${file} by hand and pass { weights: "path/to/${file}" }`;
}

function hostOf(hub: HubServer): string {
  return new URL(hub.endpoint).host;
}

async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) names.push(name);
  return names.sort();
}

const variables = ["HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"];
const switches = ["HF_TOKEN_PATH", "HF_ENDPOINT", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"];

/** Runs `work` with these hub variables and no others. Variables set by an outer call stay. */
async function withEnvironment(values: Record<string, string>, work: () => Promise<void>): Promise<void> {
  const names = "HF_HOME" in values ? [...variables, ...switches] : Object.keys(values);
  const before = names.map((name) => [name, Deno.env.get(name)] as const);
  for (const name of names) Deno.env.delete(name);
  for (const [name, value] of Object.entries(values)) Deno.env.set(name, value);
  try {
    await work();
  } finally {
    for (const [name, value] of before) {
      value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
    }
  }
}
