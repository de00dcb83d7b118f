/** The open conversation: what is said goes to its end, the bot is watched as it writes. */

import { act, pane } from "./api";
import { arrange } from "./arrange";
import { parseOne } from "./fragment";
import { theList } from "./list";
import { follow, unfollow } from "./live";
import { $, debounce, type Fragment, type Frame, hear, openId, page, t } from "./page";
import { BotStream, type Place } from "./stream";
import { freshen } from "./times";

const AT_END = 80;

export class InboxThread extends HTMLElement {
  private stop: (() => void)[] = [];
  private stream: BotStream | null = null;
  private quiet?: ReturnType<typeof setTimeout>;
  private readUpTo = 0;
  private visitorRead = 0;
  head = 0;

  connectedCallback() {
    this.head = Number(this.dataset.head);
    this.readUpTo = Number(this.dataset.readMine);
    this.visitorRead = Number(this.dataset.readUser);
    const mine = (listener: (frame: Frame) => void) => (frame: Frame) =>
      frame.conversation_id === this.dataset.conversation && listener(frame);
    const on = (type: string, listener: (frame: Frame) => void) =>
      this.stop.push(hear(type, mine(listener)));
    on("fragment", (frame) => this.take(frame as unknown as Fragment));
    on("conversation", (frame) => this.changed(frame));
    on("typing", (frame) => this.showTyping(frame));
    on("read", (frame) => this.read(frame));
    on("response_start", (frame) => this.begin(frame));
    on("sources", (frame) => this.current(frame)?.cite(frame.sources ?? []));
    on("text_delta", (frame) => this.current(frame)?.write(frame));
    on("response_end", (frame) => this.end(frame));
    on("message", (frame) => this.said(frame));
    on("gone", () => this.lost());
    this.scroller.addEventListener("scroll", () => this.scrolled());
    this.newest.addEventListener("click", () => this.toEnd());
    $(".more", this)?.addEventListener("click", (event) => this.earlier(event));
    this.stop.push(onLook(() => this.markRead()));
    freshen(this);
    this.arrange();
    this.toEnd();
    follow(this.dataset.conversation ?? "", this.head);
    this.markRead();
  }

  disconnectedCallback() {
    for (const stop of this.stop) stop();
    clearTimeout(this.quiet);
    unfollow(this.dataset.conversation ?? "");
  }

  get events(): HTMLElement {
    return $(".events", this) as HTMLElement;
  }
  private get scroller(): HTMLElement {
    return $(".scroller", this) as HTMLElement;
  }
  private get newest(): HTMLElement {
    return $(".newest", this) as HTMLElement;
  }
  private get atEnd(): boolean {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < AT_END;
  }

  /** Puts a node at the end and keeps the end in sight if it was. */
  add(...nodes: (Node | string)[]) {
    const follows = this.atEnd;
    this.events.append(...nodes);
    this.arrange();
    if (follows) this.toEnd();
    else this.newest.hidden = false;
  }
  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.newest.hidden = true;
  }
  private scrolled() {
    if (this.atEnd) this.newest.hidden = true;
  }

  private take(fragment: Fragment) {
    const node = parseOne(fragment.html);
    if (!node || fragment.target.startsWith("row-")) return;
    freshen(node);
    this.head = Math.max(this.head, fragment.version);
    const old = document.getElementById(node.id);
    const sent = node.dataset.clientId;
    if (sent) $(`.message.pending[data-client-id="${CSS.escape(sent)}"]`, this)?.remove();
    if (old) {
      if (old === this.stream?.node) this.stream = null;
      old.replaceWith(node);
      this.arrange();
    } else if (fragment.action === "append") this.add(node);
    this.markRead();
  }

  private said(frame: Frame) {
    if (frame.role === "user" || frame.author?.id !== page.operator) this.hideTyping();
    // An answer ends the visitor's waiting, which the state above the thread shows.
    if (frame.role !== "system" && frame.kind !== "note") this.refreshDetails();
  }

  private changed(frame: Frame) {
    this.dataset.status = frame.status;
    this.dataset.handledBy = frame.handled_by;
    this.toggleAttribute(
      "data-mine",
      frame.handled_by === "operator" && frame.operator?.id === page.operator,
    );
    if (frame.handled_by !== "bot") {
      this.hideTyping();
      this.stream?.node.remove();
      this.stream = null;
    }
    this.refreshDetails();
  }

  readonly refreshDetails = debounce(150, async () => {
    const id = this.dataset.conversation ?? "";
    const part = await pane(`${page.inbox}all/${id}/`, "details").catch(() => null);
    if (!part || openId() !== id) return;
    const state = $(`#state-${id}`, part);
    if (state) $(`#state-${id}`)?.replaceWith(state);
    const details = $("#details", part);
    const present = $("#details");
    // Nobody's half-written tag goes.
    if (details && present && !present.contains(document.activeElement))
      present.replaceWith(details);
    freshen();
  });

  private showTyping(frame: Frame) {
    if (frame.author?.id === page.operator && frame.role === "operator") return;
    if (!frame.is_typing) {
      this.hideTyping();
      return;
    }
    const name = frame.author?.name || this.dataset.visitor || "";
    const text = frame.role === "assistant" ? t("bot_typing") : t("typing", { name });
    const line = $(".typing", this);
    if (!line) return;
    const follows = this.atEnd;
    ($(".text", line) as HTMLElement).textContent = text;
    line.hidden = false;
    if (follows) this.toEnd();
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => this.hideTyping(), frame.role === "assistant" ? 60_000 : 8_000);
  }
  private hideTyping() {
    clearTimeout(this.quiet);
    const line = $(".typing", this);
    if (line) line.hidden = true;
  }

  private begin(frame: Frame) {
    if (this.dataset.handledBy === "operator" || this.dataset.handledBy === "queue") return;
    const known = this.stream;
    if (known && known.turn === frame.turn && known.revision >= frame.revision) return;
    if (document.getElementById(`message-${frame.message_id}`) && !known) return;
    known?.node.remove();
    this.hideTyping();
    this.stream = new BotStream(frame.turn, frame.revision, frame.message_id, this.place);
  }
  private current(frame: Frame): BotStream | null {
    return this.stream?.is(frame) ? this.stream : null;
  }
  private end(frame: Frame) {
    if (this.current(frame)?.end(frame.full_content) === false) this.stream = null;
  }
  private readonly place: Place = {
    add: (node) => this.add(node),
    growing: (work) => {
      const follows = this.atEnd;
      work();
      if (follows) this.toEnd();
    },
  };

  private read(frame: Frame) {
    if (frame.role !== "user") return;
    this.visitorRead = Math.max(this.visitorRead, frame.upto);
    this.arrange();
  }

  private arrange() {
    arrange(this.events, this.visitorRead);
  }

  private async earlier(event: Event): Promise<void> {
    event.preventDefault();
    const link = event.currentTarget as HTMLAnchorElement;
    link.classList.add("loading");
    const part = await pane(link.href, "events").catch(() => null);
    link.classList.remove("loading");
    if (!part) return;
    const next = $<HTMLElement>("[data-next]", part)?.dataset.next ?? "";
    const { scrollHeight, scrollTop } = this.scroller;
    const nodes = [...(part.firstElementChild?.children ?? [])];
    // The day of the first message on screen may have begun further up.
    $(".day", this.events)?.remove();
    this.events.prepend(...nodes);
    freshen(this.events);
    this.arrange();
    if (next) link.href = next;
    else link.remove();
    this.scroller.scrollTop = scrollTop + this.scroller.scrollHeight - scrollHeight;
  }

  readonly markRead = debounce(300, () => {
    const id = this.dataset.conversation ?? "";
    if (!this.isConnected || document.hidden || !document.hasFocus()) return;
    theList()?.seen(id);
    if (this.head <= this.readUpTo) return;
    const seq = this.head;
    this.readUpTo = seq;
    act(id, "read", { seq }).catch(() => {
      this.readUpTo = 0;
    });
  });

  private lost() {
    location.assign(`${page.inbox}${theList()?.dataset.view ?? "all"}/`);
  }
}

/** Calls back when the operator looks at the page again. */
function onLook(listener: () => void): () => void {
  addEventListener("focus", listener);
  document.addEventListener("visibilitychange", listener);
  return () => {
    removeEventListener("focus", listener);
    document.removeEventListener("visibilitychange", listener);
  };
}

export const theThread = (): InboxThread | null => $<InboxThread>("inbox-thread");
