import assert from "node:assert/strict";
import { quantizedLayers } from "../../lib/plots/quantized_layers.ts";
import { exampleQuantization } from "../notebook/_example_quantization.ts";
import { assertGolden } from "./_golden.ts";

const { layers } = exampleQuantization;
type Axis = { tickvals: number[]; ticktext: string[] };
type Title = { subtitle: { text: string } };

Deno.test("quantizedLayers() draws both numbers of each layer; those in float are green", () => {
  const figure = quantizedLayers(layers, "a network");
  const [decibels, shares] = figure.data;
  assert.deepEqual(decibels!.y, layers.map((layer) => layer.decibels));
  assert.deepEqual(shares!.y, layers.map(({ share }) => share));
  const { color } = shares!.marker as { color: string[] };
  assert.deepEqual(
    layers.filter((_, index) => color[index] !== color[0]).map(({ name }) => name),
    ["blocks.0.0.conv_dw"],
  );
  assert.equal((figure.layout.title as Title).subtitle.text, "a network (green)");
  assertGolden(figure, "quantized_layers");
});

Deno.test("quantizedLayers() does not speak of green where nothing is in float", () => {
  const { layout } = quantizedLayers(layers.filter(({ precision }) => precision === "int8"), "a network");
  assert.equal((layout.title as Title).subtitle.text, "a network");
});

Deno.test("quantizedLayers() names each block once, where it begins", () => {
  const { layout } = quantizedLayers(layers, "a network");
  const { tickvals, ticktext } = layout.xaxis as Axis;
  assert.deepEqual(ticktext, [
    "conv_stem",
    "blocks.0.0",
    "blocks.1.0",
    "blocks.1.1",
    "blocks.1.2",
    "conv_head",
    "classifier",
  ]);
  assert.deepEqual(tickvals, [0, 1, 5, 6, 7, 8, 9]);
});

Deno.test("quantizedLayers() leaves out names that would cover others", () => {
  const many = Array.from({ length: 82 }, (_, index) => ({ ...layers[0]!, name: `layer_${index}` }));
  const { tickvals } = quantizedLayers(many, "a network").layout.xaxis as Axis;
  assert.deepEqual(tickvals, Array.from({ length: 41 }, (_, index) => 2 * index));
});

Deno.test("quantizedLayers() shows names as text", () => {
  const { data, layout } = quantizedLayers([{ ...layers[0]!, name: "<b>a" }], "a network");
  assert.deepEqual((layout.xaxis as Axis).ticktext, ["&lt;b&gt;a"]);
  assert.equal((data[0]!.customdata as string[][])[0]![0], "&lt;b&gt;a");
});
