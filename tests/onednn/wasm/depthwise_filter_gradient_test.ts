import assert from "node:assert/strict";
import type { DepthwiseFilterGradient } from "../../../lib/onednn/wasm/depthwise_filter_gradient.ts";
import {
  depthwiseFilterGradientArgumentCount,
  writeDepthwiseFilterGradientArguments,
} from "../../../lib/onednn/wasm/depthwise_filter_gradient.ts";
import { TestMemory } from "./_loop_reference.ts";

interface Case {
  images: number;
  height: number;
  width: number;
  padding: readonly [top: number, left: number];
  channels: number;
  allChannels: number;
  add: boolean;
}

/** Runs a kernel and compares it with plain loops in float64. */
function assertGradient(
  kernel: DepthwiseFilterGradient,
  run: (at: number) => void,
  memory: TestMemory,
  shape: Case,
): void {
  const { kernelSize, stride } = kernel;
  const { images, height, width, padding: [top, left], channels, allChannels, add } = shape;
  // As much padding on the other sides.
  const outHeight = Math.floor((height + 2 * top - kernelSize) / stride) + 1;
  const outWidth = Math.floor((width + 2 * left - kernelSize) / stride) + 1;
  if (outHeight < 1 || outWidth < 1) return;
  const numbers = (count: number, seed: number) =>
    Float32Array.from({ length: count }, (_, index) => Math.sin(seed + index * 1.7));
  const x = numbers(images * height * width * allChannels, 1);
  const dy = numbers(images * outHeight * outWidth * allChannels, 2);
  const filter = memory.put("float32", Array(kernelSize * kernelSize * allChannels).fill(5));
  const firstChannel = allChannels - channels;
  const addresses = {
    x: memory.put("float32", x) + 4 * firstChannel,
    dy: memory.put("float32", dy) + 4 * firstChannel,
    filter: filter + 4 * firstChannel,
  };
  writeDepthwiseFilterGradientArguments(new Int32Array(memory.memory.buffer, 0, 64), 2, {
    images,
    height,
    width,
    outHeight,
    outWidth,
    paddingTop: top,
    paddingLeft: left,
    channels,
    allChannels,
    add,
    ...addresses,
  });
  run(8);
  const actual = memory.view("float32", filter, kernelSize * kernelSize * allChannels);
  for (let row = 0; row < kernelSize; row++) {
    for (let column = 0; column < kernelSize; column++) {
      for (let channel = 0; channel < allChannels; channel++) {
        let sum = add || channel < firstChannel ? 5 : 0;
        for (let at = 0; channel >= firstChannel && at < images * outHeight * outWidth; at++) {
          const image = Math.floor(at / (outHeight * outWidth));
          const h = Math.floor(at / outWidth) % outHeight * stride - top + row;
          const w = at % outWidth * stride - left + column;
          if (h < 0 || h >= height || w < 0 || w >= width) continue;
          sum += x[((image * height + h) * width + w) * allChannels + channel]! *
            dy[at * allChannels + channel]!;
        }
        const found = actual[(row * kernelSize + column) * allChannels + channel]!;
        const place = `${JSON.stringify({ ...kernel, ...shape })} at [${row}, ${column}, ${channel}]`;
        assert.ok(
          Math.abs(found - sum) <= 1e-5 * Math.max(10, Math.abs(sum)),
          `${place}: ${found}, by loops ${sum}`,
        );
      }
    }
  }
}

for (const kernelSize of [3, 5, 7] as const) {
  for (const stride of [1, 2] as const) {
    Deno.test(`buildKernels() makes the gradient of ${kernelSize}x${kernelSize} depthwise filters, stride ${stride}`, () => {
      const memory = new TestMemory();
      const kernel: DepthwiseFilterGradient = { kernelSize, stride };
      const run = memory.compile(kernel);
      const half = (kernelSize - 1) / 2;
      for (const channels of [3, 4, 8, 20]) {
        for (const [height, width] of [[1, 1], [5, 7], [14, 14], [9, 4], [2, 11]] as const) {
          for (const padding of [[0, 0], [half, half], [half - 1, half], [kernelSize - 1, 0]] as const) {
            for (const add of [false, true]) {
              assertGradient(kernel, run, memory, {
                images: 2,
                height,
                width,
                padding,
                channels,
                allChannels: channels,
                add,
              });
            }
          }
        }
      }
      assertGradient(kernel, run, memory, {
        images: 1,
        height: 70,
        width: 75,
        padding: [half, half],
        channels: 9,
        allChannels: 9,
        add: false,
      });
    });
  }
}

Deno.test("buildKernels() makes the gradient of depthwise filters for a part of the channels", () => {
  for (const add of [false, true]) {
    const memory = new TestMemory();
    const kernel: DepthwiseFilterGradient = { kernelSize: 5, stride: 1 };
    assertGradient(kernel, memory.compile(kernel), memory, {
      images: 2,
      height: 9,
      width: 8,
      padding: [2, 2],
      channels: 12,
      allChannels: 20,
      add,
    });
  }
});

Deno.test("buildKernels() makes a depthwise filter gradient of 0 if there are no images", () => {
  const memory = new TestMemory();
  const filter = memory.put("float32", Array(36).fill(5));
  const words = new Int32Array(memory.memory.buffer, 0, depthwiseFilterGradientArgumentCount);
  writeDepthwiseFilterGradientArguments(words, 0, {
    images: 0,
    height: 8,
    width: 8,
    outHeight: 8,
    outWidth: 8,
    paddingTop: 1,
    paddingLeft: 1,
    channels: 4,
    allChannels: 4,
    add: false,
    x: filter,
    dy: filter,
    filter,
  });
  memory.compile({ kernelSize: 3, stride: 1 })(0);
  assert.deepEqual([...memory.view("float32", filter, 36)], Array(36).fill(0));
});
