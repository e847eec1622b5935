/** Writes what the runs gave into docs/results.md. */
export async function writeDocument(): Promise<void> {
}
