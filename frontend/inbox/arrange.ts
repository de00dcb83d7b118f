/** Groups, days and the read mark: made from the nodes alone, so any of them may come or go. */

import { h } from "../shared/dom";
import { $$ } from "./page";
import { freshen, localDay } from "./times";

const GROUP_MS = 300_000;

export function arrange(events: HTMLElement, visitorRead: number) {
  let last: HTMLElement | null = null;
  let lastRead: HTMLElement | null = null;
  let state = "";
  for (const node of $$(".message", events)) {
    const { role, time } = node.dataset;
    if (node.classList.contains("change")) {
      // Tags change a conversation without changing what such a line tells.
      node.hidden = node.dataset.state === state;
      state = node.dataset.state ?? "";
    }
    if (time && localDay(time) !== (last?.dataset.time ? localDay(last.dataset.time) : ""))
      separate(node, time);
    node.classList.toggle("grouped", belongsTo(last, node));
    node.classList.remove("last-read");
    const isReply = role === "operator" && !node.classList.contains("note");
    if (isReply && Number(node.dataset.seq) <= visitorRead) lastRead = node;
    if (time) last = node;
  }
  lastRead?.classList.add("last-read");
}

function belongsTo(last: HTMLElement | null, node: HTMLElement): boolean {
  if (!last || node.classList.contains("line")) return false;
  const [before, now] = [last.dataset, node.dataset];
  return (
    before.role === now.role &&
    before.author === now.author &&
    last.classList.contains("note") === node.classList.contains("note") &&
    Date.parse(now.time ?? "") - Date.parse(before.time ?? "") < GROUP_MS
  );
}

function separate(node: HTMLElement, time: string) {
  if (node.previousElementSibling?.classList.contains("day")) return;
  const when = h("time", { datetime: localDay(time), "data-day": true });
  const line = h("p", { class: "day" }, h("span", null, when));
  node.before(line);
  freshen(line);
}
