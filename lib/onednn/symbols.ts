/**
 * The part of oneDNN's C API that Whittle calls, as `Deno.dlopen` wants it (`oneapi/dnnl/dnnl.h` of 3.2).
 *
 * A function that makes something writes a handle into its first parameter, a buffer of 8 bytes, and returns a status:
 * 0 is success. Dimensions are buffers of 12 int64 (`DNNL_MAX_NDIMS`). A descriptor that may be left out (a bias, an
 * attribute, a hint) is a pointer, so that it can be `null`.
 */
const STATUS = "i32";

/** Symbols of oneDNN's C API with their parameters and results. */
export const symbols = {
  dnnl_version: { parameters: [], result: "pointer" },
  dnnl_set_verbose: { parameters: ["i32"], result: STATUS },
  // Before anything asks for the instruction set, or it has no effect and returns a status.
  dnnl_set_max_cpu_isa: { parameters: ["i32"], result: STATUS },
  dnnl_get_effective_cpu_isa: { parameters: [], result: "i32" },
  dnnl_set_primitive_cache_capacity: { parameters: ["i32"], result: STATUS },

  // out, kind, index
  dnnl_engine_create: { parameters: ["buffer", "i32", "usize"], result: STATUS },
  dnnl_engine_destroy: { parameters: ["pointer"], result: STATUS },
  // out, engine, flags
  dnnl_stream_create: { parameters: ["buffer", "pointer", "u32"], result: STATUS },
  dnnl_stream_wait: { parameters: ["pointer"], result: STATUS },
  dnnl_stream_destroy: { parameters: ["pointer"], result: STATUS },

  // out, number of dimensions, dimensions, data type, format tag
  dnnl_memory_desc_create_with_tag: { parameters: ["buffer", "i32", "buffer", "i32", "i32"], result: STATUS },
  // out, number of dimensions, dimensions, data type, strides
  dnnl_memory_desc_create_with_strides: {
    parameters: ["buffer", "i32", "buffer", "i32", "buffer"],
    result: STATUS,
  },
  // out, parent, dimensions, offsets
  dnnl_memory_desc_create_submemory: {
    parameters: ["buffer", "pointer", "buffer", "buffer"],
    result: STATUS,
  },
  dnnl_memory_desc_clone: { parameters: ["buffer", "pointer"], result: STATUS },
  dnnl_memory_desc_destroy: { parameters: ["pointer"], result: STATUS },
  /** 1 where both are equal, else 0. */
  dnnl_memory_desc_equal: { parameters: ["pointer", "pointer"], result: "i32" },
  // descriptor, what, out
  dnnl_memory_desc_query: { parameters: ["pointer", "i32", "buffer"], result: STATUS },
  dnnl_memory_desc_get_size: { parameters: ["pointer"], result: "usize" },

  // out, descriptor, engine, address
  dnnl_memory_create: { parameters: ["buffer", "pointer", "pointer", "pointer"], result: STATUS },
  dnnl_memory_set_data_handle: { parameters: ["pointer", "pointer"], result: STATUS },
  dnnl_memory_destroy: { parameters: ["pointer"], result: STATUS },

  // descriptor, what, index, out
  dnnl_primitive_desc_query: { parameters: ["pointer", "i32", "i32", "buffer"], result: STATUS },
  /** The memory descriptor that is returned belongs to the primitive descriptor. */
  dnnl_primitive_desc_query_md: { parameters: ["pointer", "i32", "i32"], result: "pointer" },
  dnnl_primitive_desc_destroy: { parameters: ["pointer"], result: STATUS },
  dnnl_primitive_create: { parameters: ["buffer", "pointer"], result: STATUS },
  // primitive, stream, number of arguments, arguments: { i32 index; 4 bytes of padding; pointer memory } each
  dnnl_primitive_execute: { parameters: ["pointer", "pointer", "i32", "pointer"], result: STATUS },
  dnnl_primitive_destroy: { parameters: ["pointer"], result: STATUS },

  // transposition of A and of B ("N" or "T"), M, N, K, alpha, A and its leading dimension, B and its, beta, C and its;
  // row-major
  dnnl_sgemm: {
    parameters: [
      "u8",
      "u8",
      "i64",
      "i64",
      "i64",
      "f32",
      "pointer",
      "i64",
      "pointer",
      "i64",
      "f32",
      "pointer",
      "i64",
    ],
    result: STATUS,
  },

  dnnl_primitive_attr_create: { parameters: ["buffer"], result: STATUS },
  dnnl_primitive_attr_set_scratchpad_mode: { parameters: ["pointer", "i32"], result: STATUS },
  dnnl_primitive_attr_set_fpmath_mode: { parameters: ["pointer", "i32"], result: STATUS },
  dnnl_primitive_attr_set_post_ops: { parameters: ["pointer", "pointer"], result: STATUS },
  dnnl_primitive_attr_destroy: { parameters: ["pointer"], result: STATUS },
  dnnl_post_ops_create: { parameters: ["buffer"], result: STATUS },
  // operations, algorithm, alpha, beta
  dnnl_post_ops_append_eltwise: { parameters: ["pointer", "i32", "f32", "f32"], result: STATUS },
  // operations, algorithm, descriptor of the second source
  dnnl_post_ops_append_binary: { parameters: ["pointer", "i32", "pointer"], result: STATUS },
  // operations, scale, zero point, data type
  dnnl_post_ops_append_sum: { parameters: ["pointer", "f32", "i32", "i32"], result: STATUS },
  dnnl_post_ops_destroy: { parameters: ["pointer"], result: STATUS },

  // out, source and its engine, destination and its engine, attributes
  dnnl_reorder_primitive_desc_create: {
    parameters: ["buffer", "pointer", "pointer", "pointer", "pointer", "pointer"],
    result: STATUS,
  },

  dnnl_eltwise_forward_primitive_desc_create: {
    parameters: [
      "buffer", // out
      "pointer", // engine
      "i32", // kind of propagation
      "i32", // algorithm
      "pointer", // source
      "pointer", // destination
      "f32", // alpha
      "f32", // beta
      "pointer", // attributes
    ],
    result: STATUS,
  },
  dnnl_convolution_forward_primitive_desc_create: {
    parameters: [
      "buffer", // out
      "pointer", // engine
      "i32", // kind of propagation
      "i32", // algorithm
      "pointer", // source
      "pointer", // weights
      "pointer", // bias
      "pointer", // destination
      "buffer", // strides
      "buffer", // dilations, 0 for none
      "buffer", // padding before
      "buffer", // padding after
      "pointer", // attributes
    ],
    result: STATUS,
  },
  dnnl_convolution_backward_data_primitive_desc_create: {
    parameters: [
      "buffer", // out
      "pointer", // engine
      "i32", // algorithm
      "pointer", // gradient of the source
      "pointer", // weights
      "pointer", // gradient of the destination
      "buffer", // strides
      "buffer", // dilations
      "buffer", // padding before
      "buffer", // padding after
      "pointer", // forward primitive descriptor
      "pointer", // attributes
    ],
    result: STATUS,
  },
  dnnl_convolution_backward_weights_primitive_desc_create: {
    parameters: [
      "buffer", // out
      "pointer", // engine
      "i32", // algorithm
      "pointer", // source
      "pointer", // gradient of the weights
      "pointer", // gradient of the bias
      "pointer", // gradient of the destination
      "buffer", // strides
      "buffer", // dilations
      "buffer", // padding before
      "buffer", // padding after
      "pointer", // forward primitive descriptor
      "pointer", // attributes
    ],
    result: STATUS,
  },

  // out, engine, source, weights, bias, destination, attributes
  dnnl_matmul_primitive_desc_create: {
    parameters: ["buffer", "pointer", "pointer", "pointer", "pointer", "pointer", "pointer"],
    result: STATUS,
  },
  // out, engine, kind of propagation, source, weights, bias, destination, attributes
  dnnl_inner_product_forward_primitive_desc_create: {
    parameters: ["buffer", "pointer", "i32", "pointer", "pointer", "pointer", "pointer", "pointer"],
    result: STATUS,
  },
  // out, engine, gradient of the source, weights, gradient of the destination, forward descriptor, attributes
  dnnl_inner_product_backward_data_primitive_desc_create: {
    parameters: ["buffer", "pointer", "pointer", "pointer", "pointer", "pointer", "pointer"],
    result: STATUS,
  },
  // out, engine, source, gradients of weights, bias and destination, forward descriptor, attributes
  dnnl_inner_product_backward_weights_primitive_desc_create: {
    parameters: ["buffer", "pointer", "pointer", "pointer", "pointer", "pointer", "pointer", "pointer"],
    result: STATUS,
  },
} as const;

/** OpenMP's functions. The number of threads belongs to the thread that sets it, so each Worker sets its own. */
export const openMPSymbols = {
  omp_set_num_threads: { parameters: ["i32"], result: "void" },
  omp_get_max_threads: { parameters: [], result: "i32" },
} as const;

/** Functions of the C library. */
export const systemSymbols = {
  /** Writes `fenv_t`, 32 bytes, of the calling thread; MXCSR (flush to zero) is at byte 28. */
  fegetenv: { parameters: ["buffer"], result: "i32" },
  fesetenv: { parameters: ["buffer"], result: "i32" },
  // address, bytes, advice
  madvise: { parameters: ["pointer", "usize", "i32"], result: "i32" },
} as const;
