import { dirname, join } from "node:path";

/** Name of the history in a run's folder. */
export const csvLogName = "history.csv";
/** Name of the events in a run's folder. */
export const jsonlLogName = "events.jsonl";
/** Folder of TensorBoard's files in a run's folder. */
export const tensorboardFolderName = "tensorboard";

/**
 * Takes the logs of a run along into another folder, where it goes on. Logs that are missing stay so.
 *
 * @param from The run's folder.
 * @param to The folder where it goes on; logs there are replaced.
 */
export async function copyLogs(from: string, to: string): Promise<void> {
  const folder = join(from, tensorboardFolderName);
  const events = await listFiles(folder);
  await Deno.remove(join(to, tensorboardFolderName), { recursive: true }).catch(ignoreMissing);
  const names = [csvLogName, jsonlLogName, ...events.map((name) => join(tensorboardFolderName, name))];
  for (const name of names) {
    await Deno.mkdir(dirname(join(to, name)), { recursive: true });
    await Deno.copyFile(join(from, name), join(to, name)).catch(ignoreMissing);
  }
}

async function listFiles(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) if (entry.isFile) names.push(entry.name);
  } catch (error) {
    ignoreMissing(error);
  }
  return names.sort();
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
