import { DOMParser, type Element, onErrorStopParsing } from "npm:@xmldom/xmldom@0.9.12";

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
  const own = child(child(parse(xml), "rt_info"), "whittle");
  const value = (tag: string) => child(own, tag)?.getAttribute("value") ?? undefined;
  const metadata = value("metadata");
  if (metadata === undefined) return undefined;
  const bytes = value("weights_bytes");
  return {
    metadata,
    weightsBytes: bytes === undefined ? undefined : Number(bytes),
    weightsSHA256: value("weights_sha256"),
  };
}

function parse(xml: string): Element {
  let root: Element | null;
  try {
    const parser = new DOMParser({ onError: onErrorStopParsing, locator: false });
    root = parser.parseFromString(xml, "text/xml").documentElement;
  } catch (error) {
    const [reason] = (error as Error).message.split("\n");
    throw new SyntaxError(
      `Cannot read the OpenVINO model: its .xml is damaged: ${reason}\n  help: export the model again`,
    );
  }
  if (root?.tagName !== "net") {
    throw new SyntaxError(
      `Cannot read the OpenVINO model: found an .xml with the element <${
        root?.tagName ?? ""
      }>, wanted <net>\n` +
        `  help: name the .xml that exportIR wrote`,
    );
  }
  return root;
}

function child(element: Element | undefined, tag: string): Element | undefined {
  for (let node = element?.firstChild; node; node = node.nextSibling) {
    if (node.nodeName === tag) return node as Element;
  }
  return undefined;
}
