import assert from "node:assert/strict";
import type { MimeBundle } from "../../lib/notebook/display.ts";
import { layerTable, withQuantizeView } from "../../lib/notebook/quantize_view.ts";
import { tableText } from "../../lib/notebook/table.ts";
import type { EpochRecord } from "../../lib/training/events.ts";
import { exampleQuantization } from "./_example_quantization.ts";

const text = `mobilenetv3_small_100.lamb_in1k in int8, 9 int8, 1 float, in 1:15
top-1 89.5 %, in float 90.0 %: drop 0.50 points (95 %: -0.42 to 1.42), at most 1.00 points was promised
ranges by mse from 300 pictures, means given back
measured with the int8 file in OpenVINO 2026.4.1 on 1000 pictures, 98.5 % of them called the same in both
before 2 epochs of fine-tuning 87.0 %
one picture here: 2.54 ms, in float 3.59 ms
saved as outputs/int8/best.safetensors
the layers that change most:
layer                      kind         precision  signal to noise  share of the change      time
blocks.0.0.conv_dw         depthwise    float              30.1 dB               40.0 %  0.500 ms
blocks.0.0.se.conv_reduce  convolution  int8               28.0 dB               10.0 %    joined
blocks.0.0.se.conv_expand  convolution  int8               27.0 dB               10.0 %    joined
blocks.0.0.conv_pw         convolution  int8               26.0 dB               10.0 %    joined
blocks.1.2.conv_pwl        convolution  int8               22.0 dB                7.0 %  0.020 ms
blocks.1.1.conv_pwl        convolution  int8               23.0 dB                6.0 %  0.020 ms
conv_stem                  convolution  int8               38.4 dB                5.0 %  0.084 ms
blocks.1.0.conv_pwl        convolution  int8               24.0 dB                5.0 %  0.020 ms`;

const fineTuned = { ...exampleQuantization, history: [{}, {}] as EpochRecord[] };

/** The result as one piece. */
async function bundleOf(shown: object): Promise<MimeBundle> {
  return await (shown as Record<symbol, () => Promise<MimeBundle>>)[Symbol.for("Jupyter.display")]!();
}

Deno.test("withQuantizeView() shows drop, promise, runtime and the worst layers in a terminal", () => {
  const shown = withQuantizeView({ ...fineTuned });
  assert.equal(Deno.inspect(shown), text);
  assert.deepEqual(JSON.parse(JSON.stringify(shown)), JSON.parse(JSON.stringify(fineTuned)));
});

Deno.test("withQuantizeView() shows the numbers and all layers in a notebook", async () => {
  const markup = (await bundleOf(withQuantizeView({ ...fineTuned })))["text/html"] as string;
  for (
    const part of [
      "<code>outputs/int8/best.safetensors</code>",
      "89.5 %",
      "0.50 points",
      "95 %: -0.42 to 1.42, at most 1.00 points was promised",
      "1000 pictures",
      "in OpenVINO 2026.4.1; 98.5 % the same in both",
      "9 of 10",
      "weights of 7 bits",
      "in float 3.59 ms",
      "2 epochs",
      "before it 87.0 %",
      "<summary>all 10 layers</summary>",
    ]
  ) {
    assert.ok(markup.includes(part), part);
  }
  assert.equal(markup.match(/<table/g)?.length, 2);
  assert.equal(markup.match(/conv_head/g)?.length, 1, "not among the worst eight, but among all");
});

Deno.test("withQuantizeView() tells of the pictures of the ranges where nothing was trained", async () => {
  const { postTrainingTop1: _, ...untrained } = exampleQuantization;
  const shown = withQuantizeView(untrained);
  assert.doesNotMatch(Deno.inspect(shown), /fine-tuning/);
  const markup = (await bundleOf(shown))["text/html"] as string;
  assert.ok(markup.includes("ranges (mse) from 300 pictures"));
});

Deno.test("withQuantizeView() tells of an accuracy that rose as a drop below 0", () => {
  const drop = { ...exampleQuantization.drop, drop: -0.0125 };
  assert.match(Deno.inspect(withQuantizeView({ ...exampleQuantization, drop })), /: drop -1\.25 points \(/);
});

Deno.test("withQuantizeView() draws its layers when asked, and shows names as text", async () => {
  const [first, ...others] = exampleQuantization.layers;
  const shown = withQuantizeView({
    ...exampleQuantization,
    layers: [{ ...first!, name: "<b>stem</b>" }, ...others],
  });
  assert.equal(shown.figures.layers.data[0]!.x instanceof Array, true);
  const markup = (await bundleOf(shown))["text/html"] as string;
  assert.ok(markup.includes("&lt;b&gt;stem&lt;/b&gt;") && !markup.includes("<b>stem"));
});

Deno.test("layerTable() keeps the order of the network", () => {
  const [, ...lines] = tableText(layerTable(exampleQuantization.layers)).split("\n");
  assert.deepEqual(
    lines.map((line) => line.split(" ")[0]),
    exampleQuantization.layers.map(({ name }) => name),
  );
});

Deno.test("withQuantizeView() says where fine-tuning was in vain", async () => {
  const shown = withQuantizeView({ ...fineTuned, fineTuned: false });
  assert.match(Deno.inspect(shown), /\nbefore 2 epochs of fine-tuning 87\.0 %, which is better and kept\n/);
  assert.ok(
    ((await bundleOf(shown))["text/html"] as string).includes("before it 87.0 %, which is better and kept"),
  );
});
