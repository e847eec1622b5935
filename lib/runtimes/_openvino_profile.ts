import type { NativeOpenVINO } from "./openvino_library.ts";
import { check, out, pointerAt } from "./_openvino_values.ts";

/** An operation as OpenVINO runs it. */
export interface ProfiledOperation {
  /** Name of the operation in the file that it began with; what was joined to it has no entry of its own that ran. */
  readonly name: string;
  /** Kind, e.g. `Convolution`. */
  readonly type: string;
  /** What computes it: the kernel and the type of its numbers, e.g. `brgconv_avx512_I8`, `jit_avx2_FP32`. */
  readonly kernel: string;
  /** Whether it ran, has become part of another, or was not needed. */
  readonly status: "executed" | "optimizedOut" | "notRun";
  /** How long it took in the last run. */
  readonly milliseconds: number;
}

const STATUS = ["notRun", "optimizedOut", "executed"] as const;

/** `sizeof(ov_profiling_info_t)`: a status, two int64 and three strings. */
const ENTRY_BYTES = 48;

/** What a request measured in its last run. */
export function readProfile(native: NativeOpenVINO, request: Deno.PointerObject): ProfiledOperation[] {
  const list = out(2);
  check(native, native.ov_infer_request_get_profiling_info(request, list));
  try {
    const count = Number(list[1]);
    if (count === 0) return [];
    const view = new Deno.UnsafePointerView(pointerAt(list));
    const text = (offset: number) => {
      const pointer = view.getPointer(offset);
      return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
    };
    return Array.from({ length: count }, (_, index) => {
      const offset = index * ENTRY_BYTES;
      return {
        name: text(offset + 24),
        type: text(offset + 40),
        kernel: text(offset + 32),
        status: STATUS[view.getInt32(offset)] ?? "notRun",
        milliseconds: Number(view.getBigInt64(offset + 8)) / 1000,
      };
    });
  } finally {
    native.ov_profiling_info_list_free(list);
  }
}
