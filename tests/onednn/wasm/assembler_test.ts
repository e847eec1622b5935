import assert from "node:assert/strict";
import {
  assembleModule,
  decrease,
  doWhile,
  f32,
  f32x4,
  get,
  i32,
  Locals,
  set,
  v128,
  whileDo,
} from "../../../lib/onednn/wasm/assembler.ts";

const limits = { initialPages: 1, maximumPages: 300 };

Deno.test("assembleModule() writes the binary format", () => {
  const locals = new Locals(["i32"]);
  const value = locals.add("i32");
  const body = [set(value, i32.const(-65)), get(value), [0x1a]];
  const bytes = assembleModule(limits, { f: locals.toFunction(body) });
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  assert.equal(
    hex,
    [
      "00 61 73 6d 01 00 00 00",
      "01 05 01 60 01 7f 00", // one type: (i32) -> ()
      "02 11 01 03 65 6e 76 06 6d 65 6d 6f 72 79 02 03 01 ac 02", // env.memory, shared, 1 to 300 pages
      "03 02 01 00",
      "07 05 01 01 66 00 00", // f
      "0a 0e 01 0c 01 01 7f 41 bf 7f 21 01 20 01 1a 0b",
    ].join(" "),
  );
  assert.ok(WebAssembly.validate(bytes));
});

Deno.test("assembleModule() makes modules whose loops and vectors run", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 300, shared: true });
  const locals = new Locals(["i32"]);
  const [sum, count] = [locals.add("v128"), locals.add("i32")];
  const body = [
    set(count, i32.load(get(0))),
    // 0 times, or 3 times the count.
    whileDo(
      get(count),
      set(sum, f32x4.multiplyAdd(f32x4.splat(f32.const(1.5)), f32x4.splat(f32.const(2)), get(sum))),
      decrease(count, i32.const(1)),
    ),
    doWhile(i32.const(0), v128.store(get(0), get(sum), 16)),
  ];
  const module = new WebAssembly.Module(assembleModule(limits, { f: locals.toFunction(body) }));
  const run = new WebAssembly.Instance(module, { env: { memory } }).exports.f as (at: number) => void;
  for (const count of [0, 1, 200]) {
    new Int32Array(memory.buffer)[8] = count;
    run(32);
    assert.deepEqual([...new Float32Array(memory.buffer, 48, 4)], Array(4).fill(3 * count));
  }
});
