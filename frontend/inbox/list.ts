/** The list: rows that come, move and go by themselves, and the way from one to the next. */

import { call, pane } from "./api";
import { parseOne } from "./fragment";
import {
  $,
  $$,
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

export class InboxList extends HTMLElement {
  private readonly summaries = new Map<string, Summary>();
  private readonly waiting = new Map<string, HTMLElement>();
  private stop: (() => void)[] = [];
  private watcher?: IntersectionObserver;
  private loading = false;

  connectedCallback() {
    this.stop = [
      hear("summary", (frame) => this.summaries.set(frame.conversation_id ?? "", frame as never)),
      hear("fragment", (frame) => this.take(frame as unknown as Fragment)),
      hear("gone", (frame) => this.drop(frame.conversation_id ?? "")),
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
    const news = summary.preview_role === "user" && isNewer(old, fragment.version);
    const reading = id === openId() && document.hasFocus();
    this.count(row, reading ? 0 : unreadOf(old) + (news ? 1 : 0));
    this.place(row, old);
  }

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
  private readonly reload = debounce(50, async () => {
    refreshCounters();
    const url = new URL(`${page.inbox}${this.dataset.view}/`, location.href);
    if (this.dataset.search) url.searchParams.set("search", this.dataset.search);
    const part = await pane(url.href, "rows").catch(() => null);
    if (!part || !this.isConnected) return;
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
  });

  private async loadMore(): Promise<void> {
    const more = $<HTMLAnchorElement>(".more", this);
    if (!more || this.loading || this.rows.length >= AUTOMATIC_ROWS) return;
    this.loading = true;
    const part = await pane(more.href, "rows").catch(() => null);
    this.loading = false;
    if (!part || !this.isConnected) return;
    for (const row of $$(".row", part))
      if (!this.row(row.dataset.conversation ?? "")) {
        this.dress(row);
        this.holder.append(row);
      }
    this.setMore($<HTMLElement>("[data-next]", part)?.dataset.next ?? "");
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

const unreadOf = (row: HTMLElement | null) => Number(row?.dataset.unread ?? 0);
const isNewer = (row: HTMLElement | null, version: number) =>
  version > Number(row?.dataset.version ?? 0);

const COUNTED = 100; // the server counts no further

/** The numbers beside the views; asked for at most once a second. */
export const refreshCounters = debounce(400, async () => {
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
