import type { NativeOneDNN } from "./library.ts";
import type { ConvolutionPass, Geometry } from "./operations.ts";

/** Numbers of oneDNN's C API (`dnnl_types.h` of 3.2). */
const cpu = 1;
const inOrder = 1;
const float32 = 3;
const anyLayout = 1;
const forwardTraining = 64;
const forwardInference = 96;
const logistic = 41;
const directConvolution = 1;
const query = { implementation: 8, weights: 131, diffWeights: 132 };
const argument = {
  source: 1,
  destination: 17,
  weights: 33,
  diffSource: 129,
  diffDestination: 145,
  diffWeights: 161,
};

/** What the primitives of one thread share. */
export interface Engine {
  readonly native: NativeOneDNN;
  readonly engine: Deno.PointerValue;
  readonly stream: Deno.PointerValue;
}

/** A convolution of one size. */
export interface Convolution {
  /** What oneDNN calls the code that computes it, e.g. `jit_dw:avx2`. */
  readonly implementation: string;
  /**
   * Prepares a call on tensors at these addresses.
   *
   * @param newFilter Whether the filter has changed since the call before.
   * @returns Runs it.
   */
  bind(image: bigint, filter: bigint, result: bigint, newFilter: boolean): () => void;
}

const out = new BigUint64Array(1);

/** Calls a function that writes a handle into its first parameter. */
function make(what: string, create: (out: BigUint64Array<ArrayBuffer>) => number): Deno.PointerValue {
  check(create(out), what);
  return pointer(out[0]!);
}

function check(status: number, what: string): void {
  if (status === 0) return;
  const meaning = ["success", "out of memory", "invalid arguments", "not implemented"][status] ?? "failed";
  throw new Error(`Cannot ${what}: oneDNN says ${meaning} (status ${status})`);
}

function pointer(address: bigint): Deno.PointerValue {
  return Deno.UnsafePointer.create(address);
}

/** Opens an engine for the CPU in the current thread. */
export function createEngine(native: NativeOneDNN): Engine {
  const engine = make("create an engine", (out) => native.dnnl_engine_create(out, cpu, 0n));
  const stream = make("create a stream", (out) => native.dnnl_stream_create(out, engine, inOrder));
  return { native, engine, stream };
}

/** 12 int64, as oneDNN wants dimensions. */
function dims(...lengths: number[]): BigInt64Array<ArrayBuffer> {
  const array = new BigInt64Array(12);
  lengths.forEach((length, axis) => array[axis] = BigInt(length));
  return array;
}

/**
 * Makes a convolution: pictures lie as `[images, height, width, channels]`, filters as `[height, width, in, out]` or, if
 * depthwise, `[height, width, channels, 1]`. oneDNN computes with filters in a layout of its own, which they are
 * brought into.
 *
 * @param engine The thread's engine.
 * @param pass Forward or one of the gradients.
 * @param geometry Sizes.
 * @returns The convolution.
 * @throws {Error} If oneDNN has no code for it.
 */
export function createConvolution(engine: Engine, pass: ConvolutionPass, geometry: Geometry): Convolution {
  const { native } = engine;
  const g = geometry;
  const what =
    `convolve ${g.height} x ${g.width} x ${g.inChannels} with ${g.kernelHeight} x ${g.kernelWidth}`;
  const picture = (height: number, width: number, channels: number) =>
    make("describe a tensor", (out) =>
      native.dnnl_memory_desc_create_with_strides(
        out,
        4,
        dims(g.images, channels, height, width),
        float32,
        dims(height * width * channels, 1, width * channels, channels),
      ));
  const image = picture(g.height, g.width, g.inChannels);
  const result = picture(g.outHeight, g.outWidth, g.outChannels);
  const filterDims = g.depthwise
    ? dims(g.inChannels, 1, 1, g.kernelHeight, g.kernelWidth)
    : dims(g.outChannels, g.inChannels, g.kernelHeight, g.kernelWidth);
  const rank = g.depthwise ? 5 : 4;
  const plainStrides = g.depthwise
    ? dims(1, g.inChannels, g.inChannels, g.kernelWidth * g.inChannels, g.inChannels)
    : dims(1, g.outChannels, g.kernelWidth * g.inChannels * g.outChannels, g.inChannels * g.outChannels);
  const plainFilter = make(
    "describe a filter",
    (out) => native.dnnl_memory_desc_create_with_strides(out, rank, filterDims, float32, plainStrides),
  );
  const anyFilter = make(
    "describe a filter",
    (out) => native.dnnl_memory_desc_create_with_tag(out, rank, filterDims, float32, anyLayout),
  );
  const strides = dims(g.strideHeight, g.strideWidth), dilations = dims(0, 0);
  const [top, bottom, left, right] = g.padding;
  const window = [strides, dilations, dims(top, left), dims(bottom, right)] as const;
  const forward = make(what, (out) =>
    native.dnnl_convolution_forward_primitive_desc_create(
      out,
      engine.engine,
      forwardTraining,
      directConvolution,
      image,
      anyFilter,
      null,
      result,
      ...window,
      null,
    ));
  const description = pass === "forward"
    ? forward
    : pass === "input-gradient"
    ? make(what, (out) =>
      native.dnnl_convolution_backward_data_primitive_desc_create(
        out,
        engine.engine,
        directConvolution,
        image,
        anyFilter,
        result,
        ...window,
        forward,
        null,
      ))
    : make(what, (out) =>
      native.dnnl_convolution_backward_weights_primitive_desc_create(
        out,
        engine.engine,
        directConvolution,
        image,
        anyFilter,
        null,
        result,
        ...window,
        forward,
        null,
      ));
  const gradient = pass === "filter-gradient";
  // What the query returns belongs to the description.
  const filter = make("describe a filter", (out) =>
    native.dnnl_memory_desc_clone(
      out,
      native.dnnl_primitive_desc_query_md(description, gradient ? query.diffWeights : query.weights, 0),
    ));
  check(native.dnnl_primitive_desc_query(description, query.implementation, 0, out), what);
  const implementation = Deno.UnsafePointerView.getCString(pointer(out[0]!)!);
  const primitive = make(what, (out) => native.dnnl_primitive_create(out, description));

  const filterBytes = Number(native.dnnl_memory_desc_get_size(filter));
  const own = new Uint8Array(filterBytes + 64);
  const ownAddress = (BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(own))) + 63n) & ~63n;
  const memory = (descriptor: Deno.PointerValue, address: bigint) =>
    make(
      "make a tensor",
      (out) => native.dnnl_memory_create(out, descriptor, engine.engine, pointer(address)),
    );
  const ownFilter = memory(filter, ownAddress);
  const [from, to] = gradient ? [filter, plainFilter] : [plainFilter, filter];
  const reorder = make("bring a filter into another layout", (out) => {
    const status = native.dnnl_reorder_primitive_desc_create(
      out,
      from,
      engine.engine,
      to,
      engine.engine,
      null,
    );
    return status !== 0 ? status : native.dnnl_primitive_create(out, pointer(out[0]!));
  });

  return {
    implementation,
    bind(imageAt, filterAt, resultAt, newFilter) {
      const imageMemory = memory(image, imageAt), resultMemory = memory(result, resultAt);
      const given = memory(plainFilter, filterAt);
      const main = callArguments(
        pass === "forward"
          ? [[argument.source, imageMemory], [argument.weights, ownFilter], [
            argument.destination,
            resultMemory,
          ]]
          : pass === "input-gradient"
          // The gradient of the image is computed from that of the result.
          ? [[argument.diffDestination, resultMemory], [argument.weights, ownFilter], [
            argument.diffSource,
            imageMemory,
          ]]
          : [[argument.source, imageMemory], [argument.diffDestination, resultMemory], [
            argument.diffWeights,
            ownFilter,
          ]],
      );
      const moving = callArguments([
        [argument.source, gradient ? ownFilter : given],
        [argument.destination, gradient ? given : ownFilter],
      ]);
      const { stream } = engine;
      return () => {
        if (!gradient && newFilter) check(native.dnnl_primitive_execute(reorder, stream, 2, moving.at), what);
        check(native.dnnl_primitive_execute(primitive, stream, 3, main.at), what);
        if (gradient) check(native.dnnl_primitive_execute(reorder, stream, 2, moving.at), what);
        void [own, main.words, moving.words]; // they must live as long as this function
      };
    },
  };
}

/** The sigmoid of some number of elements. */
export interface Sigmoid {
  /** What oneDNN calls the code that computes it. */
  readonly implementation: string;
  /** Prepares a call on numbers at these addresses. @returns Runs it. */
  bind(input: bigint, output: bigint): () => void;
}

/** Makes a sigmoid of `size` elements that lie one after another. */
export function createSigmoid({ native, engine, stream }: Engine, size: number): Sigmoid {
  const what = `compute the sigmoid of ${size} numbers`;
  const row = make(
    what,
    (out) => native.dnnl_memory_desc_create_with_strides(out, 1, dims(size), float32, dims(1)),
  );
  const description = make(
    what,
    (out) =>
      native.dnnl_eltwise_forward_primitive_desc_create(
        out,
        engine,
        forwardInference,
        logistic,
        row,
        row,
        0,
        0,
        null,
      ),
  );
  check(native.dnnl_primitive_desc_query(description, query.implementation, 0, out), what);
  const implementation = Deno.UnsafePointerView.getCString(pointer(out[0]!)!);
  const primitive = make(what, (out) => native.dnnl_primitive_create(out, description));
  return {
    implementation,
    bind(input, output) {
      const [from, to] = [input, output].map((address) =>
        make(what, (out) => native.dnnl_memory_create(out, row, engine, pointer(address)))
      );
      const call = callArguments([[argument.source, from!], [argument.destination, to!]]);
      return () => {
        check(native.dnnl_primitive_execute(primitive, stream, 2, call.at), what);
        void call.words; // they must live as long as this function
      };
    },
  };
}

/** `dnnl_exec_arg_t`s. */
function callArguments(
  list: readonly (readonly [number, Deno.PointerValue])[],
): { words: BigUint64Array<ArrayBuffer>; at: Deno.PointerValue } {
  const words = new BigUint64Array(2 * list.length);
  list.forEach(([index, memory], position) => {
    words[2 * position] = BigInt(index);
    words[2 * position + 1] = BigInt(Deno.UnsafePointer.value(memory));
  });
  return { words, at: Deno.UnsafePointer.of(words) };
}
