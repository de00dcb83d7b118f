/** The list: rows that come, move and go by themselves, and the way from one to the next. */

import { call, pane } from "./api";
import { parseOne } from "./fragment";
import {
  $,
  $$,
  atMostEvery,
  debounce,
  type Fragment,
  type Frame,
  hear,
  openId,
  page,
  type Summary,
  t,
} from "./page";
import { freshen } from "./times";

const AUTOMATIC_ROWS = 150;
const READING = 40; // px scrolled from the top: somebody reads, so nothing may jump
const NUMBERS_AT_ONCE = 100; // the server's own limit

export class InboxList extends HTMLElement {
  private readonly summaries = new Map<string, Summary>();
  private readonly waiting = new Map<string, HTMLElement>();
  private readonly uncounted = new Set<string>();
  private stop: (() => void)[] = [];
  private watcher?: IntersectionObserver;
  private readonly held: Frame[] = [];
  private fetches = 0;

  connectedCallback() {
    this.stop = [
      hear("summary", (frame) => this.hold(frame)),
      hear("fragment", (frame) => this.hold(frame)),
      hear("gone", (frame) => this.hold(frame)),
      hear("connected", () => this.reload()),
    ];
    this.addEventListener("scroll", () => this.scrollTop < READING && this.settle());
    this.fresh.addEventListener("click", () => {
      this.scrollTop = 0;
      this.settle();
    });
    this.watcher = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && this.loadMore(),
      { root: this, rootMargin: "300px" },
    );
    this.watchMore();
    for (const row of this.rows) this.dress(row);
  }

  disconnectedCallback() {
    for (const stop of this.stop) stop();
    this.watcher?.disconnect();
  }

  get rows(): HTMLElement[] {
    return $$(".row", this);
  }
  private get holder(): HTMLElement {
    return $(".rows", this) as HTMLElement;
  }
  private get fresh(): HTMLElement {
    return $(".fresh", this) as HTMLElement;
  }
  row(id: string): HTMLElement | null {
    return this.waiting.get(id) ?? this.querySelector(`#row-${id}`);
  }

  /** Marks the conversation on screen and takes its unread mark off. */
  select(id: string) {
    for (const row of this.rows) {
      const link = $("a", row);
      if (row.dataset.conversation === id) link?.setAttribute("aria-current", "true");
      else link?.removeAttribute("aria-current");
    }
    this.seen(id);
    this.dropLeft(id);
    $("a[aria-current]", this)?.scrollIntoView({ block: "nearest" });
  }
  seen(id: string) {
    this.count(this.row(id), 0);
  }

  /** The row after (or before) the one on screen. */
  neighbour(step: 1 | -1): HTMLElement | null {
    const rows = this.rows;
    const at = rows.findIndex((row) => row.dataset.conversation === openId());
    return (at < 0 ? rows[step > 0 ? 0 : rows.length - 1] : rows[at + step]) ?? null;
  }

  private belongs(summary: Summary): boolean {
    const { view, search } = this.dataset;
    const { status, handled_by: by, operator } = summary;
    if (search) return !!this.row(summary.conversation_id);
    if (view === "snoozed" || view === "closed") return status === view;
    if (status !== "open") return false;
    if (view === "mine") return by === "operator" && operator?.id === page.operator;
    if (view === "unassigned") return by === "queue" || by === "nobody";
    return view === "bot" ? by === "bot" : true;
  }

  /** Shows fetched rows; what happens meanwhile waits, for the answer may be older than it. */
  private async fetched(url: string, show: (rows: DocumentFragment) => void) {
    this.fetches += 1;
    try {
      const rows = await pane(url, "rows").catch(() => null);
      if (rows && this.isConnected) show(rows);
    } finally {
      this.fetches -= 1;
      if (!this.fetches) for (const frame of this.held.splice(0)) this.apply(frame);
    }
  }
  private hold(frame: Frame) {
    if (this.fetches) this.held.push(frame);
    else this.apply(frame);
  }
  private apply(frame: Frame) {
    if (frame.type === "gone") this.drop(frame.conversation_id ?? "");
    else if (frame.type === "fragment") this.take(frame as unknown as Fragment);
    else this.summaries.set(frame.conversation_id ?? "", frame as unknown as Summary);
  }

  private take(fragment: Fragment) {
    const id = fragment.conversation_id;
    const summary = this.summaries.get(id);
    if (fragment.target !== `row-${id}` || !summary) return;
    const old = this.row(id);
    if (Number(old?.dataset.version ?? -1) > fragment.version) return;
    // What is on screen stays in the list even when it left the view: nothing vanishes under
    // the operator's hands.
    if (!this.belongs(summary) && id !== openId()) return this.drop(id);
    const row = parseOne(fragment.html);
    if (!row || (!this.belongs(summary) && !old)) return;
    this.dress(row);
    this.count(row, isRead(id) ? 0 : Number(old?.dataset.unread ?? 0));
    this.place(row, old);
    this.uncounted.add(id);
    this.countAnew();
  }

  /** Only the server knows how far this operator has read. */
  private readonly countAnew = atMostEvery(500, async () => {
    const ids = [...this.uncounted].filter((id) => !isRead(id)).slice(0, NUMBERS_AT_ONCE);
    this.uncounted.clear();
    if (!ids.length) return;
    const numbers = await call<Record<string, number>>(`unread/?ids=${ids}`).catch(() => ({}));
    for (const [id, unread] of Object.entries(numbers))
      if (!isRead(id)) this.count(this.row(id), unread);
  });

  private place(row: HTMLElement, old: HTMLElement | null) {
    const id = row.dataset.conversation ?? "";
    const shown = old?.isConnected ? old : null;
    if (this.scrollTop < READING && !this.waiting.size) {
      const hadFocus = shown?.contains(document.activeElement);
      shown?.remove();
      this.holder.prepend(row);
      if (hadFocus) $("a", row)?.focus({ preventScroll: true });
    } else if (shown) shown.replaceWith(row);
    else {
      this.waiting.set(id, row);
      this.tellWaiting();
    }
    this.empty();
  }

  private settle() {
    for (const row of this.waiting.values()) this.holder.prepend(row);
    this.waiting.clear();
    this.tellWaiting();
    this.empty();
  }

  private tellWaiting() {
    const count = this.waiting.size;
    this.fresh.hidden = !count;
    this.fresh.textContent = count === 1 ? t("new_one") : t("new_many", { count });
  }

  private drop(id: string) {
    const row = this.row(id);
    this.waiting.delete(id);
    this.summaries.delete(id);
    this.tellWaiting();
    if (!row?.isConnected) return;
    const next = (row.nextElementSibling ?? row.previousElementSibling) as HTMLElement | null;
    const hadFocus = row.contains(document.activeElement);
    row.remove();
    if (hadFocus && next) $("a", next)?.focus({ preventScroll: true });
    this.empty();
  }

  /** What stayed only because it was on screen goes when something else is. */
  private dropLeft(chosen: string) {
    for (const summary of this.summaries.values()) {
      const id = summary.conversation_id;
      if (id !== chosen && id !== openId() && !this.belongs(summary)) this.drop(id);
    }
  }

  private count(row: HTMLElement | null, unread: number) {
    if (!row) return;
    const number = $(".unread .count", row);
    if (unread) row.dataset.unread = String(unread);
    else delete row.dataset.unread;
    if (number) number.textContent = unread ? String(Math.min(unread, 99)) : "";
  }

  /** What differs from reader to reader and is therefore not in the server's piece. */
  private dress(row: HTMLElement) {
    const id = row.dataset.conversation ?? "";
    const link = $<HTMLAnchorElement>("a", row);
    if (link) link.href = `${page.inbox}${this.dataset.view}/${id}/`;
    if (id === openId()) link?.setAttribute("aria-current", "true");
    const mine = Number(row.dataset.operator) === page.operator;
    $(".owner:not(.bot)", row)?.classList.toggle("mine", mine);
    const draft = !!localStorage.getItem(`frontdesk.draft.${id}`);
    row.classList.toggle("draft", draft && id !== openId());
    const preview = $(".preview", row);
    if (preview) preview.dataset.draft = `${t("draft")}:`;
    freshen(row);
  }

  /** After a break: the list as it is now, with the place kept. */
  private readonly reload = debounce(50, () => {
    refreshCounters();
    const url = new URL(`${page.inbox}${this.dataset.view}/`, location.href);
    if (this.dataset.search) url.searchParams.set("search", this.dataset.search);
    void this.fetched(url.href, (part) => this.renew(part));
  });

  private renew(part: DocumentFragment) {
    const next = $<HTMLElement>("[data-next]", part)?.dataset.next ?? "";
    const fresh = $$(".row", part);
    const kept = this.rows.find((row) => row.dataset.conversation === openId());
    if (kept && !fresh.some((row) => row.id === kept.id)) fresh.push(kept);
    this.waiting.clear();
    this.tellWaiting();
    const top = this.scrollTop;
    const focused = (document.activeElement?.closest(".row") as HTMLElement | null)?.id;
    this.holder.replaceChildren(...fresh);
    for (const row of fresh) this.dress(row);
    if (focused) $(`#${CSS.escape(focused)} a`)?.focus({ preventScroll: true });
    this.scrollTop = top;
    this.setMore(next);
    this.empty();
  }

  private loadMore() {
    const more = $<HTMLAnchorElement>(".more", this);
    if (!more || this.fetches || this.rows.length >= AUTOMATIC_ROWS) return;
    void this.fetched(more.href, (part) => {
      for (const row of $$(".row", part))
        if (!this.row(row.dataset.conversation ?? "")) {
          this.dress(row);
          this.holder.append(row);
        }
      this.setMore($<HTMLElement>("[data-next]", part)?.dataset.next ?? "");
    });
  }

  private setMore(href: string) {
    let more = $<HTMLAnchorElement>(".more", this);
    if (!href) return more?.remove();
    if (!more) {
      more = document.createElement("a");
      more.className = "more";
      more.textContent = t("older");
      this.append(more);
    }
    more.href = href;
    this.watchMore();
  }
  private watchMore() {
    const more = $(".more", this);
    this.watcher?.disconnect();
    if (more) this.watcher?.observe(more);
  }

  private empty() {
    const none = !this.holder.childElementCount;
    const box = $(".empty", this);
    if (box) box.hidden = !none;
  }
}

const isRead = (id: string) => id === openId() && document.hasFocus();

const COUNTED = 100; // the server counts no further

/** The numbers beside the views. */
export const refreshCounters = atMostEvery(1000, async () => {
  const counts = await call<Record<string, number>>("counters/").catch(() => null);
  for (const [view, count] of Object.entries(counts ?? {})) {
    const node = $(`[data-count="${view}"]`);
    if (node) node.textContent = count < COUNTED ? String(count) : `${COUNTED - 1}+`;
  }
});
hear("summary", () => refreshCounters());
hear("gone", () => refreshCounters());

export const theList = (): InboxList | null => $<InboxList>("inbox-list");
export type { Frame };
