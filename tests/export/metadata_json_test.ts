import assert from "node:assert/strict";
import { parseMetadataJSON, toMetadataJSON } from "../../lib/export/metadata_json.ts";
import { smallMetadata } from "./_small_graphs.ts";

Deno.test("toMetadataJSON() writes the same text whatever the order of the fields", () => {
  const { preprocessing: { size, ...rest }, ...others } = smallMetadata;
  const reordered = { preprocessing: { ...rest, size }, ...others };
  assert.equal(toMetadataJSON(reordered), toMetadataJSON(smallMetadata));
  assert.deepEqual(parseMetadataJSON(toMetadataJSON(reordered)), smallMetadata);
});

Deno.test("parseMetadataJSON() says what does not fit, all at once", () => {
  const refuses = (text: string, message: string | RegExp) =>
    assert.throws(() => parseMetadataJSON(text), { name: "SyntaxError", message });
  refuses(
    "{",
    /^Cannot read the metadata of the exported file: it is no JSON: .*\n {2}help: export the model again$/,
  );
  refuses("[]", /: found no object\n/);
  refuses(
    '{"format":2}',
    "Cannot read the metadata of the exported file: it has format 2, and this version reads format 1\n" +
      "  help: update Whittle, or export the model again",
  );
  const broken = {
    ...smallMetadata,
    classNames: ["cat", 3],
    input: { channelOrder: "gbr", values: "raw" },
    preprocessing: { ...smallMetadata.preprocessing, size: { height: 0, width: 4 }, std: [1, 1] },
  };
  refuses(
    JSON.stringify(broken),
    `Cannot read the metadata of the exported file: 4 fields do not fit
  classNames: found "object", wanted the names of the classes
  preprocessing.size.height: found 0, wanted pixels
  preprocessing.std: found [1,1], wanted three numbers
  input.channelOrder: found "gbr", wanted bgr or rgb
  help: export the model again`,
  );
});
