/**
 * A network as files hold it: channels first, batch norms folded, activations as single operations. OpenVINO IR and
 * ONNX are two spellings of this; nothing else decides what a file computes.
 */
export interface ExportGraph {
  /** What the graph is called in files. */
  readonly name: string;
  /** Its one input, `[batch, 3, height, width]`. */
  readonly input: ExportValue;
  /** Its operations in an order of execution. */
  readonly nodes: readonly ExportNode[];
  /** Number of the value it returns, `[batch, classes]`. */
  readonly output: number;
  /** Name of the output in files. */
  readonly outputName: string;
}

/** A value of the graph. */
export interface ExportValue {
  /** Number of the value, unique in its graph. */
  readonly id: number;
  /** Name in files, unique in its graph, e.g. `blocks.0.0.conv_dw`. */
  readonly name: string;
  readonly dtype: ExportTensor["dtype"];
  /** Lengths of the axes; pictures are channels first. With a dynamic batch the first length is that of the recording. */
  readonly shape: readonly number[];
  /**
   * The value of the recorded graph that has the same numbers, if there is one: pictures are `[batch, height, width,
   * channels]` there.
   */
  readonly recorded?: number;
}

/** A constant of a file. */
export type ExportTensor =
  & { readonly shape: readonly number[] }
  & (
    | { readonly dtype: "float32"; readonly data: Float32Array }
    | { readonly dtype: "int8"; readonly data: Int8Array }
    | { readonly dtype: "int64"; readonly data: BigInt64Array }
  );

/** One operation: which, what it reads, and the one value it defines. */
export type ExportNode = ExportOperation & {
  /** Numbers of the values it reads. */
  readonly inputs: readonly number[];
  readonly output: ExportValue;
};

/** What an operation is. */
export type ExportOperation =
  /** A constant; no inputs. */
  | { readonly op: "constant"; readonly value: ExportTensor }
  /**
   * Int8 to float32: `scales[row] * x`, a scale for each row of the first axis. The input is a constant.
   */
  | { readonly op: "dequantize"; readonly scales: Float32Array }
  /**
   * Rounds to one of `levels` equally spaced values from `low` to `high`, both included; what is outside is clipped.
   * One of the values is 0, up to rounding. 256 levels: the step is `(high - low) / 255`.
   */
  | { readonly op: "fakeQuantize"; readonly levels: number; readonly low: number; readonly high: number }
  /**
   * Inputs x `[batch, in, height, width]`, weights `[out, in / groups, kernelHeight, kernelWidth]` and, if wanted, bias
   * `[out]`. Pads are zeros: top, left, bottom, right.
   */
  | {
    readonly op: "convolution";
    readonly strides: readonly [number, number];
    readonly pads: readonly [number, number, number, number];
    readonly groups: number;
  }
  /** Inputs x `[batch, in]`, weights `[out, in]` and, if wanted, bias `[out]`: `x W^T + bias`. */
  | { readonly op: "linear" }
  /** Of two values; shapes are broadcast as NumPy's are. */
  | { readonly op: "add" | "multiply" | "divide" }
  | {
    readonly op: "relu" | "sigmoid" | "swish" | "hardSwish" | "hardSigmoid" | "square" | "sqrt";
  }
  /** Clips to `low..high`. */
  | { readonly op: "clamp"; readonly low: number; readonly high: number }
  /** Mean or sum over axes, which stay with length 1. */
  | { readonly op: "mean" | "sum"; readonly axes: readonly number[] }
  /** To another shape; the first axis, the batch, stays: `[batch, -1]` for instance is written as the rest, `[-1]`. */
  | { readonly op: "reshape"; readonly rest: readonly number[] };
