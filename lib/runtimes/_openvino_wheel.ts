import type { WheelRequest } from "../provision/python_wheel.ts";

/** Of the wheel's 180 MB: the C API, the core, the reader of IR, the plugin for CPUs, and the threads. */
const FILES =
  /^openvino\/libs\/lib(openvino(_c|_ir_frontend|_intel_cpu_plugin|_arm_cpu_plugin)?|tbb|tbbbind_2_5|tbbmalloc|hwloc)\.(\d+\.)?(so|dylib)(\.\d+)*$/;

/**
 * The wheel that carries OpenVINO. Linux on x86-64 was run; the others were downloaded and looked at (names, sizes,
 * hashes), but not run, for want of such machines.
 */
export const OPENVINO_WHEEL: WheelRequest = {
  package: "openvino",
  version: "2026.4.1",
  pythonVersion: "3.13",
  otherwise: "set WHITTLE_OPENVINO to the path of libopenvino_c or of the folder it is in",
  platforms: {
    "linux-x86_64": {
      tag: "manylinux_2_28_x86_64",
      sizeBytes: 59_142_703,
      sha256: "a9b637846c579d7b81b17b6585e0c7b1947574e8d13cf83d7307ce50cd2c352e",
      members: [FILES],
      unpackedBytes: 86_272_072,
    },
    "linux-aarch64": {
      tag: "manylinux_2_35_aarch64",
      sizeBytes: 30_333_747,
      sha256: "fc45339ff7d539de76e6d7b04135c120504c797cfc8c2a0dde3d2d616b30c758",
      members: [FILES],
      unpackedBytes: 63_828_304,
    },
    "darwin-aarch64": {
      tag: "macosx_11_0_arm64",
      sizeBytes: 33_341_974,
      sha256: "60496e3153122913c8a2fa69d86b3a77ccc4e2469db87d76eb8acb49a5d22d63",
      members: [FILES],
      unpackedBytes: 99_637_872,
    },
  },
};
