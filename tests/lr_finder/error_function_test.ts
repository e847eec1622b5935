import assert from "node:assert/strict";
import { erf, erfc, normalQuantile } from "../../lib/lr_finder/_error_function.ts";
import { oracle } from "./_search_oracle.ts";

function assertRelative(found: number, wanted: number, tolerance: number, what: string): void {
  assert.ok(Math.abs(found - wanted) <= tolerance * Math.abs(wanted), `${what}: ${found}, wanted ${wanted}`);
}

Deno.test("erf() and erfc() equal SciPy's, in the tails too", () => {
  const { x, erf: wanted, erfc: complement } = oracle.errorFunction;
  assert.ok(complement.some((value) => value > 0 && value < 1e-290), "the recording has a far tail");
  for (const [index, at] of x.entries()) {
    assertRelative(erf(at), wanted[index], 1e-15, `erf(${at})`);
    assertRelative(erfc(at), complement[index], 1e-14, `erfc(${at})`);
  }
});

Deno.test("erf() and erfc() have their limits", () => {
  assert.deepEqual([erf(0), erf(Infinity), erf(-Infinity)], [0, 1, -1]);
  assert.deepEqual([erfc(0), erfc(Infinity), erfc(-Infinity)], [1, 0, 2]);
  assert.ok(Number.isNaN(erf(NaN)) && Number.isNaN(erfc(NaN)));
});

Deno.test("normalQuantile() equals SciPy's ndtri, with the sign of the upper tail", () => {
  for (const [share, wanted] of oracle.errorFunction.quantiles) {
    assert.ok(Math.abs(normalQuantile(share) - wanted) < 1e-13 * Math.max(1, Math.abs(wanted)), `${share}`);
  }
});
