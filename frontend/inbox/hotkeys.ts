/** The keys of the page. Single letters rest while somebody types, or for good if so wished. */

import { close, take } from "./commands";
import type { InboxComposer } from "./composer";
import { leave, step } from "./navigation";
import { $, openId } from "./page";

const OFF = "frontdesk.letters-off";
const composer = () => $<InboxComposer>("inbox-composer");

const LETTERS: Record<string, () => void> = {
  j: () => step(1),
  k: () => step(-1),
  r: () => composer()?.write("reply"),
  n: () => composer()?.write("note"),
  t: () => void take(),
  e: () => void close(),
  s: () => {
    const menu = $<HTMLDetailsElement>(".act-snooze");
    if (!menu || getComputedStyle(menu).display === "none") return;
    menu.open = true;
    $(".pop button", menu)?.focus();
  },
  u: () => openId() && leave(),
  "/": () => $<HTMLInputElement>(".search input")?.select(),
  "?": () => showKeys(),
};

export function showKeys() {
  const dialog = $<HTMLDialogElement>(".keys");
  if (!dialog?.open) dialog?.showModal();
}

const isTyping = (node: Element | null) =>
  !!node?.closest(
    "input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]",
  );

export function startHotkeys() {
  const letters = $<HTMLInputElement>(".keys [name=letters]");
  if (letters) {
    letters.checked = !localStorage.getItem(OFF);
    letters.addEventListener("change", () =>
      letters.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1"),
    );
  }
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    if (event.key === "Escape") return leaveField(event);
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target as Element)) return;
    if ($<HTMLDialogElement>(".keys")?.open) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") return arrows(event);
    const action = LETTERS[event.key];
    if (!action || (localStorage.getItem(OFF) && event.key !== "?")) return;
    event.preventDefault();
    action();
  });
}

/** Arrows walk through the rows when one has the focus; Enter opens, as on any link. */
function arrows(event: KeyboardEvent) {
  const row = (event.target as Element).closest<HTMLElement>(".row");
  if (!row) return;
  event.preventDefault();
  const next = event.key === "ArrowDown" ? row.nextElementSibling : row.previousElementSibling;
  if (next) $("a", next)?.focus();
}

function leaveField(event: KeyboardEvent) {
  const menu = $<HTMLDetailsElement>("details.menu[open]");
  if (menu) {
    menu.open = false;
    $("summary", menu)?.focus();
  } else if (location.hash === "#details") location.hash = "";
  else (event.target as HTMLElement).blur?.();
}
