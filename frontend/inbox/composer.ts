/** Where the operator writes: replies or notes, drafts that stay, prepared replies by `/`. */

import { type Canned, CannedMenu } from "./canned";
import { Letter, unsentOf } from "./letter";
import { say } from "./live";
import { $, debounce, openId, page } from "./page";
import { theThread } from "./thread";

export class InboxComposer extends HTMLElement {
  private typing = false;
  private canned?: CannedMenu;
  /** Kept, for the page may show another one already when this goes. */
  private conversation = "";
  private changed = false;

  connectedCallback() {
    this.conversation = openId();
    this.restore();
    addEventListener("pagehide", this.store);
    this.area.addEventListener("input", () => this.wrote());
    this.area.addEventListener("keydown", (event) => this.onKey(event));
    this.area.addEventListener("blur", () => this.tellTyping(false));
    for (const radio of this.querySelectorAll("[name=kind]"))
      radio.addEventListener("change", () => {
        this.tellTyping(false);
        this.keep();
        this.area.focus();
      });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    this.canned = new CannedMenu(this.area, $(".canned", this) as HTMLElement, (reply) =>
      this.insertCanned(reply),
    );
    this.grow();
    // After the thread has its messages: what was stored after all needs no second sending.
    queueMicrotask(() => this.bringBack());
  }
  disconnectedCallback() {
    removeEventListener("pagehide", this.store);
    this.store();
    this.tellTyping(false);
  }

  private get form(): HTMLFormElement {
    return $("form", this) as HTMLFormElement;
  }
  get area(): HTMLTextAreaElement {
    return $("textarea", this) as HTMLTextAreaElement;
  }
  get kind(): "reply" | "note" {
    return $<HTMLInputElement>("[value=note]", this)?.checked ? "note" : "reply";
  }

  /** Chooses who will read it and puts the cursor there. */
  write(kind: "reply" | "note") {
    ($(`[value=${kind}]`, this) as HTMLInputElement).checked = true;
    this.keep();
    this.area.focus();
  }
  insert(text: string) {
    const { value } = this.area;
    this.area.value = value.trim() ? `${value.trimEnd()}\n\n${text}` : text;
    this.wrote();
    this.area.focus();
  }

  private wrote() {
    this.keep();
    this.grow();
    if (this.kind === "reply" && this.area.value.trim()) this.tellTyping(true);
    this.canned?.update();
  }

  private grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.area.rows = Math.min(10, Math.max(2, this.area.value.split("\n").length));
  }

  private onKey(event: KeyboardEvent) {
    if (event.isComposing) return;
    if (this.canned?.onKey(event)) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.send();
    } else if (event.key === "Escape") this.area.blur();
  }

  /** The visitor sees that somebody writes, never that somebody writes a note. */
  private tellTyping(now: boolean) {
    if (now === this.typing && !now) return;
    if (now && this.typing) return;
    this.typing = now;
    say({ type: "typing", conversation_id: this.conversation, is_typing: now });
    if (now)
      setTimeout(() => {
        this.typing = false;
      }, 4000);
  }

  private get draftKey(): string {
    return `frontdesk.draft.${this.conversation}`;
  }
  /** Only what was written here: an empty field must not take away another tab's draft. */
  private readonly store = () => {
    if (!this.changed) return;
    this.changed = false;
    const content = this.area.value;
    if (content.trim())
      localStorage.setItem(this.draftKey, JSON.stringify({ content, kind: this.kind }));
    else localStorage.removeItem(this.draftKey);
  };
  private readonly storeSoon = debounce(250, this.store);
  private keep() {
    this.changed = true;
    this.storeSoon();
  }
  private restore() {
    try {
      const draft = JSON.parse(localStorage.getItem(this.draftKey) ?? "null");
      if (!draft || this.area.value) return;
      this.area.value = draft.content;
      ($(`[value=${draft.kind}]`, this) as HTMLInputElement).checked = true;
    } catch {
      localStorage.removeItem(this.draftKey);
    }
  }

  /** What was on its way when the page was left: a login ended, a browser crashed. */
  private bringBack() {
    const thread = theThread();
    for (const letter of unsentOf(this.conversation)) {
      const id = CSS.escape(letter.id);
      if ($(`.message[data-client-id="${id}"]`, thread ?? document)) letter.forget();
      else {
        thread?.add(letter.node);
        letter.wait();
      }
    }
  }

  private insertCanned(reply: Canned) {
    const values: Record<string, string> = {
      visitor: theThread()?.dataset.visitor ?? "",
      operator: page.name,
    };
    const text = reply.content.replace(/\{(visitor|operator)\}/g, (_, who) => values[who] ?? "");
    this.area.value = this.area.value.replace(
      /(^|\n)\/[^\n]*$/,
      `$1${text.replaceAll("$", "$$$$")}`,
    );
    this.wrote();
  }

  private send() {
    const content = this.area.value;
    const thread = theThread();
    if (!content.trim() || !thread) return this.area.focus();
    const { kind } = this;
    this.area.value = "";
    localStorage.removeItem(this.draftKey);
    this.keep();
    this.grow();
    this.tellTyping(false);
    // A note must not be followed by a reply that was meant as one, nor the other way round:
    // the next words are a reply again.
    ($("[value=reply]", this) as HTMLInputElement).checked = true;
    const letter = new Letter({
      conversation: this.conversation,
      content,
      kind,
      seen: thread.head,
    });
    thread.add(letter.node);
    thread.toEnd();
    letter.go();
    this.area.focus();
  }
}
