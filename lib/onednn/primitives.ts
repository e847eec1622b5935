import type { NativeOneDNN } from "./library.ts";
import type { Precision } from "../graph/compiled_function.ts";
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
const bf16Arithmetic = 1;
const query = { implementation: 8, weights: 131, diffWeights: 132 };
const argument = {
  source: 1,
  destination: 17,
  weights: 33,
  diffSource: 129,
  diffDestination: 145,
  diffWeights: 161,
};
/** Of `dnnl_cpu_isa_t`: the bits that AMX adds to AVX-512 with bf16 and fp16. */
const amxBits = 0xe00;

/** What the primitives of one thread share. */
export interface Engine {
  readonly native: NativeOneDNN;
  readonly engine: Deno.PointerValue;
  readonly stream: Deno.PointerValue;
}

/** Computes on tensors at the addresses it was bound to. */
export type BoundCall = () => void;

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
  bind(image: bigint, filter: bigint, result: bigint, newFilter: boolean): BoundCall;
}

/** The sigmoid of some number of elements. */
export interface Sigmoid {
  /** What oneDNN calls the code that computes it. */
  readonly implementation: string;
  /** Prepares a call on numbers at these addresses. @returns Runs it. */
  bind(input: bigint, output: bigint): BoundCall;
}

/** `output[rows, columns] = left[rows, inner] right[inner, columns]`, row-major; either side may be stored transposed. */
export interface ProductSizes {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  readonly transposeLeft: boolean;
  readonly transposeRight: boolean;
  /** Whether the product is added to what is there. */
  readonly add: boolean;
}

/** A product of matrices of one size. */
export interface Product {
  /** What oneDNN calls the code that computes it. */
  readonly implementation: string;
  /** Prepares a call on matrices at these addresses. @returns Runs it. */
  bind(left: bigint, right: bigint, output: bigint): BoundCall;
}

/** Opens an engine for the CPU in the current thread. */
export function createEngine(native: NativeOneDNN): Engine {
  const make = (what: string, create: (out: BigUint64Array<ArrayBuffer>) => number) => {
    check(create(out), what);
    return pointer(out[0]!);
  };
  const engine = make("create an engine", (out) => native.dnnl_engine_create(out, cpu, 0n));
  const stream = make("create a stream", (out) => native.dnnl_stream_create(out, engine, inOrder));
  return { native, engine, stream };
}

/** What a handle refers to, as the name of the function that frees it has it. */
type Kind = "memory_desc" | "memory" | "primitive_desc" | "primitive" | "primitive_attr" | "post_ops";

/** oneDNN's primitives for one program. They live until it is disposed of. */
export class Primitives {
  readonly #engine: Engine;
  readonly #precision: Precision;
  readonly #handles: { readonly kind: Kind; readonly handle: Deno.PointerValue }[] = [];

  /**
   * @param engine The thread's engine.
   * @param precision What the factors of products and convolutions are rounded to.
   * @throws {Error} If it is `bf16`, and oneDNN has no fast code for that here.
   */
  constructor(engine: Engine, precision: Precision) {
    this.#engine = engine;
    this.#precision = precision;
    // The processor was looked at; this is what ONEDNN_MAX_CPU_ISA leaves of it.
    if (precision === "bf16" && (engine.native.dnnl_get_effective_cpu_isa() & amxBits) !== amxBits) {
      throw new Error("oneDNN is not allowed to use AMX, which bf16 needs: see ONEDNN_MAX_CPU_ISA");
    }
  }

  /**
   * Makes a convolution: pictures lie as `[images, height, width, channels]`, filters as `[height, width, in, out]` or,
   * if depthwise, `[height, width, channels, 1]`. oneDNN computes with filters in a layout of its own, which they are
   * brought into.
   *
   * @param pass Forward or one of the gradients.
   * @param geometry Sizes.
   * @returns The convolution.
   * @throws {Error} If oneDNN has no code for it.
   */
  convolution(pass: ConvolutionPass, geometry: Geometry): Convolution {
    const { native, engine, stream } = this.#engine;
    const g = geometry;
    const what =
      `convolve ${g.height} x ${g.width} x ${g.inChannels} with ${g.kernelHeight} x ${g.kernelWidth}`;
    const picture = (height: number, width: number, channels: number) =>
      this.#tensor(
        [g.images, channels, height, width],
        [height * width * channels, 1, width * channels, channels],
      );
    const image = picture(g.height, g.width, g.inChannels);
    const result = picture(g.outHeight, g.outWidth, g.outChannels);
    const filterLengths = g.depthwise
      ? [g.inChannels, 1, 1, g.kernelHeight, g.kernelWidth]
      : [g.outChannels, g.inChannels, g.kernelHeight, g.kernelWidth];
    const plainFilter = this.#tensor(
      filterLengths,
      g.depthwise
        ? [1, g.inChannels, g.inChannels, g.kernelWidth * g.inChannels, g.inChannels]
        : [1, g.outChannels, g.kernelWidth * g.inChannels * g.outChannels, g.inChannels * g.outChannels],
    );
    const anyFilter = this.#make(
      "memory_desc",
      "describe a filter",
      (out) =>
        native.dnnl_memory_desc_create_with_tag(
          out,
          filterLengths.length,
          dims(...filterLengths),
          float32,
          anyLayout,
        ),
    );
    const [top, bottom, left, right] = g.padding;
    const window = [
      dims(g.strideHeight, g.strideWidth),
      dims(0, 0),
      dims(top, left),
      dims(bottom, right),
    ] as const;
    const attributes = g.depthwise ? null : this.#attributes(); // depthwise ones wait for memory anyway
    const describe = (create: (out: BigUint64Array<ArrayBuffer>) => number) =>
      this.#make("primitive_desc", what, create);
    const forward = describe((out) =>
      native.dnnl_convolution_forward_primitive_desc_create(
        out,
        engine,
        forwardTraining,
        directConvolution,
        image,
        anyFilter,
        null,
        result,
        ...window,
        attributes,
      )
    );
    const description = pass === "forward"
      ? forward
      : pass === "input-gradient"
      ? describe((out) =>
        native.dnnl_convolution_backward_data_primitive_desc_create(
          out,
          engine,
          directConvolution,
          image,
          anyFilter,
          result,
          ...window,
          forward,
          attributes,
        )
      )
      : describe((out) =>
        native.dnnl_convolution_backward_weights_primitive_desc_create(
          out,
          engine,
          directConvolution,
          image,
          anyFilter,
          null,
          result,
          ...window,
          forward,
          attributes,
        )
      );
    const gradient = pass === "filter-gradient";
    // What the query returns belongs to the description.
    const filter = native.dnnl_primitive_desc_query_md(
      description,
      gradient ? query.diffWeights : query.weights,
      0,
    );
    const primitive = this.#primitive(what, description);

    const own = new Uint8Array(Number(native.dnnl_memory_desc_get_size(filter)) + 64);
    const ownAddress = (BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(own))) + 63n) & ~63n;
    const ownFilter = this.#memory(filter, ownAddress);
    const [from, to] = gradient ? [filter, plainFilter] : [plainFilter, filter];
    const moving = "bring a filter into another layout";
    const reorder = this.#primitive(
      moving,
      this.#make(
        "primitive_desc",
        moving,
        (out) => native.dnnl_reorder_primitive_desc_create(out, from, engine, to, engine, null),
      ),
    );

    return {
      implementation: this.#implementation(description),
      bind: (imageAt, filterAt, resultAt, newFilter) => {
        const imageMemory = this.#memory(image, imageAt), resultMemory = this.#memory(result, resultAt);
        const given = this.#memory(plainFilter, filterAt);
        const main = callArguments(
          pass === "forward"
            ? { source: imageMemory, weights: ownFilter, destination: resultMemory }
            : pass === "input-gradient"
            // The gradient of the image is computed from that of the result.
            ? { diffDestination: resultMemory, weights: ownFilter, diffSource: imageMemory }
            : { source: imageMemory, diffDestination: resultMemory, diffWeights: ownFilter },
        );
        const move = callArguments(
          gradient ? { source: ownFilter, destination: given } : { source: given, destination: ownFilter },
        );
        return () => {
          if (!gradient && newFilter) check(native.dnnl_primitive_execute(reorder, stream, 2, move.at), what);
          check(native.dnnl_primitive_execute(primitive, stream, 3, main.at), what);
          if (gradient) check(native.dnnl_primitive_execute(reorder, stream, 2, move.at), what);
          void [own, main.words, move.words]; // they must live as long as this function
        };
      },
    };
  }

  /** Makes a sigmoid of `size` elements that lie one after another. */
  sigmoid(size: number): Sigmoid {
    const { native, engine, stream } = this.#engine;
    const what = `compute the sigmoid of ${size} numbers`;
    const row = this.#tensor([size], [1]);
    const description = this.#make(
      "primitive_desc",
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
    const primitive = this.#primitive(what, description);
    return {
      implementation: this.#implementation(description),
      bind: (input, output) => {
        const call = callArguments({
          source: this.#memory(row, input),
          destination: this.#memory(row, output),
        });
        return () => {
          check(native.dnnl_primitive_execute(primitive, stream, 2, call.at), what);
          void call.words; // they must live as long as this function
        };
      },
    };
  }

  /** Makes a product of matrices. */
  product(sizes: ProductSizes): Product {
    return this.#precision === "float32" ? this.#sgemm(sizes) : this.#matmul(sizes);
  }

  /** In float32: one function for all sizes, which costs less than a primitive. */
  #sgemm({ rows, inner, columns, transposeLeft, transposeRight, add }: ProductSizes): Product {
    const { native } = this.#engine;
    const order = (transposed: boolean) => (transposed ? "T" : "N").charCodeAt(0);
    return {
      implementation: "dnnl_sgemm",
      bind: (...addresses) => {
        const [left, right, output] = addresses.map(pointer) as [
          Deno.PointerValue,
          Deno.PointerValue,
          Deno.PointerValue,
        ];
        const [m, n, k] = [BigInt(rows), BigInt(columns), BigInt(inner)];
        const leftRow = transposeLeft ? m : k, rightRow = transposeRight ? k : n;
        const [orderLeft, orderRight, old] = [order(transposeLeft), order(transposeRight), add ? 1 : 0];
        return () => {
          const status = native.dnnl_sgemm(
            orderLeft,
            orderRight,
            m,
            n,
            k,
            1,
            left,
            leftRow,
            right,
            rightRow,
            old,
            output,
            n,
          );
          check(status, "multiply matrices");
        };
      },
    };
  }

  /** With factors that oneDNN rounds to bf16 as it reads them; it adds up in float32. */
  #matmul({ rows, inner, columns, transposeLeft, transposeRight, add }: ProductSizes): Product {
    const { native, engine, stream } = this.#engine;
    const what = `multiply ${rows} x ${inner} with ${inner} x ${columns}`;
    const matrix = (height: number, width: number, transposed: boolean) =>
      this.#tensor([height, width], transposed ? [1, height] : [width, 1]);
    const left = matrix(rows, inner, transposeLeft), right = matrix(inner, columns, transposeRight);
    const output = matrix(rows, columns, false);
    const attributes = this.#attributes(add);
    const description = this.#make(
      "primitive_desc",
      what,
      (out) => native.dnnl_matmul_primitive_desc_create(out, engine, left, right, null, output, attributes),
    );
    const primitive = this.#primitive(what, description);
    return {
      implementation: this.#implementation(description),
      bind: (leftAt, rightAt, outputAt) => {
        const call = callArguments({
          source: this.#memory(left, leftAt),
          weights: this.#memory(right, rightAt),
          destination: this.#memory(output, outputAt),
        });
        return () => {
          check(native.dnnl_primitive_execute(primitive, stream, 3, call.at), what);
          void call.words; // they must live as long as this function
        };
      },
    };
  }

  /** Frees everything. What was bound must not be called any more. */
  dispose(): void {
    const { native } = this.#engine;
    for (const { kind, handle } of this.#handles.splice(0).reverse()) {
      native[`dnnl_${kind}_destroy`](handle);
    }
  }

  /** Attributes of products and convolutions; `null` if there is nothing to say. */
  #attributes(add = false): Deno.PointerValue {
    if (this.#precision === "float32" && !add) return null;
    const { native } = this.#engine;
    const what = "set the precision";
    const attributes = this.#make("primitive_attr", what, (out) => native.dnnl_primitive_attr_create(out));
    if (this.#precision === "bf16") {
      check(native.dnnl_primitive_attr_set_fpmath_mode(attributes, bf16Arithmetic), what);
    }
    if (add) {
      const adding = this.#make("post_ops", what, (out) => native.dnnl_post_ops_create(out));
      check(native.dnnl_post_ops_append_sum(adding, 1, 0, float32), what);
      check(native.dnnl_primitive_attr_set_post_ops(attributes, adding), what);
    }
    return attributes;
  }

  /** Describes a float32 tensor; strides are in elements. */
  #tensor(shape: readonly number[], strides: readonly number[]): Deno.PointerValue {
    const { native } = this.#engine;
    return this.#make(
      "memory_desc",
      "describe a tensor",
      (out) =>
        native.dnnl_memory_desc_create_with_strides(
          out,
          shape.length,
          dims(...shape),
          float32,
          dims(...strides),
        ),
    );
  }

  #memory(descriptor: Deno.PointerValue, address: bigint): Deno.PointerValue {
    const { native, engine } = this.#engine;
    return this.#make(
      "memory",
      "make a tensor",
      (out) => native.dnnl_memory_create(out, descriptor, engine, pointer(address)),
    );
  }

  #primitive(what: string, description: Deno.PointerValue): Deno.PointerValue {
    return this.#make(
      "primitive",
      what,
      (out) => this.#engine.native.dnnl_primitive_create(out, description),
    );
  }

  #implementation(description: Deno.PointerValue): string {
    const { native } = this.#engine;
    check(
      native.dnnl_primitive_desc_query(description, query.implementation, 0, out),
      "name an implementation",
    );
    return Deno.UnsafePointerView.getCString(pointer(out[0]!)!);
  }

  /** Calls a function that writes a handle into its first parameter. */
  #make(
    kind: Kind,
    what: string,
    create: (out: BigUint64Array<ArrayBuffer>) => number,
  ): Deno.PointerValue {
    check(create(out), what);
    const handle = pointer(out[0]!);
    this.#handles.push({ kind, handle });
    return handle;
  }
}

const out = new BigUint64Array(1);

function check(status: number, what: string): void {
  if (status === 0) return;
  const meaning = ["success", "out of memory", "invalid arguments", "not implemented"][status] ?? "failed";
  throw new Error(`Cannot ${what}: oneDNN says ${meaning} (status ${status})`);
}

function pointer(address: bigint): Deno.PointerValue {
  return Deno.UnsafePointer.create(address);
}

/** 12 int64, as oneDNN wants dimensions. */
function dims(...lengths: number[]): BigInt64Array<ArrayBuffer> {
  const array = new BigInt64Array(12);
  lengths.forEach((length, axis) => array[axis] = BigInt(length));
  return array;
}

/** `dnnl_exec_arg_t`s. */
function callArguments(
  tensors: { readonly [K in keyof typeof argument]?: Deno.PointerValue },
): { words: BigUint64Array<ArrayBuffer>; at: Deno.PointerValue } {
  const list = Object.entries(tensors) as [keyof typeof argument, Deno.PointerValue][];
  const words = new BigUint64Array(2 * list.length);
  list.forEach(([name, memory], position) => {
    words[2 * position] = BigInt(argument[name]);
    words[2 * position + 1] = BigInt(Deno.UnsafePointer.value(memory));
  });
  return { words, at: Deno.UnsafePointer.of(words) };
}
