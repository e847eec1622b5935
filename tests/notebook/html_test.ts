import assert from "node:assert/strict";
import { html, rawHtml } from "../../lib/notebook/html.ts";

Deno.test("html() escapes what stands between the braces, for text and for quoted attributes", () => {
  const hostile = `"><script>alert('1')</script>&`;
  assert.equal(
    html`<a title="${hostile}">${hostile}</a>`.markup,
    `<a title="&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;">` +
      `&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;</a>`,
  );
});

Deno.test("html() keeps markup, joins lists, and draws nothing for false and undefined", () => {
  const list = ["<a>", html`<b>${2}</b>`, [rawHtml("<hr>"), "x"]];
  assert.equal(html`[${list}|${false}|${undefined}|${0}]`.markup, "[&lt;a&gt;<b>2</b><hr>x|||0]");
});
