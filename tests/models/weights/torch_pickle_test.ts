import assert from "node:assert/strict";
import { fromTorchBytes, readTorchFile } from "../../../lib/models/weights/torch_pickle.ts";
import type { HostTensor } from "../../../lib/graph/host_tensor.ts";
import { expected, oracle, toHostTensor } from "./_oracle.ts";

const tensors = Object.fromEntries(
  Object.entries(expected.tensors).map(([name, tensor]) => [name, toHostTensor(tensor)]),
);

for (const file of ["tensors_zip.pth", "tensors_legacy.pth", "tensors_protocol4.pth"]) {
  Deno.test(`readTorchFile() reads every dtype, stride and shared storage of ${file}`, async () => {
    const found = await readTorchFile(oracle(file));
    assert.deepEqual(Object.keys(found), Object.keys(tensors));
    for (const [name, tensor] of Object.entries(tensors)) assert.deepEqual(found[name], tensor, name);
  });
}

Deno.test("readTorchFile() gives each tensor its own numbers, shared storages too", async () => {
  const { shared_whole: whole, shared_part: part } = await readTorchFile(oracle("tensors_zip.pth"));
  (part.data as Float32Array).fill(-1);
  assert.deepEqual(whole.data, tensors.shared_whole.data);
});

Deno.test("readTorchFile() finds the weights of a trainer's checkpoint, without prefix and optimizer", async () => {
  const found = await readTorchFile(oracle("checkpoint.pth"));
  assert.deepEqual(found, hostTensors(expected.checkpoint));
});

Deno.test("readTorchFile() prefers averaged weights, as timm does", async () => {
  const found = await readTorchFile(oracle("checkpoint_ema.pth"));
  const { data } = toHostTensor(expected.checkpoint["0.weight"]);
  assert.deepEqual(found["0.weight"].data, Float32Array.from(data as Float32Array, (x) => x + 1));
});

Deno.test("readTorchFile() reads a compressed archive", async () => {
  const found = await readTorchFile(oracle("deflated.pth"));
  assert.deepEqual(found, {
    w: { dtype: "float32", shape: [8], data: Float32Array.from([0, 1, 2, 3, 4, 5, 6, 7]) },
  });
});

const onlyWeights = `only weights are read; save them with torch.save(model.state_dict(), "weights.pth")`;
const damaged = "the file is damaged or of another format; get it again, or save it as safetensors";
const notData = "which is neither a tensor nor plain data";
const refused: [file: string, cause: string, help: string][] = [
  ["evil_system.pth", `it wants "posix.system", ${notData}`, onlyWeights],
  ["evil_legacy.pth", `it wants "posix.system", ${notData}`, onlyWeights],
  ["evil_eval.pth", `it wants "builtins.eval", ${notData}`, onlyWeights],
  ["whole_network.pth", `it wants "torch.nn.modules.container.Sequential", ${notData}`, onlyWeights],
  ["torchscript.pt", "it is a TorchScript program, a state dict was wanted", onlyWeights],
  ["one_tensor.pth", "it holds no state dict: found one tensor", damaged],
  ["no_tensors.pth", `it holds no state dict: found a dict of "epoch", "lr"`, damaged],
  ["huge.pth", `tensor "huge" of shape [4398046511104] is larger than the file`, damaged],
  ["short_storage.pth", `storage "0" wants 32 bytes, found 16 bytes`, damaged],
  ["out_of_bounds.pth", "a tensor of shape [9] reads number 8 of a storage of 8", damaged],
];
for (const [file, cause, help] of refused) {
  Deno.test(`readTorchFile() refuses ${file}`, async () => {
    const path = oracle(file);
    const message = `Cannot read weights "${path}": ${cause}\n  help: ${help}`;
    await assert.rejects(readTorchFile(path), { name: "SyntaxError", message });
  });
}

for (const file of ["tensors_zip.pth", "tensors_legacy.pth"]) {
  Deno.test(`fromTorchBytes() refuses ${file} cut off anywhere`, () => {
    const bytes = Deno.readFileSync(oracle(file));
    for (let length = 0; length < bytes.length; length += 7) {
      assert.throws(
        () => fromTorchBytes(bytes.subarray(0, length)),
        { name: "SyntaxError" },
        `${length} bytes`,
      );
    }
  });

  Deno.test(`fromTorchBytes() reads or refuses ${file} with any byte changed, and does nothing else`, () => {
    const bytes = Deno.readFileSync(oracle(file));
    for (let at = 0; at < bytes.length; at += 11) {
      for (const value of [0x00, 0x2e, 0x52, 0xff]) {
        const changed = bytes.slice();
        changed[at] = value;
        try {
          fromTorchBytes(changed);
        } catch (error) {
          assert.equal(
            (error as Error).name,
            "SyntaxError",
            `byte ${at} = ${value}: ${(error as Error).stack}`,
          );
        }
      }
    }
  });
}

Deno.test("fromTorchBytes() names the file's damage", () => {
  const bytes = Deno.readFileSync(oracle("good.pth"));
  const start = findNumbers(bytes);
  const flipped = bytes.slice();
  flipped[start] ^= 1;
  const messages = [
    [flipped, `zip entry "good/data/0" fails its checksum`],
    [bytes.subarray(0, bytes.length - 8), "the zip directory at its end is missing: the file is cut off"],
    [new TextEncoder().encode("<html>"), "it is neither a zip nor a pickle that torch.save wrote"],
  ] as const;
  for (const [content, cause] of messages) {
    assert.throws(() => fromTorchBytes(content, "w.pth"), {
      name: "SyntaxError",
      message: `Cannot read weights "w.pth": ${cause}\n  help: ${damaged}`,
    });
  }
});

function hostTensors(stored: typeof expected.checkpoint): Record<string, HostTensor> {
  return Object.fromEntries(Object.entries(stored).map(([name, tensor]) => [name, toHostTensor(tensor)]));
}

/** Where the storage 0, 1, 2, ... 7 lies. */
function findNumbers(bytes: Uint8Array): number {
  const numbers = new Uint8Array(Float32Array.from([0, 1, 2]).buffer);
  for (let at = 0; at < bytes.length; at++) if (numbers.every((byte, i) => bytes[at + i] === byte)) return at;
  throw new Error("The oracle file has no numbers");
}
