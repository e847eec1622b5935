import type { WheelRequest } from "../provision/python_wheel.ts";

/** The build for CPUs. */
export const CPU_PACKAGE = "tensorflow-cpu";
/** On Linux with an x86-64 processor the build with CUDA; elsewhere the only one there is, for CPUs. */
export const GPU_PACKAGE = "tensorflow";

const LINUX_FILES = ["tensorflow/libtensorflow_framework.so.2", "tensorflow/libtensorflow_cc.so.2"];
const MACOS_FILES = ["tensorflow/libtensorflow_framework.2.dylib", "tensorflow/libtensorflow_cc.2.dylib"];

/** Downloaded, unpacked and checked (names, sizes, hashes, file types), but not run, for want of such machines. */
const ONLY_ONE_BUILD: WheelRequest["platforms"] = {
  "linux-aarch64": {
    package: "tensorflow",
    tag: "manylinux_2_27_aarch64",
    sizeBytes: 282_213_003,
    sha256: "a10abdfb8b1189210c251021a3f153b7ccc52a8e6521351f3dc3331e8ba593e0",
    members: LINUX_FILES,
    unpackedBytes: 883_062_208,
  },
  "darwin-aarch64": {
    package: "tensorflow",
    tag: "macosx_12_0_arm64",
    sizeBytes: 223_766_900,
    sha256: "a145ed46c58192b7c3f9916d070caf4f6afc6dc7e5511f83dd97677f4c4947f4",
    members: MACOS_FILES,
    unpackedBytes: 740_822_152,
  },
};

/**
 * The wheel that carries libtensorflow.
 *
 * @param packageName {@linkcode CPU_PACKAGE} or {@linkcode GPU_PACKAGE}.
 * @returns What to ask the provision for.
 */
export function tensorflowWheel(packageName: typeof CPU_PACKAGE | typeof GPU_PACKAGE): WheelRequest {
  const cpu = packageName === CPU_PACKAGE;
  return {
    package: packageName,
    version: "2.21.0",
    pythonVersion: "3.13",
    otherwise:
      "copy libtensorflow_cc and libtensorflow_framework from another machine and set WHITTLE_TENSORFLOW",
    platforms: {
      "linux-x86_64": cpu
        ? {
          tag: "manylinux_2_27_x86_64",
          sizeBytes: 274_271_560,
          sha256: "05af7c26d35f4de910b5598c7b507e3981831a7b0f47fed9a405d995d51d7793",
          members: LINUX_FILES,
          unpackedBytes: 853_308_936,
        }
        : {
          tag: "manylinux_2_27_x86_64",
          sizeBytes: 572_881_074,
          sha256: "e9d8da8dcab9650efb45f032ba70af2f016f907e6e0c6bda29dd101bba945406",
          members: LINUX_FILES,
          unpackedBytes: 1_259_021_080,
        },
      ...ONLY_ONE_BUILD,
    },
  };
}
