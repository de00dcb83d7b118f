import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Window } from "happy-dom";

const window = new Window();
Object.assign(globalThis, {
  document: window.document,
  Node: window.Node,
  Text: window.Text,
});
const { createMarkdown } = await import("../shared/markdown");
const { safeUrl } = await import("../shared/links");

const labels = { copy: "Copy", copied: "Copied" };
const root = () => document.createElement("div");

/** The tree as text; adjacent text nodes count as one. */
function tree(node: Node): string {
  if (node.nodeType === 3) return (node.textContent ?? "").replace(/[<&]/g, "?");
  const element = node as Element;
  const attributes = [...element.attributes].map((a) => ` ${a.name}=${a.value}`).sort();
  const inside = [...element.childNodes].map(tree).join("");
  return `<${element.tagName.toLowerCase()}${attributes.join("")}>${inside}</>`;
}
function once(text: string): string {
  const at = root();
  createMarkdown(at, labels)(text);
  return tree(at);
}
function streamed(text: string, cuts: number[]): string {
  const at = root();
  const update = createMarkdown(at, labels);
  for (const cut of [...cuts].sort((a, b) => a - b)) update(text.slice(0, cut), false);
  update(text, true);
  return tree(at);
}
const html = (text: string) => once(text).replace(/^<div>|<\/>$/g, "");

const PIECES = [
  "a",
  "word ",
  "\n",
  "\n\n",
  "  ",
  "    ",
  "\t",
  "\r\n",
  "*",
  "**",
  "_",
  "__",
  "~~",
  "`",
  "```",
  "~~~\n",
  "# ",
  "### h\n",
  "- ",
  "* ",
  "+ ",
  "1. ",
  "2) ",
  "10. ",
  "> ",
  "---",
  "***\n",
  "|",
  "| a | b |\n",
  "|---|---|\n",
  "[",
  "](",
  ")",
  "](/x)",
  "!",
  "<",
  ">",
  "\\",
  "https://e.org/a_b",
  "http://",
  "😀",
  "é",
  ":",
  "-",
  "=",
  "0",
  ".",
];

test("10,000 random documents in random chunks give the tree of the whole text", () => {
  const doc = fc
    .array(fc.constantFrom(...PIECES), { maxLength: 30 })
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(doc, fc.array(fc.nat(120), { maxLength: 8 }), (text, cuts) => {
      assert.equal(streamed(text, cuts), once(text));
    }),
    { numRuns: 10_000 },
  );
});

test("cutting after every character gives the same tree", () => {
  const text =
    "# T\n\nA *b* **c\nd**\n- x\n- y\n  1. z\n\n1. q\n2. r\n\n| a | b |\n|--|--|\n| 1 | 2 |\n\n> q\n> r\n```py\nx = 1\n```\nend [l](/x) `c`";
  assert.equal(
    streamed(
      text,
      [...text].map((_, n) => n),
    ),
    once(text),
  );
});

test("what is alike stays the same node while the text grows", () => {
  const at = root();
  const update = createMarkdown(at, labels);
  update("one **two** thr", false);
  const [paragraph, text] = [at.firstChild, at.firstChild?.lastChild];
  update("one **two** three four", false);
  assert.equal(at.firstChild, paragraph);
  assert.equal(at.firstChild?.lastChild, text);
  assert.equal(at.textContent, "one two three four");
});

test("a table takes in its rows, and the text after it stands alone", () => {
  const text = "before\n| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\nafter";
  const at = root();
  createMarkdown(at, labels)(text);
  assert.equal(at.querySelectorAll("td").length, 4);
  assert.deepEqual(
    [...at.children].map((child) => child.tagName),
    ["P", "DIV", "P"],
  );
  assert.equal(at.textContent, "beforeab1234after");
});

test("a bullet list followed by a numbered one are two lists", () => {
  assert.match(once("- a\n1. b"), /<ul><li><p>a<\/><\/><\/><ol><li><p>b<\/><\/><\/>/);
});

test("blocks and marks become elements", () => {
  assert.equal(
    html("**b** *i* ~~s~~ `c`"),
    "<p><strong>b</> <em>i</> <s>s</> <code dir=ltr>c</></>",
  );
  assert.match(html("### Title"), /<p class=md-h><strong>Title/);
  assert.match(html("- a\n  - b"), /<ul><li><p>a<\/><ul><li><p>b/);
  assert.match(html("3. a\n4. b"), /<ol start=3>/);
  assert.match(html("```js\na<b\n```"), /<pre tabindex=0><code>a\?b<\/><\/>/);
  assert.match(html("|a|b|\n|-|-|\n|1|2|"), /<th>a<\/><th>b<\/>.*<td>1<\/><td>2<\/>/);
  assert.match(html("> q"), /<blockquote><p>q/);
  assert.equal(html("snake_case_name and 2 * 3 * 4"), "<p>snake_case_name and 2 * 3 * 4</>");
});

test("an open mark is not shown raw while the text still grows", () => {
  const at = root();
  const update = createMarkdown(at, labels);
  update("see **bold te", false);
  assert.equal(tree(at), "<div><p>see <strong>bold te</></></>");
  update("see [the label](/ret", false);
  assert.equal(at.textContent, "see the label");
});

test("marks may nest", () => {
  assert.equal(html("***x***"), "<p><strong><em>x</></></>");
  assert.equal(html("*a **b** c*"), "<p><em>a <strong>b</> c</></>");
  assert.equal(html("**a *b* c**"), "<p><strong>a <em>b</> c</></>");
  assert.equal(html("`a*b` *c*"), "<p><code dir=ltr>a*b</> <em>c</></>");
});

test("links open outside and images are links", () => {
  assert.equal(
    html("[t](https://e.org/x)"),
    "<p><a href=https://e.org/x rel=noopener noreferrer nofollow ugc target=_blank>t</></>",
  );
  assert.match(html("![cat](https://e.org/c.png)"), /<a href=https:\/\/e\.org\/c\.png[^>]*>cat/);
  assert.match(
    html("at https://e.org/a_(b), ok."),
    /<a href=https:\/\/e\.org\/a_\(b\) [^>]*>[^<]*<\/>, ok\./,
  );
});

const HOSTILE = [
  "[x](javascript:alert(1))",
  "[x](JaVaScRiPt:alert(1))",
  "[x](java\tscript:alert(1))",
  "[x](\u0001javascript:alert(1))",
  "[x](data:text/html,<script>alert(1)</script>)",
  "[x](vbscript:x)",
  "[x](//evil.example)",
  "[x](/\\evil.example)",
  "[x](<javascript:alert(1)>)",
  "<javascript:alert(1)>",
  "![x](javascript:alert(1))",
  "<img src=x onerror=alert(1)>",
  "<script>alert(1)</script>",
  "<a href='javascript:alert(1)'>x</a>",
  '[x](https://e.org" onclick=alert(1))',
  "`<img src=x onerror=alert(1)>`",
  "```\n</code><script>alert(1)</script>\n```",
  "[![a](x)](javascript:alert(1))",
  "[x](javascript&#58;alert(1))",
  "[x](\\javascript:alert(1))",
  "|<svg onload=alert(1)>|b|\n|-|-|\n|1|2|",
  "[x](blob:https://e.org/1)",
  "[x](file:///etc/passwd)",
  "[x](ws://e.org)",
  "[x](filesystem:x)",
];
const TAGS = new Set(
  "div p strong em s code pre button a span ul ol li blockquote hr table thead tbody tr th td".split(
    " ",
  ),
);

function inert(text: string) {
  const at = root();
  createMarkdown(at, labels)(text);
  for (const node of at.querySelectorAll("*")) {
    assert.ok(TAGS.has(node.tagName.toLowerCase()), `${node.tagName} from ${text}`);
    for (const { name, value } of node.attributes) {
      assert.doesNotMatch(name, /^on/, text);
      if (name === "href") assert.match(value, /^(https?:|mailto:|tel:|\/(?![/\\])|#)/i, text);
    }
  }
}

test("a corpus of hostile texts is inert", () => {
  for (const text of HOSTILE) {
    inert(text);
    inert(`> - ${text}`);
  }
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...HOSTILE, ...PIECES), { maxLength: 8 }), (parts) =>
      inert(parts.join("")),
    ),
    { numRuns: 2000 },
  );
});

test("only addresses on the allow-list pass", () => {
  for (const good of [
    "https://a.b",
    "http://a.b",
    "mailto:a@b.c",
    "tel:+1",
    "/x",
    "#y",
    "HTTPS://A.B",
  ])
    assert.ok(safeUrl(good), good);
  for (const bad of [
    "javascript:1",
    " javascript:1",
    "java\nscript:1",
    "data:x",
    "//x",
    "/\\x",
    "x:y",
    "\u0000javascript:1",
  ])
    assert.equal(safeUrl(bad), null, bad);
});

test("a hostile amount of marks is drawn in reasonable time", () => {
  for (const text of [
    "*a ".repeat(4000),
    "**".repeat(4000),
    "`".repeat(1) + "`` ".repeat(3000),
    "[".repeat(8000),
    "> ".repeat(4000),
    "- ".repeat(4000),
    "|".repeat(8000),
  ]) {
    const started = performance.now();
    once(text);
    assert.ok(
      performance.now() - started < 1500,
      `${text.slice(0, 9)} took ${performance.now() - started} ms`,
    );
  }
});
