import assert from "node:assert/strict";
import { checkIRWeights } from "../../lib/export/check_ir_weights.ts";
import { toOpenVINO } from "../../lib/export/openvino_ir.ts";
import { metadataOfIR } from "../../lib/export/read_ir_metadata.ts";
import { smallGraph, smallMetadata } from "./_small_graphs.ts";

const { xml, bin } = toOpenVINO(
  smallGraph(
    [1, 3, 2, 2],
    ({ node, weights }) => node({ op: "add" }, [0, weights([1, 3, 2, 2])], [1, 3, 2, 2]),
  ),
  smallMetadata,
  { precision: "fp32", dynamicBatch: false },
);

Deno.test("metadataOfIR() reads the record back", () => {
  assert.deepEqual(metadataOfIR(xml), smallMetadata);
});

Deno.test("metadataOfIR() finds no record in files of other programs", () => {
  assert.equal(
    metadataOfIR('<?xml version="1.0"?><net name="other" version="11"><layers/></net>'),
    undefined,
  );
  // A layer's own information is not the model's.
  const elsewhere =
    '<net><layers><rt_info><whittle><metadata value="{}"/></whittle></rt_info></layers></net>';
  assert.equal(metadataOfIR(elsewhere), undefined);
});

Deno.test("metadataOfIR() says what is wrong with a file", () => {
  const throws = (text: string, message: string) =>
    assert.throws(() => metadataOfIR(text), { name: "SyntaxError", message });
  throws(
    "<html></html>",
    "Cannot read the OpenVINO model: found an .xml with the element <html>, wanted <net>\n" +
      "  help: name the .xml that exportIR wrote",
  );
  throws(
    xml.slice(0, 700),
    "Cannot read the OpenVINO model: its .xml is damaged: 26:3: unclosed tag: port\n  help: export the model again",
  );
  throws(
    "",
    "Cannot read the OpenVINO model: its .xml is damaged: 1:0: document must contain a root element.\n" +
      "  help: export the model again",
  );
  throws(
    xml.replace("&quot;format&quot;:1", "&quot;format&quot;:2"),
    "Cannot read the metadata of the exported file: it has format 2, and this version reads format 1\n" +
      "  help: update Whittle, or export the model again",
  );
});

Deno.test("checkIRWeights() tells weights that belong to a file from others", () => {
  checkIRWeights(xml, bin);
  const changed = bin.slice();
  changed[5]! ^= 1;
  const help = "\n  help: copy both files again, or export the model again";
  const first = "Cannot use the weights of the OpenVINO model: the .bin does not belong to the .xml\n";
  assert.throws(() => checkIRWeights(xml, bin.subarray(0, 40)), {
    name: "SyntaxError",
    message: `${first}  it has 40 bytes, wanted 48: the file was cut off, or is another model's${help}`,
  });
  assert.throws(
    () => checkIRWeights(xml, changed),
    /\n {2}its SHA-256 is [0-9a-f]{64}, wanted [0-9a-f]{64}: the file was changed, or is another model's\n/,
  );
  checkIRWeights('<net name="other" version="11"/>', changed);
});
