import * as tf from "npm:@tensorflow/tfjs@4.22.0";
import "npm:@tensorflow/tfjs-node-gpu@4.22.0/dist/register_all_kernels.js";

// Two of tfjs-node's kernels are wrong for some dtypes.

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

// It casts to float32, but names the dtype from before the cast.
replace(tf.Mean, (mean, x, params) => {
  if (x.dtype === "float32") return mean(params) as tf.TensorInfo;
  const float = tf.cast(x, "float32");
  const result = mean({ ...params, inputs: { x: float } }) as tf.TensorInfo;
  float.dispose();
  return result;
});

// TensorFlow 2.21 rounds every int32 to 0.
replace(tf.Round, (round, x, params) => x.dtype === "int32" ? tf.clone(x) : round(params) as tf.TensorInfo);
