import type { ExportGraph, ExportNode } from "../../lib/export/export_graph.ts";

/** Numbers with the lengths of their axes. */
export interface Values {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/**
 * Computes a graph by the definitions of its operations, slowly: what files must compute too.
 *
 * @param graph A graph.
 * @param input Its input, `[batch, 3, height, width]`, of any batch.
 * @returns Every value by its number.
 */
export function computeGraph(graph: ExportGraph, input: Values): Map<number, Values> {
  const values = new Map([[graph.input.id, input]]);
  for (const node of graph.nodes) {
    values.set(node.output.id, compute(node, node.inputs.map((id) => values.get(id)!)));
  }
  return values;
}

function compute(node: ExportNode, inputs: readonly Values[]): Values {
  const [x, y, bias] = inputs as [Values, Values, Values | undefined];
  const each = (of: (value: number) => number) => ({ shape: x.shape, data: x.data.map(of) });
  switch (node.op) {
    case "constant":
      return { shape: node.value.shape, data: Float32Array.from(node.value.data, Number) };
    case "dequantize": {
      const row = x.data.length / x.shape[0]!;
      return { shape: x.shape, data: x.data.map((value, i) => value * node.scales[Math.floor(i / row)]!) };
    }
    case "fakeQuantize": {
      const step = (node.high - node.low) / (node.levels - 1);
      return each((value) => {
        const clipped = Math.min(Math.max(value, node.low), node.high);
        return node.low + step * Math.round((clipped - node.low) / step);
      });
    }
    case "convolution":
      return convolution(node, x, y, bias);
    case "linear":
      return linear(x, y, bias);
    case "add":
      return binary(x, y, (a, b) => a + b);
    case "multiply":
      return binary(x, y, (a, b) => a * b);
    case "divide":
      return binary(x, y, (a, b) => a / b);
    case "relu":
      return each((value) => Math.max(value, 0));
    case "sigmoid":
      return each((value) => 1 / (1 + Math.exp(-value)));
    case "swish":
      return each((value) => value / (1 + Math.exp(-value)));
    case "hardSwish":
      return each((value) => value * Math.min(Math.max(value + 3, 0), 6) / 6);
    case "hardSigmoid":
      return each((value) => Math.min(Math.max(value + 3, 0), 6) / 6);
    case "square":
      return each((value) => value * value);
    case "sqrt":
      return each(Math.sqrt);
    case "clamp":
      return each((value) => Math.min(Math.max(value, node.low), node.high));
    case "mean":
    case "sum":
      return reduce(x, node.axes, node.op === "mean");
    case "reshape": {
      const known = node.rest.filter((length) => length >= 0).reduce((a, b) => a * b, x.shape[0]!);
      return {
        shape: [x.shape[0]!, ...node.rest.map((length) => length < 0 ? x.data.length / known : length)],
        data: x.data,
      };
    }
  }
}

function convolution(
  { strides, pads, groups }: Extract<ExportNode, { op: "convolution" }>,
  x: Values,
  weights: Values,
  bias?: Values,
): Values {
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const [out, perGroup, kernelHeight, kernelWidth] = weights.shape as [number, number, number, number];
  const [top, left, bottom, right] = pads;
  const outHeight = Math.floor((height + top + bottom - kernelHeight) / strides[0]) + 1;
  const outWidth = Math.floor((width + left + right - kernelWidth) / strides[1]) + 1;
  const data = new Float32Array(batch * out * outHeight * outWidth);
  let at = 0;
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < out; o++) {
      const firstChannel = Math.floor(o / (out / groups)) * perGroup;
      for (let row = 0; row < outHeight; row++) {
        for (let column = 0; column < outWidth; column++) {
          let sum = bias?.data[o] ?? 0;
          for (let c = 0; c < perGroup; c++) {
            for (let i = 0; i < kernelHeight; i++) {
              const y = row * strides[0] + i - top;
              if (y < 0 || y >= height) continue;
              for (let j = 0; j < kernelWidth; j++) {
                const z = column * strides[1] + j - left;
                if (z < 0 || z >= width) continue;
                sum += x.data[((n * channels + firstChannel + c) * height + y) * width + z]! *
                  weights.data[((o * perGroup + c) * kernelHeight + i) * kernelWidth + j]!;
              }
            }
          }
          data[at++] = sum;
        }
      }
    }
  }
  return { shape: [batch, out, outHeight, outWidth], data };
}

function linear(x: Values, weights: Values, bias?: Values): Values {
  const [batch, length] = x.shape as [number, number];
  const [out] = weights.shape as [number];
  const data = new Float32Array(batch * out);
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < out; o++) {
      let sum = bias?.data[o] ?? 0;
      for (let i = 0; i < length; i++) sum += x.data[n * length + i]! * weights.data[o * length + i]!;
      data[n * out + o] = sum;
    }
  }
  return { shape: [batch, out], data };
}

function binary(a: Values, b: Values, of: (a: number, b: number) => number): Values {
  const rank = Math.max(a.shape.length, b.shape.length);
  const full = (shape: readonly number[]) => [...Array(rank - shape.length).fill(1), ...shape] as number[];
  const [left, right] = [full(a.shape), full(b.shape)];
  const shape = left.map((length, axis) => Math.max(length, right[axis]!));
  const data = new Float32Array(shape.reduce((product, length) => product * length, 1));
  for (let i = 0; i < data.length; i++) {
    data[i] = of(a.data[position(i, shape, left)]!, b.data[position(i, shape, right)]!);
  }
  return { shape, data };
}

function reduce(x: Values, axes: readonly number[], isMean: boolean): Values {
  const shape = x.shape.map((length, axis) => axes.includes(axis) ? 1 : length);
  const sums = new Float64Array(shape.reduce((product, length) => product * length, 1));
  for (let i = 0; i < x.data.length; i++) sums[position(i, x.shape, shape)]! += x.data[i]!;
  const count = isMean ? x.data.length / sums.length : 1;
  return { shape, data: Float32Array.from(sums, (sum) => sum / count) };
}

/** Where a value of a shape lies in a smaller one of the same rank, whose axes of length 1 are broadcast. */
function position(index: number, shape: readonly number[], smaller: readonly number[]): number {
  let [rest, at, stride] = [index, 0, 1];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const here = rest % shape[axis]!;
    rest = Math.floor(rest / shape[axis]!);
    if (smaller[axis]! > 1) at += here * stride;
    stride *= smaller[axis]!;
  }
  return at;
}
