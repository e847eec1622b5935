/** The processor, as far as it matters for speed. */
export interface Processor {
  readonly model: string;
  /** How many threads may run at once. */
  readonly threads: number;
  /** Instruction sets that make a difference here, e.g. `["AVX2"]`; `undefined` where they cannot be read. */
  readonly features?: readonly string[];
}

/** Flags of /proc/cpuinfo, and what people call them. */
const FEATURES: readonly (readonly [RegExp, string])[] = [
  [/\bavx2\b/, "AVX2"],
  [/\bavx512f\b/, "AVX-512"],
  [/\bavx512_vnni\b/, "VNNI"],
  [/\bavx512_bf16\b/, "bf16"],
  [/\bamx_bf16\b/, "AMX"],
  [/\basimd\b/, "NEON"],
  [/\bsve\b/, "SVE"],
  [/\bbf16\b/, "bf16"],
];

/** @returns The processor of this machine. */
export async function readProcessor(): Promise<Processor> {
  const threads = navigator.hardwareConcurrency;
  if (Deno.build.os !== "linux") {
    const { stdout } = await output("sysctl", ["-n", "machdep.cpu.brand_string"]);
    return { model: stdout.trim() || Deno.build.arch, threads };
  }
  const text = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  const model = /^model name\s*:\s*(.+)$/m.exec(text)?.[1] ?? Deno.build.arch;
  const flags = /^(?:flags|Features)\s*:\s*(.+)$/m.exec(text)?.[1];
  if (flags === undefined) return { model, threads };
  const features = FEATURES.filter(([pattern]) => pattern.test(flags)).map(([, name]) => name);
  return { model, threads, features: [...new Set(features)] };
}

/** @returns Memory of this machine, or of the container this runs in where that has less. */
export async function readMemory(): Promise<{ availableBytes: number; totalBytes: number }> {
  const { available, total } = Deno.systemMemoryInfo();
  const number = async (name: string) =>
    Number(await Deno.readTextFile(`/sys/fs/cgroup/${name}`).catch(() => "NaN"));
  const [limit, used] = [await number("memory.max"), await number("memory.current")];
  if (!(limit < total)) return { availableBytes: available, totalBytes: total };
  return { availableBytes: Math.min(available, limit - used), totalBytes: limit };
}

/** @returns The names of the NVIDIA GPUs, as the driver has them. */
export async function readGPUs(): Promise<string[]> {
  const query = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"];
  const { success, stdout } = await output("nvidia-smi", query);
  return success ? stdout.trim().split("\n").filter((line) => line !== "") : [];
}

/** @returns What is in a folder, the largest first, with the size of all that is below; nothing where it is missing. */
export async function listFolder(path: string): Promise<{ name: string; sizeBytes: number }[]> {
  const entries: { name: string; sizeBytes: number }[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(path)) {
      const child = `${path}/${name}`;
      const below = isDirectory
        ? await listFolder(child)
        : [await Deno.lstat(child)].map(({ size }) => ({ sizeBytes: size }));
      entries.push({ name, sizeBytes: below.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) });
    }
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.NotFound)) throw thrown;
  }
  return entries.sort((a, b) => b.sizeBytes - a.sizeBytes);
}

async function output(program: string, args: string[]): Promise<{ success: boolean; stdout: string }> {
  try {
    const { success, stdout } = await new Deno.Command(program, { args, stdin: "null", stderr: "null" })
      .output();
    return { success, stdout: new TextDecoder().decode(stdout) };
  } catch {
    return { success: false, stdout: "" };
  }
}
