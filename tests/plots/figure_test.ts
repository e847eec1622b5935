import assert from "node:assert/strict";
import sharp from "npm:sharp@0.35.5";
import { Figure } from "../../lib/plots/figure.ts";

const figure = new Figure({
  data: [{ type: "scatter", x: new Float32Array([1, 2, 3]), y: [1, NaN, 2], name: "</script><b>" }],
  layout: { width: 400, height: 300, title: { text: "A title" } },
});

Deno.test("Figure() holds plain data: typed arrays become arrays, gaps become null", () => {
  assert.deepEqual(figure.toJSON(), {
    data: [{ type: "scatter", x: [1, 2, 3], y: [1, null, 2], name: "</script><b>" }],
    layout: { width: 400, height: 300, title: { text: "A title" } },
  });
  assert.deepEqual(JSON.parse(JSON.stringify(figure)), figure.toJSON());
});

Deno.test("Figure() draws an SVG with its text, and leaves its data as they are", async () => {
  const before = JSON.stringify(figure);
  const svg = await figure.svg();
  assert.match(svg, /^<svg[^>]* width="400" height="300"/);
  assert.match(svg, />A title</);
  assert.match(svg, /font-family: Open Sans, verdana/);
  assert.equal(JSON.stringify(figure), before);
});

Deno.test("Figure() draws a PNG of the size asked for", async () => {
  for (const [scale, width, height] of [[1, 400, 300], [2, 800, 600], [0.5, 200, 150]]) {
    const metadata = await sharp(await figure.png({ scale })).metadata();
    assert.deepEqual([metadata.format, metadata.width, metadata.height], ["png", width, height]);
  }
});

Deno.test("Figure() refuses a scale of nothing", async () => {
  await assert.rejects(figure.png({ scale: 0 }), {
    name: "RangeError",
    message: "Cannot draw a PNG as 'scale' must be > 0: current value is 0",
  });
});

Deno.test("Figure() draws figures at the same time", async () => {
  const [a, b] = await Promise.all([figure.svg(), figure.svg()]);
  const withoutIds = (svg: string) => svg.replaceAll(/ (class|id|clip-path)="[^"]*"/g, "");
  assert.equal(withoutIds(a), withoutIds(b));
});

Deno.test("Figure() draws text as outlines into the PNG, so that no font is needed", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(
    `${folder}/fonts.conf`,
    `<?xml version="1.0"?><fontconfig><dir>${folder}</dir></fontconfig>`,
  );
  const script = `import { Figure } from ${
    JSON.stringify(new URL("../../lib/plots/figure.ts", import.meta.url).href)
  };
    const figure = new Figure(${JSON.stringify(figure)});
    await Deno.stdout.write(await figure.png());`;
  await Deno.writeTextFile(`${folder}/draw.ts`, script);
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${folder}/draw.ts`],
    env: { FONTCONFIG_FILE: `${folder}/fonts.conf` },
  }).output();
  assert.deepEqual(stdout, new Uint8Array(await figure.png()));
});

Deno.test("Figure() saves in the form that the extension names", async () => {
  const folder = `${await Deno.makeTempDir()}/new`;
  for (const extension of ["html", "svg", "png", "json", "SVG"]) {
    await figure.save(`${folder}/figure.${extension}`);
  }
  const read = (extension: string) => Deno.readTextFileSync(`${folder}/figure.${extension}`);
  assert.deepEqual(JSON.parse(read("json")), figure.toJSON());
  assert.match(read("svg"), /^<svg/);
  assert.match(read("SVG"), /^<svg/);
  assert.deepEqual([...Deno.readFileSync(`${folder}/figure.png`).subarray(1, 4)], [0x50, 0x4e, 0x47]);
  assert.equal([...Deno.readDirSync(folder)].length, 5); // and no temporary file
});

Deno.test("Figure() saves HTML that loads nothing and whose data cannot end the script", async () => {
  const html = await figure.html();
  assert.match(html, /plotly\.js/);
  assert.doesNotMatch(html, /<(script|link|img)[^>]+(src|href)=/);
  assert.doesNotMatch(html, /"<\/script><b>"/);
  assert.match(html, /\\u003c\/script>\\u003cb>/);
});

Deno.test("Figure() refuses to save in an unknown form", async () => {
  await assert.rejects(figure.save("figure.pdf"), {
    name: "RangeError",
    message: 'Cannot save figure to "figure.pdf": unknown extension ".pdf"\n' +
      "  help: end the path in .html, .svg, .png or .json",
  });
});

Deno.test("Figure() shows itself in a notebook: plotly, a PNG beside it, a line of text", async () => {
  const show = (figure as unknown as Record<symbol, () => Promise<Record<string, string>>>)[
    Symbol.for("Jupyter.display")
  ];
  const bundle = await show.call(figure);
  assert.deepEqual(bundle["application/vnd.plotly.v1+json"], figure.toJSON());
  assert.match(bundle["image/png"], /^iVBOR/);
  assert.equal(bundle["text/plain"], "Figure (1 traces, 400 x 300)");
});
