/**
 * Markdown as a growing DOM tree. Blocks that can no longer change are built once; only the open
 * end is rebuilt, so a long answer costs what its last block costs, and a streamed answer ends as
 * the same tree that the finished text gives at once.
 */

import { h } from "./dom";
import { inline } from "./inline";

export interface Labels {
  copy: string;
  copied: string;
}
interface Block {
  /** Index of the line after the block. */
  end: number;
  build(open: boolean): Node;
}

const FENCE = /^ {0,3}(```+|~~~+) *([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6}) +(.*?) *#*$/;
const RULE = /^ {0,3}([-*_])( *\1){2,} *$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])( +|$)/;
const DELIMITERS = /^[ |:]*-[-| :]*$/;
const MAX_DEPTH = 6;

const blank = (line: string | undefined) => !line?.trim();
const untab = (line: string) => line.replace(/^\t+/, (tabs) => "    ".repeat(tabs.length));
const indentOf = (line: string) => line.length - line.trimStart().length;
const cells = (line: string) => line.replace(/^ *\||\| *$/g, "").split("|");

const isTable = (lines: string[], i: number) => {
  const [head, below] = [lines[i] as string, lines[i + 1]];
  return (
    head.includes("|") &&
    below !== undefined &&
    DELIMITERS.test(below) &&
    cells(head).length === cells(below).length
  );
};

/** Whether line `i` ends a paragraph that stands above it. */
const interrupts = (lines: string[], i: number) => {
  const line = lines[i] as string;
  const item = ITEM.exec(line);
  return (
    blank(line) ||
    FENCE.test(line) ||
    HEADING.test(line) ||
    RULE.test(line) ||
    QUOTE.test(line) ||
    (item && item[0].length < line.length && !/^(?!1[.)])\d/.test(item[2] as string)) ||
    isTable(lines, i)
  );
};

function blockAt(lines: string[], i: number, labels: Labels, depth: number): Block {
  const line = lines[i] as string;
  const fence = FENCE.exec(line);
  if (fence) return code(lines, i, fence, labels);
  const heading = HEADING.exec(line);
  if (heading) {
    const text = heading[2] as string;
    return {
      end: i + 1,
      build: (open) => h("p", { class: "md-h" }, h("strong", null, ...inline(text, open))),
    };
  }
  if (RULE.test(line)) return { end: i + 1, build: () => h("hr") };
  if (depth < MAX_DEPTH) {
    if (QUOTE.test(line)) return quote(lines, i, labels, depth);
    if (ITEM.test(untab(line))) return list(lines, i, labels, depth);
  }
  if (isTable(lines, i)) return table(lines, i);
  let end = i + 1;
  while (end < lines.length && !interrupts(lines, end)) end++;
  const text = lines.slice(i, end).map((part) => part.trim());
  // `p` keeps its line breaks by style: people and models mean them in a chat.
  return { end, build: (open) => h("p", null, ...inline(text.join("\n"), open)) };
}

function code(lines: string[], i: number, fence: RegExpExecArray, labels: Labels): Block {
  const mark = fence[1] as string;
  const close = new RegExp(`^ {0,3}${mark[0]}{${mark.length},} *$`);
  let end = i + 1;
  while (end < lines.length && !close.test(lines[end] as string)) end++;
  const text = lines.slice(i + 1, end).join("\n");
  return {
    end: Math.min(end + 1, lines.length),
    build() {
      const onclick = async () => {
        await navigator.clipboard.writeText(text);
        button.textContent = labels.copied;
      };
      const button = h("button", { type: "button", class: "copy s", onclick }, labels.copy);
      // Scrolls sideways, so the keyboard must be able to reach it.
      return h(
        "div",
        { class: "code", dir: "ltr" },
        h("pre", { tabindex: 0 }, h("code", null, text)),
        button,
      );
    },
  };
}

function quote(lines: string[], i: number, labels: Labels, depth: number): Block {
  let end = i;
  while (end < lines.length && QUOTE.test(lines[end] as string)) end++;
  const inner = lines.slice(i, end).map((part) => part.replace(QUOTE, ""));
  return {
    end,
    build: (open) => h("blockquote", null, ...build(inner, labels, depth + 1, open)),
  };
}

function list(lines: string[], i: number, labels: Labels, depth: number): Block {
  const items: string[][] = [];
  const first = (ITEM.exec(untab(lines[i] as string)) as RegExpExecArray)[2] as string;
  const ordered = /\d/.test(first);
  let width = 0;
  let end = i;
  for (; end < lines.length; end++) {
    const line = untab(lines[end] as string);
    const item = RULE.test(line) ? null : ITEM.exec(line);
    const indent = indentOf(line);
    const current = items[items.length - 1];
    if (item && /\d/.test(item[2] as string) === ordered && (!current || indent < width)) {
      width = indent + (item[2] as string).length + 1;
      items.push([line.slice(item[0].length)]);
    } else if (!current) break;
    else if (blank(line)) {
      let next = end;
      while (next < lines.length && blank(lines[next])) next++;
      if (next === lines.length) break;
      const after = untab(lines[next] as string);
      const again = RULE.test(after) ? null : ITEM.exec(after);
      if (indentOf(after) < 2 && !(again && /\d/.test(again[2] as string) === ordered)) break;
      current.push("");
    } else if (indent >= 2) current.push(line.slice(Math.min(indent, width)));
    else if (blank(current[current.length - 1]) || interrupts(lines, end)) break;
    else current.push(line);
  }
  const from = Number.parseInt(first, 10);
  return {
    end,
    build: (open) =>
      h(
        ordered ? "ol" : "ul",
        ordered && from !== 1 ? { start: from } : null,
        ...items.map((item, n) =>
          h("li", null, ...build(item, labels, depth + 1, open && n === items.length - 1)),
        ),
      ),
  };
}

function table(lines: string[], i: number): Block {
  let end = i + 2;
  while (end < lines.length && (lines[end] as string).includes("|")) end++;
  const head = cells(lines[i] as string);
  const rows = lines.slice(i + 2, end).map(cells);
  const row = (tag: "th" | "td", texts: string[]) =>
    h("tr", null, ...head.map((_, n) => h(tag, null, ...inline(texts[n]?.trim() ?? ""))));
  return {
    end,
    build: () =>
      h(
        "div",
        { class: "table", tabindex: 0 },
        h(
          "table",
          null,
          h("thead", null, row("th", head)),
          h("tbody", null, ...rows.map((texts) => row("td", texts))),
        ),
      ),
  };
}

function parse(lines: string[], labels: Labels, depth: number): (Block & { at: number })[] {
  const out = [];
  for (let i = 0; i < lines.length; ) {
    if (blank(lines[i])) {
      i++;
      continue;
    }
    const block = blockAt(lines, i, labels, depth);
    out.push({ ...block, at: i });
    i = block.end;
  }
  return out;
}

const build = (lines: string[], labels: Labels, depth: number, open: boolean): Node[] =>
  parse(lines, labels, depth).map((block, n, all) => block.build(open && n === all.length - 1));

/**
 * Renders into `root`. `update(text)` takes the whole text so far and may be called as often as
 * it grows (once per frame is enough); `done` closes what was left open.
 */
export function createMarkdown(root: HTMLElement, labels: Labels) {
  let settled = "";
  let tail: Node[] = [];
  return (text: string, done = true): void => {
    const source = text.replace(/\r\n?/g, "\n");
    for (const node of tail) root.removeChild(node);
    if (!source.startsWith(settled)) {
      settled = "";
      root.replaceChildren();
    }
    // The last line may still become something else, so only complete lines settle a block.
    const lines = source.slice(settled.length, source.lastIndexOf("\n") + 1).split("\n");
    const blocks = parse(lines.slice(0, -1), labels, 0);
    const last = blocks.pop();
    if (last) {
      for (const block of blocks) root.appendChild(block.build(false));
      settled = source.slice(
        0,
        settled.length + lines.slice(0, last.at).reduce((sum, line) => sum + line.length + 1, 0),
      );
    }
    tail = build(source.slice(settled.length).split("\n"), labels, 0, !done);
    for (const node of tail) root.appendChild(node);
  };
}
