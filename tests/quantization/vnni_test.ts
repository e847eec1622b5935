import assert from "node:assert/strict";
import { saturationReason, vnniWarning } from "../../lib/quantization/vnni.ts";

Deno.test("vnniWarning() warns where products of 8 bits saturate", () => {
  assert.match(vnniWarning(new Set(["sse4_2", "avx2", "fma"]))!, /^This processor has no VNNI: /);
  assert.match(vnniWarning(new Set(["avx512f", "avx512bw"]))!, /^This processor has no VNNI: /);
  for (const flag of ["avx512_vnni", "avx_vnni", "avx_vnni_int8"]) {
    assert.equal(vnniWarning(new Set(["avx2", flag])), undefined);
  }
});

Deno.test("saturationReason() is about 8 bits without VNNI, and nothing else", () => {
  const eight = { weightBits: 8, floatLayers: [] } as const, without = new Set(["avx2"]);
  assert.equal(
    saturationReason(eight, without),
    "the likely reason: its weights have 8 bits and this processor has no VNNI, so that sums of products saturate",
  );
  assert.equal(saturationReason(eight, new Set(["avx_vnni"])), undefined);
  assert.equal(saturationReason({ ...eight, weightBits: 7 }, without), undefined);
  assert.equal(saturationReason(undefined, without), undefined);
});
