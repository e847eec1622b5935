import "./_node_util.ts";
import * as tf from "npm:@tensorflow/tfjs@4.22.0";
import "npm:@tensorflow/tfjs-node-gpu@4.22.0/dist/register_all_kernels.js";
import "./_kernels.ts";

// Without this an operation before the engine is open would silently run on tfjs's JavaScript backend.
for (const name of ["cpu", "webgl"]) if (tf.findBackendFactory(name)) tf.removeBackend(name);

/** The tfjs API. Its operations run natively once the engine is open. */
export { tf };
