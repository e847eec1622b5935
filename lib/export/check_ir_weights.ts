import { createHash } from "node:crypto";
import { readIRInformation } from "./_ir_information.ts";

/**
 * Refuses weights that are not those an OpenVINO model was written with: a file that was cut off, changed, or belongs to
 * another model. The runtime itself would compute with them. A model of another program has no record of its weights
 * and is not checked.
 *
 * @param xml The text of the `.xml`.
 * @param bin The bytes of the `.bin`.
 * @throws {SyntaxError} If size or SHA-256 of the weights differ from what the `.xml` says, or that is no OpenVINO model.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { checkIRWeights } from "./check_ir_weights.ts";
 * const xml = `<net><rt_info><whittle><metadata value="{}" /><weights_bytes value="4" /></whittle></rt_info></net>`;
 * checkIRWeights(xml, new Uint8Array(4));
 * assert.throws(() => checkIRWeights(xml, new Uint8Array(3)), /it has 3 bytes, wanted 4/);
 * ```
 */
export function checkIRWeights(xml: string, bin: Uint8Array): void {
  const { weightsBytes, weightsSHA256 } = readIRInformation(xml) ?? {};
  if (weightsBytes !== undefined && bin.length !== weightsBytes) {
    throw unfit(
      `it has ${bin.length} bytes, wanted ${weightsBytes}: the file was cut off, or is another model's`,
    );
  }
  if (weightsSHA256 === undefined) return;
  const digest = createHash("sha256").update(bin).digest("hex");
  if (digest !== weightsSHA256) {
    throw unfit(
      `its SHA-256 is ${digest}, wanted ${weightsSHA256}: the file was changed, or is another model's`,
    );
  }
}

function unfit(cause: string): SyntaxError {
  return new SyntaxError(
    `Cannot use the weights of the OpenVINO model: the .bin does not belong to the .xml\n  ${cause}\n` +
      `  help: copy both files again, or export the model again`,
  );
}
