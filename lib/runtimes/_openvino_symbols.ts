/**
 * The part of OpenVINO's C API that Whittle calls, as `Deno.dlopen` wants it (`openvino/c/*.h` of 2026.4).
 *
 * Nearly every function returns a status, 0 for success, and writes what it makes into a buffer. None of these takes a
 * variable number of arguments: Deno cannot call such functions on every machine.
 */
const STATUS = "i32";
/** `ov_shape_t`: rank and dimensions, by value. */
const SHAPE = { struct: ["i64", "pointer"] } as const;

/** Symbols of OpenVINO's C API with their parameters and results. */
export const symbols = {
  ov_get_error_info: { parameters: ["i32"], result: "pointer" },
  ov_get_last_err_msg: { parameters: [], result: "pointer" },
  ov_free: { parameters: ["pointer"], result: "void" },
  /** out: two strings */
  ov_get_openvino_version: { parameters: ["buffer"], result: STATUS },
  ov_version_free: { parameters: ["buffer"], result: "void" },

  ov_core_create: { parameters: ["buffer"], result: STATUS },
  // core, path of the xml, path of the bin, out
  ov_core_read_model: {
    parameters: ["pointer", "buffer", "buffer", "buffer"],
    result: STATUS,
    nonblocking: true,
  },
  // core, xml, its bytes, tensor of the bin, out
  ov_core_read_model_from_memory_buffer: {
    parameters: ["pointer", "buffer", "usize", "pointer", "buffer"],
    result: STATUS,
    nonblocking: true,
  },
  // core, model, device, number of properties, pairs of strings, out
  ov_core_compile_model_props: {
    parameters: ["pointer", "pointer", "buffer", "usize", "buffer", "buffer"],
    result: STATUS,
    nonblocking: true,
  },
  ov_model_free: { parameters: ["pointer"], result: "void" },

  ov_compiled_model_inputs_size: { parameters: ["pointer", "buffer"], result: STATUS },
  ov_compiled_model_outputs_size: { parameters: ["pointer", "buffer"], result: STATUS },
  ov_compiled_model_input_by_index: { parameters: ["pointer", "usize", "buffer"], result: STATUS },
  ov_compiled_model_output_by_index: { parameters: ["pointer", "usize", "buffer"], result: STATUS },
  // compiled model, key, out: a string
  ov_compiled_model_get_property: { parameters: ["pointer", "buffer", "buffer"], result: STATUS },
  ov_compiled_model_create_infer_request: { parameters: ["pointer", "buffer"], result: STATUS },
  ov_compiled_model_free: { parameters: ["pointer"], result: "void" },

  // port, out: a string
  ov_port_get_any_name: { parameters: ["pointer", "buffer"], result: STATUS },
  ov_port_get_element_type: { parameters: ["pointer", "buffer"], result: STATUS },
  /** out: `ov_partial_shape_t`, the rank from and to, and a pointer to pairs of lengths from and to */
  ov_port_get_partial_shape: { parameters: ["pointer", "buffer"], result: STATUS },
  ov_partial_shape_free: { parameters: ["buffer"], result: "void" },
  ov_output_const_port_free: { parameters: ["pointer"], result: "void" },

  // element type, shape, memory that must live as long as the tensor, out
  ov_tensor_create_from_host_ptr: { parameters: ["i32", SHAPE, "buffer", "buffer"], result: STATUS },
  ov_tensor_get_element_type: { parameters: ["pointer", "buffer"], result: STATUS },
  ov_tensor_get_shape: { parameters: ["pointer", "buffer"], result: STATUS },
  ov_shape_free: { parameters: ["buffer"], result: STATUS },
  ov_tensor_get_byte_size: { parameters: ["pointer", "buffer"], result: STATUS },
  ov_tensor_data: { parameters: ["pointer", "buffer"], result: STATUS },
  ov_tensor_free: { parameters: ["pointer"], result: "void" },

  // request, index, tensor
  ov_infer_request_set_input_tensor_by_index: {
    parameters: ["pointer", "usize", "pointer"],
    result: STATUS,
  },
  // request, index, out
  ov_infer_request_get_output_tensor_by_index: {
    parameters: ["pointer", "usize", "buffer"],
    result: STATUS,
  },
  ov_infer_request_infer: { parameters: ["pointer"], result: STATUS, nonblocking: true },
  /** out: `ov_profiling_info_list_t`, a pointer and a length */
  ov_infer_request_get_profiling_info: { parameters: ["pointer", "buffer"], result: STATUS },
  ov_profiling_info_list_free: { parameters: ["buffer"], result: "void" },
  ov_infer_request_free: { parameters: ["pointer"], result: "void" },
} as const;
