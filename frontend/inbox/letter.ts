/**
 * One message on its way. It stays on screen until the server's own version replaces it, and in
 * storage until the server has it, so that neither a login that ended nor a crash loses it.
 */

import { h, icon } from "../shared/dom";
import { act, Refusal } from "./api";
import { page, t } from "./page";
import { toast } from "./toasts";

const NOTE = "M4.5 3.5h11v8l-4 5h-7zM11.5 16.5v-5h4M7.5 7h5";
const STORED = "frontdesk.unsent.";

export interface Words {
  conversation: string;
  content: string;
  kind: "reply" | "note";
  /** The last number that the operator had read. */
  seen: number;
}

const newId = () =>
  crypto.randomUUID?.() ?? `${Date.now().toString(36)}${Math.random().toString(36).slice(2)}`;

export class Letter {
  readonly node: HTMLElement;
  private readonly facts = h("footer", { class: "facts" });

  constructor(
    private readonly words: Words,
    readonly id: string = newId(),
  ) {
    const isNote = words.kind === "note";
    const label = isNote && h("span", { class: "label" }, icon(NOTE), t("note"));
    this.node = h(
      "article",
      {
        class: `message pending ${isNote ? "note" : ""}`,
        "data-client-id": id,
        "data-role": "operator",
        "data-author": page.name,
        "data-time": new Date().toISOString(),
      },
      h("header", { class: "who" }, label, h("b", null, page.name)),
      h("div", { class: "bubble" }, h("div", { class: "words" }, h("p", null, words.content))),
      this.facts,
    );
  }

  async go(force = false) {
    const { conversation, content, kind, seen } = this.words;
    localStorage.setItem(STORED + this.id, JSON.stringify(this.words));
    this.node.classList.remove("unsent");
    this.facts.replaceChildren(h("span", null, t("sending")));
    // Colleagues' notes may cross; words to the visitor must not.
    const careful = force || kind === "note" ? {} : { expected_seq: seen };
    try {
      await act(conversation, "messages", {
        client_id: this.id,
        content,
        kind,
        ...careful,
      });
      this.forget();
      setTimeout(() => this.node.remove(), 5000);
    } catch (error) {
      if (error instanceof Refusal && error.code === "stale") this.stale(error);
      else this.fail(error instanceof Refusal ? error.message : t("failed"), t("retry"), force);
    }
  }

  /** Stands there unsent until the operator decides. */
  wait() {
    this.fail(t("not_sent"), t("retry"), false);
  }

  forget() {
    localStorage.removeItem(STORED + this.id);
  }

  /** Somebody wrote meanwhile. Only a person's words make a reply worth a second look. */
  private stale(refusal: Refusal) {
    const events: { role?: string }[] = refusal.body.events ?? [];
    if (!events.some((event) => event.role === "user" || event.role === "operator")) {
      this.go(true);
      return;
    }
    toast(t("stale"));
    this.fail(t("not_sent"), t("send_anyway"), true);
  }

  private fail(why: string, label: string, force: boolean) {
    this.node.classList.add("unsent");
    const drop = () => {
      this.forget();
      this.node.remove();
    };
    this.facts.replaceChildren(
      h("span", null, why),
      h("button", { type: "button", onclick: () => void this.go(force) }, label),
      h("button", { type: "button", onclick: drop }, t("discard")),
    );
  }
}

/** What is stored of a conversation's letters, in no particular order. */
export function unsentOf(conversation: string): Letter[] {
  const found: Letter[] = [];
  for (const key of Object.keys(localStorage)) {
    if (!key.startsWith(STORED)) continue;
    try {
      const words = JSON.parse(localStorage.getItem(key) ?? "") as Words;
      if (words.conversation === conversation)
        found.push(new Letter(words, key.slice(STORED.length)));
    } catch {
      localStorage.removeItem(key);
    }
  }
  return found;
}
