/**
 * Which format a path is of, by its ending.
 *
 * @param path The path of an exported file.
 * @returns The format.
 * @throws {TypeError} If it has another ending.
 */
export function exportedKind(path: string): "IR" | "ONNX" {
  if (/\.xml$/i.test(path)) return "IR";
  if (/\.onnx$/i.test(path)) return "ONNX";
  throw new TypeError(
    `Cannot open exported model ${JSON.stringify(path)}: wanted the path of an .xml or an .onnx file\n` +
      (/\.bin$/i.test(path)
        ? `  help: name the .xml beside it: ${JSON.stringify(path.replace(/\.bin$/i, ".xml"))}`
        : `  help: exportIR writes an .xml, exportONNX an .onnx`),
  );
}
