import assert from "node:assert/strict";
import { IMAGENET_CLASS_NAMES } from "../../lib/models/imagenet_class_names.ts";

Deno.test("IMAGENET_CLASS_NAMES has 1000 different names in the order of the outputs", () => {
  assert.equal(IMAGENET_CLASS_NAMES.length, 1000);
  assert.equal(new Set(IMAGENET_CLASS_NAMES.map((name) => name.toLowerCase())).size, 1000);
  assert.ok(
    IMAGENET_CLASS_NAMES.every((name) => name === name.trim() && name.length > 1 && !name.includes(",")),
  );
  // First and last of the blocks that ILSVRC is known by: fish, dogs, cats, things, food, plants.
  const known: Record<number, string> = {
    0: "tench",
    151: "Chihuahua",
    268: "Mexican hairless",
    281: "tabby",
    285: "Egyptian cat",
    657: "missile",
    872: "tripod",
    967: "espresso",
    985: "daisy",
    999: "toilet tissue",
  };
  for (const [index, name] of Object.entries(known)) assert.equal(IMAGENET_CLASS_NAMES[Number(index)], name);
});

Deno.test("IMAGENET_CLASS_NAMES tells apart what WordNet names alike", () => {
  assert.equal(IMAGENET_CLASS_NAMES[134], "crane (bird)");
  assert.equal(IMAGENET_CLASS_NAMES[517], "crane (machine)");
  assert.equal(IMAGENET_CLASS_NAMES[264], "Cardigan (dog)");
  assert.equal(IMAGENET_CLASS_NAMES[474], "cardigan (sweater)");
  assert.equal(IMAGENET_CLASS_NAMES[638], "maillot (tights)");
  assert.equal(IMAGENET_CLASS_NAMES[639], "maillot (swimsuit)");
});
