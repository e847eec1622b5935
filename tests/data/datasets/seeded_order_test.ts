import assert from "node:assert/strict";
import { seededOrder } from "../../../lib/data/datasets/_seeded_order.ts";

const names = Array.from({ length: 200 }, (_, index) => `picture ${index}`);
const key = (name: string) => name;

Deno.test("seededOrder() keeps every item and depends on the seed only", () => {
  const order = seededOrder(names, 3, key);
  assert.deepEqual([...order].sort(), [...names].sort());
  assert.deepEqual(seededOrder(names.toReversed(), 3, key), order);
  assert.notDeepEqual(seededOrder(names, 4, key), order);
  assert.notDeepEqual(order, names);
});

Deno.test("seededOrder() moves no other item when one is removed", () => {
  const order = seededOrder(names, 0, key);
  const fewer = seededOrder(names.filter((name) => name !== "picture 17"), 0, key);
  assert.deepEqual(fewer, order.filter((name) => name !== "picture 17"));
});

Deno.test("seededOrder() orders nothing and one item", () => {
  assert.deepEqual(seededOrder([], 0, key), []);
  assert.deepEqual(seededOrder(["a"], 0, key), ["a"]);
});
