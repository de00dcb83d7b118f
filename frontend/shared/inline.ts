/**
 * The inside of a Markdown block: emphasis, code, links. Text never becomes markup: every node is
 * made by `createElement`, every address passes an allow-list.
 */

import { h } from "./dom";
import { link } from "./links";

const TARGET =
  /^((?:\\.|[^\]\\])*)\]\( *<?((?:[^()\s<>]|\([^()\s]*\))*)>?(?: +["'][^"']*["'])? *\)/;
/**
 * What means something in running text: an escape, code, a mark, a bracket, an address (a full stop
 * or a bracket after it belongs to the sentence).
 */
const INLINE =
  /\\([!-/:-@[-`{-~])|(`+)(?:([\s\S]*?[^`])\2(?!`))?|(\*\*|__|~~|[*_])|(!?\[)|https?:\/\/(?:\([^\s()]*\)|[^\s<>()])*(?:\([^\s()]*\)|[^\s<>().,:;!?'"*_~`\]])/g;
const MARKS = /\\.|(`+)[\s\S]*?[^`]\1(?!`)|\*{1,2}(?!\*)|__?(?!_)|~~/g;
const WORD = /[\p{L}\p{N}]/u;

/** Where the mark that closes `mark` stands in `text`, outside of code; -1 when not (yet) there. */
function closing(text: string, mark: string): number {
  for (const { 0: found, index } of text.matchAll(MARKS))
    if (
      found === mark &&
      /\S/.test(text[index - 1] ?? " ") &&
      (mark[0] !== "_" || !WORD.test(text[index + mark.length] ?? ""))
    )
      return index;
  return -1;
}

/** `open`: the text may still grow, so an opened mark counts as one that will be closed. */
export function inline(text: string, open = false, depth = 0): (Node | string)[] {
  const out: (Node | string)[] = [];
  const scan = new RegExp(INLINE);
  // Marks known to have no end further on: looking again for each of them would take for ever.
  const dead = new Set<string>();
  let plain = "";
  let at = 0;
  const add = (node: Node) => {
    out.push(plain, node);
    plain = "";
  };
  for (let m = scan.exec(text); m; m = scan.exec(text)) {
    const [all, escaped, ticks, code, mark, bracket] = m;
    plain += text.slice(at, m.index);
    at = scan.lastIndex;
    const rest = text.slice(at);
    let used = 0;
    if (escaped) plain += escaped;
    else if (ticks) {
      const inside = code ?? (open && rest.trim() ? rest : "");
      if (inside) add(h("code", { dir: "ltr" }, inside.replace(/^ (.*\S.*) $/s, "$1")));
      else plain += ticks;
      if (!code && inside) used = rest.length;
    } else if (mark) {
      const may = /^\S/.test(rest) && (mark[0] !== "_" || !WORD.test(text[m.index - 1] ?? ""));
      const end = may && depth < 8 && !dead.has(mark) ? closing(rest, mark) : 0;
      if (end < 0) dead.add(mark);
      if (end > 0 || (end && open)) {
        const tag = mark === "~~" ? "s" : mark[1] ? "strong" : "em";
        const inside = end < 0 ? rest : rest.slice(0, end);
        add(h(tag, null, ...inline(inside, end < 0, depth + 1)));
        used = end < 0 ? rest.length : end + mark.length;
      } else plain += mark;
    } else if (bracket) {
      const [whole, label, url = ""] = (depth < 8 && TARGET.exec(rest)) || [];
      const partial = open && /^([^\]]*)\]\([^)]*$/.exec(rest);
      if (whole) {
        add(link(url, inline(label || url, false, 8)));
        used = whole.length;
      } else if (partial) {
        plain += partial[1];
        used = rest.length;
      } else plain += bracket;
    } else if (depth < 8) add(link(all, [all]));
    else plain += all;
    at += used;
    scan.lastIndex = at;
  }
  out.push(plain + text.slice(at));
  return out;
}
