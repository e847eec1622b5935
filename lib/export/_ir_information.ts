import { SaxesParser } from "npm:saxes@6.0.0";

/** What we write about a model into its `.xml`, under `rt_info/whittle`. */
export interface IRInformation {
  /** The record, as JSON. */
  readonly metadata: string;
  /** Size of the `.bin`. */
  readonly weightsBytes?: number;
  /** SHA-256 of the `.bin`, in hexadecimal digits. */
  readonly weightsSHA256?: string;
}

/**
 * Finds what we write about a model in its `.xml`.
 *
 * @param xml The text.
 * @returns The values, or `undefined` if there are none: another program wrote the file.
 * @throws {SyntaxError} If the text is no OpenVINO model.
 */
export function readIRInformation(xml: string): IRInformation | undefined {
  const values = valuesIn(xml, "net/rt_info/whittle/");
  const metadata = values.get("metadata");
  if (metadata === undefined) return undefined;
  const bytes = values.get("weights_bytes");
  return {
    metadata,
    weightsBytes: bytes === undefined ? undefined : Number(bytes),
    weightsSHA256: values.get("weights_sha256"),
  };
}

/** The attribute `value` of each element of a folder such as `net/rt_info/whittle/`, by the name of the element. */
export function valuesIn(xml: string, folder: string): Map<string, string> {
  const path: string[] = [];
  const values = new Map<string, string>();
  const parser = new SaxesParser();
  parser.on("error", (error) => {
    throw new SyntaxError(
      `Cannot read the OpenVINO model: its .xml is damaged: ${error.message}\n  help: export the model again`,
    );
  });
  parser.on("opentag", ({ name, attributes }) => {
    path.push(name);
    if (path[0] !== "net") {
      throw new SyntaxError(
        `Cannot read the OpenVINO model: found an .xml with the element <${name}>, wanted <net>\n` +
          `  help: name the .xml that exportIR wrote`,
      );
    }
    const place = path.join("/");
    if (place === folder + name && typeof attributes.value === "string") values.set(name, attributes.value);
  });
  parser.on("closetag", () => {
    path.pop();
  });
  parser.write(xml).close();
  return values;
}
