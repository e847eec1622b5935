import { conv2d, depthwiseConv2d } from "../../lib/operators/conv2d.ts";
import type { Padding } from "../../lib/operators/padding.ts";
import type { tf } from "../../lib/tensorflow/mod.ts";
import { hashAt } from "../models/hash_weights.ts";
import { assertClose, assertStored, generate, gradients, readCases, run, type Stored } from "./_check.ts";

interface Case {
  name: string;
  kernel: number;
  stride: number;
  padding: Padding;
  shapes: Record<"x" | "filter" | "dy", number[]>;
  y: Stored;
  gradients: Record<"x" | "filter", Stored>;
}

type Convolution = typeof conv2d;

async function check(convolution: Convolution, { name, stride, padding, shapes, ...wanted }: Case) {
  const inputs = Object.fromEntries(
    Object.entries(shapes).map(([tensor, shape]) => [tensor, generate(`${name}.${tensor}`, shape)]),
  );
  const forward = ({ x, filter }: Record<string, tf.Tensor>) =>
    convolution(x as tf.Tensor4D, filter as tf.Tensor4D, { stride, padding });
  const found = await run((inputs) => {
    const { x, filter } = gradients(forward, inputs, ["x", "filter"], inputs.dy!);
    return { y: forward(inputs), x: x!, filter: filter! };
  }, inputs);
  assertStored(found.y, wanted.y, 2e-6, `${name} output`);
  assertStored(found.x, wanted.gradients.x, 2e-6, `${name} input gradient`);
  assertStored(found.filter, wanted.gradients.filter, 2e-6, `${name} filter gradient`);
}

for (const [file, convolution] of [["conv2d", conv2d], ["depthwise_conv2d", depthwiseConv2d]] as const) {
  for (const kernel of file === "conv2d" ? [1, 3, 5] : [3, 5]) {
    for (const stride of [1, 2]) {
      Deno.test(`${convolution.name}() equals PyTorch at kernel ${kernel}, stride ${stride}`, async () => {
        for (const each of readCases<Case>(file)) {
          if (each.kernel === kernel && each.stride === stride) await check(convolution, each);
        }
      });
    }
  }
}

/** Zeros before the first row or column. */
function zerosBefore(padding: Padding, length: number, kernel: number, stride: number): number {
  if (padding === "symmetric") return (kernel - 1) / 2;
  return Math.max((Math.ceil(length / stride) - 1) * stride + kernel - length, 0) >> 1;
}

Deno.test("conv2d() and depthwiseConv2d() equal plain loops at random shapes, gradients included", async () => {
  for (let seed = 0; seed < 80; seed++) {
    const pick = <T>(values: readonly T[], i: number) => values[hashAt(seed, i) % values.length]!;
    const kernel = pick([1, 3, 5], 0),
      stride = pick([1, 2, 2, 3], 1),
      padding = pick(["same", "symmetric"] as const, 2);
    const depthwise = pick([true, false], 3), batch = pick([1, 2, 3], 4), channels = pick([1, 3, 8, 17], 5);
    const height = 1 + hashAt(seed, 6) % 18, width = 1 + hashAt(seed, 7) % 18;
    const outputs = depthwise ? channels : pick([1, 4, 16, 19], 8);
    const top = zerosBefore(padding, height, kernel, stride),
      left = zerosBefore(padding, width, kernel, stride);
    const outHeight = Math.ceil(height / stride), outWidth = Math.ceil(width / stride);
    const inputs = {
      x: generate(`random.${seed}.x`, [batch, height, width, channels]),
      filter: generate(`random.${seed}.filter`, [kernel, kernel, channels, depthwise ? 1 : outputs]),
      dy: generate(`random.${seed}.dy`, [batch, outHeight, outWidth, outputs]),
    };
    const y = new Float64Array(inputs.dy.data.length);
    const dx = new Float64Array(inputs.x.data.length), df = new Float64Array(inputs.filter.data.length);
    for (let b = 0; b < batch; b++) {
      for (let r = 0; r < outHeight * kernel; r++) {
        const outRow = Math.floor(r / kernel), row = outRow * stride + r % kernel - top;
        if (row < 0 || row >= height) continue;
        for (let c = 0; c < outWidth * kernel; c++) {
          const outColumn = Math.floor(c / kernel), column = outColumn * stride + c % kernel - left;
          if (column < 0 || column >= width) continue;
          for (let o = 0; o < outputs; o++) {
            const to = ((b * outHeight + outRow) * outWidth + outColumn) * outputs + o;
            for (let i = depthwise ? o : 0; i < (depthwise ? o + 1 : channels); i++) {
              const from = ((b * height + row) * width + column) * channels + i;
              const tap = ((r % kernel * kernel + c % kernel) * channels + i) * (depthwise ? 1 : outputs) +
                (depthwise ? 0 : o);
              y[to] += inputs.x.data[from]! * inputs.filter.data[tap]!;
              dx[from] += inputs.dy.data[to]! * inputs.filter.data[tap]!;
              df[tap] += inputs.dy.data[to]! * inputs.x.data[from]!;
            }
          }
        }
      }
    }
    const convolution = depthwise ? depthwiseConv2d : conv2d;
    const forward = ({ x, filter }: Record<string, tf.Tensor>) =>
      convolution(x as tf.Tensor4D, filter as tf.Tensor4D, { stride, padding });
    const found = await run(
      (given) => ({ y: forward(given), ...gradients(forward, given, ["x", "filter"], given.dy!) }),
      inputs,
    );
    const what = `${convolution.name}, kernel ${kernel}, stride ${stride}, ${padding}, ${inputs.x.shape}`;
    assertClose(found.y!.data, y, 2e-6, `output of ${what}`, 1);
    assertClose(found.x!.data, dx, 2e-6, `input gradient of ${what}`, 1);
    assertClose(found.filter!.data, df, 2e-6, `filter gradient of ${what}`, 1);
  }
});
