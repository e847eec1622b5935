/** Exports a network of random weights into the folder that is named, and prints the result: for a process of its own. */
import { exportIR } from "../../lib/export_ir.ts";
import { openModel } from "../../lib/models/open_model.ts";

const model = await openModel("mobilenetv3_small_100", { weights: null, numClasses: 2, imageSize: 32 });
console.log(JSON.stringify(await exportIR(model, Deno.args[0]!)));
Deno.exit();
