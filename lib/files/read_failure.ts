/**
 * Says in words why a file or folder could not be read.
 *
 * @param error What Deno threw.
 * @param wanted What was to be read.
 * @returns The reason, for a message.
 *
 * @example
 * ```ts
 * import { readFailure } from "./read_failure.ts";
 *
 * console.log(readFailure({ code: "EISDIR", message: "" }, "file")); // it is a folder
 * ```
 */
export function readFailure(error: unknown, wanted: "file" | "folder"): string {
  const { code, message } = error as { code?: string; message: string };
  if (error instanceof Deno.errors.NotCapable) return `no permission to read it (${message.split(",")[0]})`;
  switch (code) {
    case "ENOENT":
      return wanted === "file" ? "no such file" : "there is no such folder";
    case "ENOTDIR":
      return "it is a file, not a folder";
    case "EISDIR":
      return "it is a folder";
    case "EACCES":
    case "EPERM":
      return "no permission to read it";
    case "ELOOP":
      return "its symbolic links lead in a circle";
    default:
      return message;
  }
}
