import assert from "node:assert/strict";
import { join } from "node:path";
import { writeDenoKernel } from "../../recipes/_deno_kernel.ts";
import { fakeProgram, tempFolder } from "../provision/_fake_index.ts";

const RECIPE = new URL("../../recipes/notebook.ts", import.meta.url).pathname;

async function notebook(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", RECIPE, ...args],
    env: { NO_COLOR: "1", ...env },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** A Python that answers as one with this pip would, and fails at all else in the given way. */
async function fakePython(folder: string, pip: string, otherwise: string): Promise<void> {
  const answer = JSON.stringify([join(folder, "python3"), "3.11.7", pip]);
  await fakeProgram(
    folder,
    "python3",
    `case "$*" in *"import json, pip"*) echo '${answer}';; ${otherwise} esac`,
  );
}

Deno.test("notebook --check names an installed JupyterLab, the kernel and the notebook", async () => {
  await using folder = await tempFolder();
  const data = join(folder.path, "data");
  await fakeProgram(
    folder.path,
    "jupyter",
    `case "$1" in lab) echo 4.3.1;; --paths) echo '{"data": ["${data}"]}';; esac`,
  );
  const { code, stdout, stderr } = await notebook(["--check"], { PATH: folder.path });
  assert.equal(code, 0, stderr);
  assert.match(
    stdout,
    /^JupyterLab {2}4\.3\.1, the installed one\nfigures {5}are shown as pictures; pip install plotly makes them interactive\nkernel {6}Deno \S+ \(\/.*\)\nnotebook {4}\/.*\/notebooks\/01_quickstart\.ipynb\n$/,
  );
  await Deno.mkdir(join(data, "labextensions", "jupyterlab-plotly"), { recursive: true });
  await Deno.writeTextFile(join(data, "labextensions", "jupyterlab-plotly", "package.json"), "{}");
  const withPlotly = await notebook(["--check"], { PATH: folder.path });
  assert.match(withPlotly.stdout, /^JupyterLab {2}4\.3\.1, the installed one\nfigures {5}are interactive\n/);
});

Deno.test("notebook --check passes over an old JupyterLab and tells what would be installed", async () => {
  await using folder = await tempFolder();
  await fakeProgram(folder.path, "jupyter", "echo 3.6.8");
  await fakePython(folder.path, "23.2.1", "");
  const { code, stdout } = await notebook(["--check"], {
    PATH: folder.path,
    WHITTLE_CACHE: join(folder.path, "cache"),
  });
  assert.equal(code, 0);
  assert.match(
    stdout,
    /^JupyterLab {2}would be installed into .+\/cache with pip 23\.2\.1 of Python 3\.11\.7 \(.+\/python3\)\n/,
  );
});

Deno.test("notebook says that there is no Python", async () => {
  await using folder = await tempFolder();
  await fakeProgram(folder.path, "python3", `echo "No module named pip" >&2; exit 1`);
  await fakeProgram(folder.path, "python", `echo '["/usr/bin/python", "2.7.18", "20.3.4"]'`);
  const { code, stdout, stderr } = await notebook([], {
    PATH: folder.path,
    WHITTLE_CACHE: join(folder.path, "cache"),
  });
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.equal(
    stderr,
    `Cannot install JupyterLab: there is no Python 3 with pip
  python3: No module named pip
  python: is Python 2.7.18, wanted 3.9 or later
  py: not installed
  help: install them (on Debian and Ubuntu: apt-get install python3-pip python3-venv) and run this again
`,
  );
});

Deno.test("notebook says that Python cannot create environments", async () => {
  await using folder = await tempFolder();
  await fakePython(folder.path, "22.0.2", `*) echo "ensurepip is not available" >&2; exit 1;;`);
  const { code, stderr } = await notebook([], {
    PATH: folder.path,
    WHITTLE_CACHE: join(folder.path, "cache"),
  });
  assert.equal(code, 1);
  assert.equal(
    stderr,
    `Cannot install JupyterLab: Python cannot create an environment (venv)
  Python 3.11.7 (${join(folder.path, "python3")}): ensurepip is not available
  help: install python3-venv (on Debian and Ubuntu: apt-get install python3-venv) and run this again, or install JupyterLab yourself (pip install jupyterlab plotly)
`,
  );
  const left = [...Deno.readDirSync(join(folder.path, "cache"))].map(({ name }) => name);
  assert.deepEqual(left.filter((name) => !name.endsWith(".lock")), []);
});

Deno.test("notebook says that there is no network, in the words of the real pip", async () => {
  await using folder = await tempFolder();
  const { code, stderr } = await notebook([], {
    WHITTLE_CACHE: join(folder.path, "cache"),
    // A port that nobody listens on, and no other source of packages.
    PIP_INDEX_URL: "http://127.0.0.1:9/simple/",
    PIP_EXTRA_INDEX_URL: "",
    PIP_FIND_LINKS: "",
    PIP_NO_CACHE_DIR: "1",
    PIP_RETRIES: "1",
    PIP_CONFIG_FILE: "/dev/null",
  });
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^Cannot install JupyterLab: the package index cannot be reached\n( {2}pip: .*\n)+ {2}help: check the network and pip's index \(pip config list\) and run this again, or install JupyterLab yourself \(pip install jupyterlab plotly\)\n$/,
  );
});

Deno.test("notebook says that a port is in use", async () => {
  await using folder = await tempFolder();
  await fakeProgram(folder.path, "jupyter", `case "$1" in lab) echo 4.3.1;; *) echo "{}";; esac`);
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const { code, stderr } = await notebook(["--port", `${port}`], { PATH: folder.path });
  assert.equal(code, 1);
  assert.equal(
    stderr,
    `Cannot start JupyterLab: port ${port} is in use or not allowed\n  help: pass --port 0 for any free port\n`,
  );
});

Deno.test("notebook shows why JupyterLab did not start", async () => {
  await using folder = await tempFolder();
  await fakeProgram(
    folder.path,
    "jupyter",
    `case "$*" in "lab --version") echo 4.3.1;; --paths*) echo "{}";; *) echo "ImportError: no tornado" >&2; exit 3;; esac`,
  );
  const { code, stderr } = await notebook(["--port", "0"], {
    PATH: folder.path,
    WHITTLE_CACHE: join(folder.path, "cache"),
  });
  assert.equal(code, 1);
  assert.equal(
    stderr,
    "Cannot start: JupyterLab ended with code 3\n  ImportError: no tornado\n" +
      "  help: see the lines above; to use Whittle's own JupyterLab, take the other one off PATH\n",
  );
});

Deno.test("notebook refuses notebooks that do not exist, wrong ports and unknown options", async () => {
  const missing = await notebook(["nowhere.ipynb"]);
  assert.equal(missing.code, 1);
  assert.equal(
    missing.stderr,
    'Cannot open notebook "nowhere.ipynb": there is no such file\n' +
      "  help: give the path of an .ipynb file, or none for the quickstart\n",
  );
  assert.match((await notebook(["--port", "x"])).stderr, /wanted a whole number, 0\.\.65535/);
  assert.match((await notebook(["--prot", "1"])).stderr, /unknown option '--prot'.*\n.*--port/);
});

Deno.test("writeDenoKernel() writes a kernel that starts this Deno and is stopped by SIGINT", async () => {
  await using folder = await tempFolder();
  const path = await writeDenoKernel(folder.path);
  const spec = JSON.parse(await Deno.readTextFile(join(path, "kernels", "deno", "kernel.json")));
  assert.deepEqual(spec, {
    argv: [Deno.execPath(), "jupyter", "--kernel", "--conn", "{connection_file}"],
    display_name: "Deno",
    language: "typescript", // and no interrupt_mode
  });
});
