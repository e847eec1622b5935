/** A matrix product in oneDNN, without the executor: what opens the library can be tested alone, in a Worker too. */
import { openOneDNN } from "../../lib/onednn/library.ts";

/** What {@linkcode multiply} found. */
export interface Product {
  readonly version: string;
  readonly isRight: boolean;
  readonly threads: number;
}

const SIZE = 512;
/** `dnnl_f32`. */
const F32 = 3;
/** `DNNL_ARG_SRC`, `DNNL_ARG_WEIGHTS` and `DNNL_ARG_DST`. */
const ARGUMENTS = [1n, 33n, 17n];

/**
 * Multiplies two matrices of ones on two threads.
 *
 * @param path Path of libdnnl.
 * @returns oneDNN's version, and whether the product is right.
 */
export async function multiply(path: string): Promise<Product> {
  const { native, openMP, version } = await openOneDNN(path);
  openMP.omp_set_num_threads(2);
  const out = new BigUint64Array(1);
  const succeed = (status: number) => {
    if (status !== 0) throw new Error(`oneDNN's status is ${status}`);
  };
  const made = (status: number) => {
    succeed(status);
    return Deno.UnsafePointer.create(out[0]);
  };
  const engine = made(native.dnnl_engine_create(out, 1, 0n));
  const stream = made(native.dnnl_stream_create(out, engine, 1));
  const dimensions = new BigInt64Array(12).fill(BigInt(SIZE), 0, 2);
  const strides = new BigInt64Array(12);
  strides.set([BigInt(SIZE), 1n]);
  const matrix = made(native.dnnl_memory_desc_create_with_strides(out, 2, dimensions, F32, strides));
  const product = made(
    native.dnnl_matmul_primitive_desc_create(out, engine, matrix, matrix, null, matrix, null),
  );
  const primitive = made(native.dnnl_primitive_create(out, product));
  const values = [1, 1, 0].map((value) => new Float32Array(SIZE * SIZE).fill(value));
  const memories = values.map((data) =>
    made(native.dnnl_memory_create(out, matrix, engine, Deno.UnsafePointer.of(data)))
  );
  const list = new BigUint64Array(
    ARGUMENTS.flatMap((index, i) => [index, Deno.UnsafePointer.value(memories[i])]),
  );
  succeed(native.dnnl_primitive_execute(primitive, stream, memories.length, Deno.UnsafePointer.of(list)));
  succeed(native.dnnl_stream_wait(stream));
  for (const memory of memories) succeed(native.dnnl_memory_destroy(memory));
  succeed(native.dnnl_primitive_destroy(primitive));
  succeed(native.dnnl_primitive_desc_destroy(product));
  succeed(native.dnnl_memory_desc_destroy(matrix));
  succeed(native.dnnl_stream_destroy(stream));
  succeed(native.dnnl_engine_destroy(engine));
  const isRight = values[2].every((value) => value === SIZE);
  return { version, isRight, threads: openMP.omp_get_max_threads() };
}
