/**
 * Markdown as a growing DOM tree. Blocks that can no longer change are read once; of the open end
 * only what differs is drawn, so a long answer costs what its last blocks cost, and a streamed
 * answer ends as the same tree that the finished text gives at once.
 */

import { button, h } from "./dom";
import { inline } from "./inline";

export interface Labels {
  copy: string;
  copied: string;
}
/** A block and the index of the line after it. */
type Block = [end: number, node: Node];
/** A block and the index of its first line. */
type Placed = [at: number, node: Node];

/** How a fence, a heading, a rule or a quote begins. */
const START = /^ {0,3}(?:(```+|~~~+)[^`]*$|#{1,6} +(.*?) *#*$|([-*_])(?: *\3){2,} *$|(> ?))/;
const ITEM = /^ *([-*+]|\d{1,9}[.)])( +|$)/;
/** What ends a paragraph without a blank line: not any number, "2026. " may stand in a sentence. */
const INTERRUPTS = /^ *([-*+]|1[.)]) +\S/;
const QUOTE = /^ {0,3}> ?/;
const DELIMITERS = /^[ |:]*-[-| :]*$/;
const LETTER = /^\p{L}/u;
const MAX_DEPTH = 6;

const blank = (line = "") => !line.trim();
const untab = (line: string) => line.replace(/^\t+/, (tabs) => "    ".repeat(tabs.length));
const indentOf = (line: string) => line.length - line.trimStart().length;
const cells = (line: string) => line.replace(/^ *\||\| *$/g, "").split("|");
const itemOf = (line: string) => (START.exec(line)?.[3] ? null : ITEM.exec(line));
const numbered = (item: RegExpExecArray) => /\d/.test(item[1] as string);

const isTable = (lines: string[], i: number) => {
  const [head, below] = [lines[i] as string, lines[i + 1] ?? ""];
  return head.includes("|") && DELIMITERS.test(below) && cells(head).length === cells(below).length;
};
const interrupts = (lines: string[], i: number) => {
  const line = lines[i] as string;
  return blank(line) || START.test(line) || INTERRUPTS.test(line) || isTable(lines, i);
};

/** The block that begins at line `i`; `open`: the text may still grow. */
function block(lines: string[], i: number, labels: Labels, depth: number, open: boolean): Block {
  const line = lines[i] as string;
  const [, fence, heading, rule, quote] = START.exec(line) ?? [];
  let end = i + 1;
  const until = (stop: (line: string) => unknown) => {
    while (end < lines.length && !stop(lines[end] as string)) end++;
    return lines.slice(i, end);
  };
  const grows = () => open && end >= lines.length;
  if (fence) {
    const close = new RegExp(`^ {0,3}${fence[0]}{${fence.length},} *$`);
    const text = until((next) => close.test(next)).slice(1);
    return [end + 1, code(text.join("\n"), labels)];
  }
  if (heading != null) return [end, h("p", "md-h", h("strong", null, ...inline(heading, grows())))];
  if (rule) return [end, h("hr")];
  if (depth < MAX_DEPTH) {
    if (quote) {
      const inner = until((next) => !QUOTE.test(next)).map((part) => part.replace(QUOTE, ""));
      return [end, h("blockquote", null, ...nodes(inner, labels, depth + 1, grows()))];
    }
    if (ITEM.test(untab(line))) return list(lines, i, labels, depth, open);
  }
  if (isTable(lines, i)) {
    end++;
    const rows = until((next) => !next.includes("|"));
    return [end, table(rows)];
  }
  const text = until(() => interrupts(lines, end)).map((part) => part.trim());
  // `p` keeps its line breaks by style: people and models mean them in a chat.
  return [end, h("p", null, ...inline(text.join("\n"), grows()))];
}

function code(text: string, labels: Labels) {
  // Scrolls sideways, so the keyboard must be able to reach it.
  const pre = h("pre", { tabindex: 0 }, h("code", null, text));
  const copy = button(
    labels.copy,
    async () => {
      await navigator.clipboard.writeText(pre.textContent as string);
      copy.textContent = labels.copied;
    },
    "copy s",
  );
  return h("div", { class: "code", dir: "ltr" }, pre, copy);
}

function list(lines: string[], i: number, labels: Labels, depth: number, open: boolean): Block {
  const first = ITEM.exec(untab(lines[i] as string)) as RegExpExecArray;
  const ordered = numbered(first);
  const items: string[][] = [];
  let current: string[] = [];
  let width = 99;
  let end = i;
  for (; end < lines.length; end++) {
    const line = untab(lines[end] as string);
    const item = itemOf(line);
    const indent = indentOf(line);
    if (item && numbered(item) === ordered && indent < width) {
      width = indent + (item[1] as string).length + 1;
      current = [line.slice(item[0].length)];
      items.push(current);
    } else if (blank(line)) {
      const after = untab(lines.find((next, at) => at > end && !blank(next)) ?? "");
      const again = itemOf(after);
      if (indentOf(after) < 2 && !(again && numbered(again) === ordered)) break;
      current.push("");
    } else if (indent > 1) current.push(line.slice(Math.min(indent, width)));
    else if (blank(current.at(-1)) || interrupts(lines, end)) break;
    else current.push(line);
  }
  const start = ordered ? +(first[1] as string).slice(0, -1) : 1;
  const rows = items.map((item, n) =>
    h("li", null, ...nodes(item, labels, depth + 1, open && end === lines.length && !items[n + 1])),
  );
  return [end, h(ordered ? "ol" : "ul", start === 1 ? null : { start }, ...rows)];
}

function table([first, , ...rest]: string[]) {
  const head = cells(first as string);
  const row = (tag: "th" | "td", texts: string[]) =>
    h("tr", null, ...head.map((_, n) => h(tag, null, ...inline(texts[n]?.trim() ?? ""))));
  const body = rest.map((line) => row("td", cells(line)));
  const parts = [h("thead", null, row("th", head)), h("tbody", null, ...body)];
  return h("div", { class: "table", tabindex: 0 }, h("table", null, ...parts));
}

function blocks(lines: string[], labels: Labels, depth: number, open: boolean): Placed[] {
  const out: Placed[] = [];
  for (let i = 0; i < lines.length; ) {
    if (blank(lines[i])) {
      i++;
      continue;
    }
    const [end, node] = block(lines, i, labels, depth, open);
    out.push([i, node]);
    i = end;
  }
  return out;
}

const nodes = (...args: Parameters<typeof blocks>) => blocks(...args).map(([, node]) => node);

/**
 * Makes the children of `root` behind the first `kept` like `wanted`. What is alike stays: a
 * selection survives, and of a text that grew the browser lays out only what is new.
 */
function patch(root: Node, kept: number, wanted: Node[]) {
  wanted.forEach((node, n) => {
    const old = root.childNodes[kept + n];
    if (!old) root.appendChild(node);
    else if (old instanceof Text && node instanceof Text && node.data.startsWith(old.data))
      old.appendData(node.data.slice(old.length));
    else if (!old.cloneNode().isEqualNode(node.cloneNode())) root.replaceChild(node, old);
    else patch(old, 0, [...node.childNodes]);
  });
  while (root.childNodes[kept + wanted.length]) root.lastChild?.remove();
}

/**
 * Renders into `root`. `update(text)` takes the whole text so far and may be called as often as
 * it grows (once per frame is enough); `done` closes what was left open.
 */
export function createMarkdown(root: HTMLElement, labels: Labels) {
  let settled = "";
  let kept = 0;
  return (text: string, done = true): void => {
    const source = text.replace(/\r\n?/g, "\n").trimEnd();
    if (!source.startsWith(settled)) {
      settled = "";
      kept = 0;
    }
    const lines = source.slice(settled.length).split("\n");
    const found = blocks(lines, labels, 0, !done);
    patch(
      root,
      kept,
      found.map(([, node]) => node),
    );
    // The last line may still become something else and changes how the one above it is read, so
    // what stands before a block that begins above these two is settled. A letter after a blank
    // line begins a paragraph of its own, whatever follows.
    const next = found.findLastIndex(
      ([at]) => at < lines.length - 2 || (blank(lines[at - 1]) && LETTER.test(lines[at] as string)),
    );
    if (next > 0) {
      kept += next;
      const [at] = found[next] as Placed;
      settled = source.slice(0, settled.length + lines.slice(0, at).join("\n").length + 1);
    }
  };
}
