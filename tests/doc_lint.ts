/**
 * `deno doc --lint` of the public modules, for this repository's own files: the tool also reads the types of the npm
 * packages behind them, and tfjs's tensors are public there. Prints what is missing; exits with 1 if anything is.
 *
 * @module
 */
const root = decodeURIComponent(new URL("..", import.meta.url).pathname);
const { stderr } = await new Deno.Command(Deno.execPath(), {
  args: ["doc", "--lint", "mod.ts", "lib/tensorflow/mod.ts"],
  cwd: root,
  env: { NO_COLOR: "1" },
  stdout: "null",
  stderr: "piped",
}).output();
const text = new TextDecoder().decode(stderr);
if (!text.includes("documentation lint errors") && !text.includes("Checked")) {
  console.error(text);
  Deno.exit(1);
}
const problems = [...text.matchAll(/error\[[\w-]+\]: ([^\n]+)\n\s+--> ([^\n]+)/g)]
  .map(([, message, place]) => ({ message: message!, place: place! }))
  .filter(({ place }) => place.startsWith(root))
  // `tf` is the whole of tfjs, documented there.
  .filter(({ place }) => !place.startsWith(`${root}lib/tensorflow/tf.ts`))
  .filter(({ message }) => !/references private type 'Tensor(\dD)?'/.test(message))
  .map(({ message, place }) => `${place.slice(root.length)}: ${message}`);
for (const problem of problems) console.error(problem);
Deno.exit(problems.length === 0 ? 0 : 1);
