import type { WheelRequest } from "../provision/python_wheel.ts";

/**
 * The wheel that carries libdnnl, built by Intel with GCC's OpenMP. It is for any Python: its tag is `py2.py3-none`.
 * The wheel holds the library three times, where a distribution would have links; one is taken.
 */
export const ONEDNN_WHEEL: WheelRequest = {
  package: "onednn-cpu-gomp",
  version: "2023.2.0",
  pythonVersion: "3.13",
  otherwise: 'set WHITTLE_ONEDNN to the path of a libdnnl.so.3, or pass { executor: "tensorflow" }',
  platforms: {
    "linux-x86_64": {
      tag: "manylinux1_x86_64",
      sizeBytes: 38_888_991,
      sha256: "2f22a54d6a890ed14bfa185d42a4be65d8b5b1df85dc1f0f3a9abe31620416fb",
      members: ["onednn_cpu_gomp-2023.2.0.data/data/lib/libdnnl.so.3.2"],
      unpackedBytes: 54_569_528,
    },
  },
};
