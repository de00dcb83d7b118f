/** From one conversation to another without loading the page anew; the address follows. */

import { pane } from "./api";
import { theList } from "./list";
import { $, desk, openId, page, view } from "./page";
import { theThread } from "./thread";
import { freshen } from "./times";
import { complain } from "./toasts";

const kept = new Map<string, { at: number; part: Promise<DocumentFragment> }>();
const KEEP_MS = 5000;
let wanted = "";

function load(url: string): Promise<DocumentFragment> {
  const known = kept.get(url);
  kept.delete(url);
  return known && Date.now() - known.at < KEEP_MS ? known.part : pane(url, "thread");
}

/** Asks for a conversation that is likely to be opened next. */
export function prefetch(url: string) {
  const known = kept.get(url);
  if (known && Date.now() - known.at < KEEP_MS) return;
  if (kept.size > 5) kept.clear();
  const part = pane(url, "thread");
  part.catch(() => kept.delete(url));
  kept.set(url, { at: Date.now(), part });
}

export const addressOf = (id: string): string => `${page.inbox}${view()}/${id}/`;

export async function open(id: string, push = true): Promise<void> {
  if (id === openId()) return focusThread();
  wanted = id;
  const main = $("#main") as HTMLElement;
  const slow = setTimeout(() => main.classList.add("loading"), 150);
  theList()?.select(id);
  try {
    const part = await load(addressOf(id));
    if (wanted !== id) return;
    const thread = $("inbox-thread", part);
    const details = $("#details", part);
    if (push)
      history.pushState(
        { id },
        "",
        addressOf(id) + (theList()?.dataset.search ? location.search : ""),
      );
    if (thread) main.replaceChildren(thread);
    $("#details")?.remove();
    if (details) desk.append(details);
    desk.classList.add("has-thread");
    freshen(desk);
    retitle();
    // Again: its row may have been replaced while the conversation was on its way.
    theList()?.select(id);
  } catch (error) {
    complain(error);
    theList()?.select(openId());
  } finally {
    clearTimeout(slow);
    main.classList.remove("loading");
  }
}

/** Back to the list alone (the only pane on a phone). */
export function leave(push = true) {
  wanted = "";
  const back = `${page.inbox}${view()}/`;
  if (push) history.pushState({}, "", back);
  $("inbox-thread")?.remove();
  $("#details")?.remove();
  desk.classList.remove("has-thread");
  theList()?.select("");
  retitle();
}

export function step(by: 1 | -1) {
  const row = theList()?.neighbour(by);
  if (row?.dataset.conversation) open(row.dataset.conversation);
}

/** After a conversation was dealt with: the next one of the list, or the list. */
export function goOn(from: string) {
  const list = theList();
  const row = list?.neighbour(1) ?? list?.neighbour(-1);
  const next = row?.dataset.conversation;
  if (next && next !== from) open(next);
  else leave();
}

export function focusThread() {
  $("inbox-thread h2")?.focus({ preventScroll: true });
}

export const baseTitle = { text: document.title };
export function retitle() {
  const name = theThread()?.dataset.visitor;
  const list = $(".list h1")?.textContent ?? "";
  baseTitle.text = name ? `${name} · ${list}` : list;
  document.title = baseTitle.text;
}

export function startNavigation() {
  let hover: ReturnType<typeof setTimeout> | undefined;
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey)
      return;
    const target = event.target as Element;
    const row = target.closest<HTMLElement>(".row a")?.closest<HTMLElement>(".row");
    if (row?.dataset.conversation) {
      event.preventDefault();
      open(row.dataset.conversation);
    } else if (target.closest(".back")) {
      event.preventDefault();
      leave();
    }
  });
  document.addEventListener("pointerover", (event) => {
    const row = (event.target as Element).closest<HTMLElement>(".row");
    clearTimeout(hover);
    const id = row?.dataset.conversation;
    if (id && id !== openId()) hover = setTimeout(() => prefetch(addressOf(id)), 80);
  });
  addEventListener("popstate", () => {
    const [, of, id] = /\/([a-z]+)\/([0-9a-f-]{36})\/$/.exec(location.pathname) ?? [];
    if (!id && location.pathname !== `${page.inbox}${view()}/`) location.reload();
    else if (!id) leave(false);
    else if (of !== view()) location.reload();
    else open(id, false);
  });
}
