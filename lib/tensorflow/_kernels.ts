import * as tf from "npm:@tensorflow/tfjs@4.22.0";
import "npm:@tensorflow/tfjs-node-gpu@4.22.0/dist/register_all_kernels.js";
import type { Binding } from "./binding.ts";

// What has to change in tfjs-node's kernels.

/** Replaces a kernel; `kernelFunc` gets the old one. */
function replace(
  kernelName: string,
  kernelFunc: (old: tf.KernelFunc, x: tf.Tensor, params: Parameters<tf.KernelFunc>[0]) => tf.TensorInfo,
): void {
  const kernel = tf.getKernel(kernelName, "tensorflow");
  tf.unregisterKernel(kernelName, "tensorflow");
  tf.registerKernel({
    ...kernel,
    kernelFunc: (params) => kernelFunc(kernel.kernelFunc, params.inputs.x as tf.Tensor, params),
  });
}

// tfjs-node casts to float32, but names the dtype from before the cast.
replace(tf.Mean, (mean, x, params) => {
  if (x.dtype === "float32") return mean(params) as tf.TensorInfo;
  const float = tf.cast(x, "float32");
  const result = mean({ ...params, inputs: { x: float } }) as tf.TensorInfo;
  float.dispose();
  return result;
});

// TensorFlow 2.21 rounds every int32 to 0.
replace(tf.Round, (round, x, params) => x.dtype === "int32" ? tf.clone(x) : round(params) as tf.TensorInfo);

// It reads the indices to check them, which a recording cannot do. TensorFlow checks them again when it runs.
replace(tf.GatherV2, (gather, _x, params) => {
  const { binding } = params.backend as { binding: Binding };
  const backend = binding.recording === undefined
    ? params.backend
    : Object.create(params.backend as object, { readSync: { value: () => [] } });
  return gather({ ...params, backend }) as tf.TensorInfo;
});
