import assert from "node:assert/strict";
import { vnniWarning } from "../../lib/quantization/vnni.ts";

Deno.test("vnniWarning() warns where products of 8 bits saturate", () => {
  assert.match(vnniWarning(new Set(["sse4_2", "avx2", "fma"]))!, /^This processor has no VNNI: /);
  assert.match(vnniWarning(new Set(["avx512f", "avx512bw"]))!, /^This processor has no VNNI: /);
  for (const flag of ["avx512_vnni", "avx_vnni", "avx_vnni_int8"]) {
    assert.equal(vnniWarning(new Set(["avx2", flag])), undefined);
  }
});
