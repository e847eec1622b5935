import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { chromium, type Page } from "npm:playwright-core@1.61.0";
import { notebooksFolder, repository } from "./_notebook.ts";

/** `deno task notebook` of a notebook, without a browser: it has printed its address. */
async function startNotebookTask(path: string, settings: string) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", join(repository, "recipes", "notebook.ts"), path, "--no-browser", "--port", "0"],
    env: {
      NO_COLOR: "1",
      // Whatever JupyterLab remembers is not the user's.
      JUPYTER_CONFIG_DIR: join(settings, "config"),
      JUPYTER_DATA_DIR: join(settings, "data"),
      JUPYTER_RUNTIME_DIR: join(settings, "runtime"),
    },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const readUntil = async (pattern: RegExp) => {
    while (!pattern.test(text)) {
      const { value, done } = await reader.read();
      assert.ok(!done, `ended after: ${text}`);
      text += value;
    }
    return pattern.exec(text)![0];
  };
  const address = await readUntil(/http:\/\/127\.0\.0\.1:\d+\/lab\/tree\/\S+/);
  return {
    address,
    /** Ctrl-C, which a launcher passes on a second time. */
    async stop() {
      child.kill("SIGINT");
      await new Promise((resolve) => setTimeout(resolve, 50));
      child.kill("SIGINT");
      const last = await readUntil(/JupyterLab has ended\./);
      await reader.cancel();
      return { last, ...await child.status };
    },
  };
}

/** Opens a page in a browser of its own that talks to this machine only. */
async function openPage(address: string, profile: string) {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: "/usr/bin/chromium",
    headless: true,
    viewport: { width: 1280, height: 1000 },
    args: ("--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking " +
      "--disable-component-update --disable-sync").split(" "),
  });
  const page = context.pages()[0] ?? await context.newPage();
  const complaints: string[] = [];
  const origin = new URL(address).origin;
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(origin) && !/^(data|blob):/.test(request.url())) {
      complaints.push(`request: ${request.url()}`);
    }
  });
  await page.goto(address, { timeout: 120_000 });
  await page.waitForSelector(".jp-Notebook .jp-Cell", { timeout: 120_000 });
  return { page, complaints, close: () => context.close() };
}

/** What `_see_outputs.js` tells. */
interface Seen {
  readonly figures: { width: number; height: number }[];
  readonly pictures: { isDrawn: boolean; width: number; height: number }[];
  readonly tables: number;
  readonly errors: number;
  readonly cutOff: string[];
}

/** What is seen of the outputs: JupyterLab draws cells when they come into view. */
async function look(page: Page): Promise<Seen> {
  await page.getByText("Deno | Idle").waitFor({ timeout: 60_000 });
  const cells = await page.locator(".jp-Notebook .jp-Cell").count();
  for (let i = 0; i < cells; i++) {
    await page.evaluate(`document.querySelectorAll(".jp-Notebook .jp-Cell")[${i}]?.scrollIntoView()`);
    await page.waitForTimeout(250);
  }
  const script = await Deno.readTextFile(join(import.meta.dirname!, "_see_outputs.js"));
  return await page.evaluate(script) as Seen;
}

Deno.test("JupyterLab draws the stored quickstart, runs a cell of it, and ends on Ctrl-C", async () => {
  const folder = await notebooksFolder();
  const path = join(folder, "01_quickstart.ipynb");
  await Deno.copyFile(join(repository, "notebooks", "01_quickstart.ipynb"), path);
  const task = await startNotebookTask(path, join(folder, "settings"));
  const { page, complaints, close } = await openPage(task.address, join(folder, "chromium"));
  try {
    const { figures, pictures, tables, errors, cutOff } = await look(page);
    assert.equal(figures.length, 4);
    for (const { width, height } of figures) assert.ok(width >= 500 && height >= 300, `${width} x ${height}`);
    assert.ok(pictures.length >= 24 + 6, `${pictures.length} pictures`); // examples of classes, predictions
    for (const { isDrawn, width, height } of pictures) {
      assert.ok(isDrawn && width >= 30 && height >= 30, `${width} x ${height}`);
    }
    assert.ok(tables >= 1);
    assert.equal(errors, 0);
    assert.deepEqual(cutOff, []);

    // The mouse makes a figure interactive, at the same size.
    const figure = page.locator(".jp-RenderedPlotly").nth(1);
    await figure.hover();
    const drawn = await figure.locator(".plot-container .main-svg").first().boundingBox({ timeout: 30_000 });
    assert.deepEqual([Math.round(drawn!.width), Math.round(drawn!.height)], Object.values(figures[1]!));

    // The cell of the imports, on a kernel that JupyterLab has started.
    const cell = page.locator(".jp-CodeCell").first();
    await cell.locator(".cm-content").click();
    await page.keyboard.press("Shift+Enter");
    await cell.locator(".jp-InputPrompt", { hasText: "[1]:" }).waitFor({ timeout: 60_000 });
    await page.getByText("Deno | Idle").waitFor();
    assert.equal(await cell.locator(".jp-OutputArea-output").count(), 0);
    assert.deepEqual(complaints, []);
  } finally {
    await page.screenshot({ path: join(folder, "page.png") }).catch(() => {});
    await close();
    assert.deepEqual(await task.stop(), {
      last: "JupyterLab has ended.",
      success: true,
      code: 0,
      signal: null,
    });
  }
  const { stdout } = await new Deno.Command("ps", { args: ["-eo", "args"] }).output();
  assert.ok(!new TextDecoder().decode(stdout).includes(folder), "the kernel has ended too");
  await Deno.remove(dirname(folder), { recursive: true });
});
