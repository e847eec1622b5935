import { valuesIn } from "./_ir_information.ts";

/**
 * Reads what OpenVINO's ModelAPI wants to know of a model, in its words, whichever program wrote the file.
 *
 * @param xml The text of its `.xml`.
 * @returns Names and values of `rt_info/model_info`; empty if there are none.
 * @throws {SyntaxError} If the text is no OpenVINO model.
 *
 * @example
 * ```ts
 * import { modelInfoOfIR } from "./read_model_info.ts";
 * const xml = '<net><rt_info><model_info><labels value="cat dog" /></model_info></rt_info></net>';
 * console.log(modelInfoOfIR(xml)); // { labels: "cat dog" }
 * ```
 */
export function modelInfoOfIR(xml: string): Readonly<Record<string, string>> {
  return Object.fromEntries(valuesIn(xml, "net/rt_info/model_info/"));
}
