import assert from "node:assert/strict";
import { baseEmoji } from "../../../lib/data/datasets/_base_emoji.ts";

Deno.test("baseEmoji() takes skin tone, gender, direction, hair and presentation away", () => {
  const astronaut = "1f9d1-1f680";
  assert.equal(baseEmoji("1f9d1-200d-1f680"), astronaut);
  assert.equal(baseEmoji("1f468-1f3ff-200d-1f680"), astronaut);
  assert.equal(baseEmoji("1f469-200d-1f680"), astronaut);

  assert.equal(baseEmoji("1f3c3-1f3fb-200d-2640-fe0f-200d-27a1-fe0f"), "1f3c3"); // woman running, facing right
  assert.equal(baseEmoji("1f468-200d-1f9b0"), "1f9d1"); // man with red hair
  assert.equal(baseEmoji("1f9d4-200d-2640-fe0f"), "1f9d1"); // woman with beard
  assert.equal(baseEmoji("2764-fe0f"), "2764");
});

Deno.test("baseEmoji() joins genders that have code points of their own", () => {
  for (
    const group of [
      ["1f466", "1f467", "1f9d2"], // boy, girl, child
      ["1f474", "1f475", "1f9d3"], // old man, old woman, older person
      ["1f934", "1f478", "1fac5"], // prince, princess, person with crown
      ["1f385", "1f936", "1f9d1-200d-1f384"], // Santa Claus, Mrs. Claus, Mx Claus
      ["1f57a", "1f483"], // man dancing, woman dancing
      ["1f46b", "1f46c", "1f46d", "1f9d1-1f3fb-200d-1f91d-200d-1f9d1-1f3ff"], // holding hands
      ["1f48f", "1f469-200d-2764-fe0f-200d-1f48b-200d-1f468"], // kiss
      ["1f491", "1f468-200d-2764-fe0f-200d-1f468"], // couple with heart
      ["1f46a", "1f468-200d-1f469-200d-1f467-200d-1f466", "1f469-200d-1f466"], // families
      ["1f91d", "1faf1-1f3fb-200d-1faf2-1f3ff"], // handshake
    ]
  ) {
    assert.equal(new Set(group.map(baseEmoji)).size, 1, group.join(" "));
  }
});

Deno.test("baseEmoji() joins what is drawn alike", () => {
  assert.equal(baseEmoji("1f449"), baseEmoji("1f448")); // pointing right, left
  assert.equal(baseEmoji("1f55b"), baseEmoji("1f567")); // twelve o'clock, half past twelve
});

Deno.test("baseEmoji() keeps emoji apart that only share a person, and modifiers that stand alone", () => {
  const different = [
    "1f9d1", // person
    "1f9d1-200d-1f680", // astronaut
    "1f9d1-200d-1f3a8", // artist
    "1f9d1-200d-1f37c", // person feeding baby
    "1f46a", // family
    "2640", // female sign
    "2642", // male sign
    "1f568", // no clock
    "1f431", // cat face
    "1f436", // dog face
  ];
  assert.equal(new Set(different.map(baseEmoji)).size, different.length);
});
