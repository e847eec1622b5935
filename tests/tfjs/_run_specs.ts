import jasmineRequire from "npm:jasmine-core@5.9.0";
import "../../lib/tensorflow/mod.ts";
import { bundleSpecs } from "./_bundle.ts";

/** How a spec ended. */
export interface SpecResult {
  /** Names of the suites around it and its own, joined by spaces. */
  readonly name: string;
  /** Jasmine calls a spec pending that the suite switches off. */
  readonly status: "passed" | "failed" | "pending";
  /** What went wrong, if it failed. */
  readonly messages: readonly string[];
}

/** The part of Jasmine used here. */
interface Jasmine {
  getEnv(): {
    configure(options: { random: boolean }): void;
    addReporter(reporter: { specDone(result: JasmineResult): void }): void;
    execute(): Promise<unknown>;
  };
}

interface JasmineResult {
  readonly fullName: string;
  readonly status: SpecResult["status"];
  readonly failedExpectations: readonly { readonly message: string }[];
}

/**
 * Runs the specs tfjs-core publishes on the `tensorflow` backend of this process.
 *
 * @returns The results, in the order of the specs.
 */
export async function runSpecs(): Promise<SpecResult[]> {
  const jasmine: Jasmine = jasmineRequire.boot(jasmineRequire); // puts describe(), it() ... into globalThis
  const results: SpecResult[] = [];
  const environment = jasmine.getEnv();
  environment.configure({ random: false });
  environment.addReporter({
    specDone: ({ fullName, status, failedExpectations }) =>
      results.push({ name: fullName, status, messages: failedExpectations.map(({ message }) => message) }),
  });
  const file = await Deno.makeTempFile({ suffix: ".mjs" });
  const { log, warn } = console;
  // Specs of warnings and of debug mode print.
  console.log = console.warn = () => {};
  try {
    await bundleSpecs(file);
    await import(`file://${file}`);
    await environment.execute();
  } finally {
    Object.assign(console, { log, warn });
    await Deno.remove(file);
  }
  return results;
}
