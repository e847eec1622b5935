import assert from "node:assert/strict";
import { onednnUnavailable } from "../../lib/onednn/availability.ts";
import { findOneDNN, type NativeOneDNN, openOneDNN } from "../../lib/onednn/library.ts";
import { createEngine, Primitives } from "../../lib/onednn/primitives.ts";

const picture = {
  images: 2,
  height: 9,
  width: 7,
  inChannels: 8,
  outHeight: 5,
  outWidth: 4,
  outChannels: 8,
  kernelHeight: 3,
  kernelWidth: 3,
  strideHeight: 2,
  strideWidth: 2,
  padding: [1, 1, 1, 1] as [number, number, number, number],
};

Deno.test({
  name: "dispose() frees every handle that oneDNN gave",
  ignore: onednnUnavailable() !== undefined,
  fn: async () => {
    const { native } = await openOneDNN((await findOneDNN()).path);
    const counts = new Map<string, number>();
    /** The library, and how many objects of each kind there are. */
    const counting = new Proxy(native, {
      get(target, name: keyof NativeOneDNN) {
        const call = target[name] as (...args: unknown[]) => unknown;
        // dnnl_memory_desc_create_with_tag, dnnl_eltwise_forward_primitive_desc_create, dnnl_primitive_destroy ...
        const [, kind, action] =
          /(memory_desc|primitive_desc|primitive_attr|post_ops|primitive|memory)_(create|clone|destroy)/.exec(
            name,
          ) ?? [];
        if (kind === undefined) return call;
        return (...args: unknown[]) => {
          counts.set(kind, (counts.get(kind) ?? 0) + (action === "destroy" ? -1 : 1));
          return call(...args);
        };
      },
    });
    const engine = createEngine(counting);
    const primitives = new Primitives(engine, "float32");
    const memory = new Float32Array(65536);
    const at = BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(memory)));
    for (const depthwise of [false, true]) {
      for (const pass of ["forward", "input-gradient", "filter-gradient"] as const) {
        primitives.convolution(pass, { ...picture, depthwise })
          .bind(at, at + 65536n, at + 131072n, true)();
      }
    }
    primitives.sigmoid(100).bind(at, at + 65536n)();
    primitives.product({
      rows: 3,
      inner: 4,
      columns: 5,
      transposeLeft: false,
      transposeRight: true,
      add: true,
    })
      .bind(at, at + 65536n, at + 131072n)();
    const made = Object.fromEntries(counts);
    for (const kind of ["memory_desc", "memory", "primitive_desc", "primitive"]) assert.ok(made[kind]! > 0);
    primitives.dispose();
    assert.deepEqual(
      Object.fromEntries(counts),
      Object.fromEntries(Object.keys(made).map((kind) => [kind, 0])),
    );
  },
});
