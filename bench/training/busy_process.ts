/**
 * Another process that computes on one core, as a browser or a compiler would. It ends with the one that started it.
 *
 * @returns It; dispose of it to end it.
 */
export function startBusyProcess(): AsyncDisposable {
  const program = `const parent = Deno.ppid;
    while (Deno.ppid === parent) for (const start = performance.now(); performance.now() - start < 100;);`;
  const child = new Deno.Command(Deno.execPath(), { args: ["eval", program], stdin: "null" }).spawn();
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}
