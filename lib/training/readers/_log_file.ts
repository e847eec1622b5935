import { dirname } from "node:path";
import { writeError, writeFileSync } from "../../files/write_file.ts";

/** A text file that grows line by line. Each line reaches the operating system at once, so a killed run keeps it. */
export interface LogFile {
  /** Starts the file anew, perhaps with a first line. */
  restart(firstLine?: string): void;
  /** Keeps the lines of an earlier run for which `isKept` holds; returns how many. */
  keep(isKept: (line: string) => boolean): number;
  /** Adds a line. */
  append(line: string): void;
  /** Closes the file; may be called twice. */
  close(): void;
}

/** Opens a log; nothing is written before the first call. */
export function openLog(path: string): LogFile {
  let file: Deno.FsFile | undefined;
  const write = (text: string) => {
    const bytes = new TextEncoder().encode(text);
    try {
      if (!file) {
        Deno.mkdirSync(dirname(path), { recursive: true });
        file = Deno.openSync(path, { append: true, create: true });
      }
      for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
    } catch (error) {
      throw writeError(path, error);
    }
  };
  const close = () => {
    file?.close();
    file = undefined;
  };
  const replace = (text: string) => {
    close();
    writeFileSync(path, text);
  };
  return {
    restart: (firstLine) => replace(firstLine === undefined ? "" : firstLine + "\n"),
    keep(isKept) {
      const kept = readLines(path).filter(isKept);
      replace(kept.map((line) => line + "\n").join(""));
      return kept.length;
    },
    append: (line) => write(line + "\n"),
    close,
  };
}

/** The lines of a file; none if there is no such file. */
function readLines(path: string): string[] {
  try {
    return Deno.readTextFileSync(path).split("\n").filter((line) => line !== "");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
