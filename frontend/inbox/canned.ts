/** Prepared replies: a menu under the cursor's line that begins with `/`. */

import { h } from "../shared/dom";
import { call } from "./api";
import { t } from "./page";

export interface Canned {
  id: number;
  shortcut: string;
  title: string;
  content: string;
}

let loaded: Promise<Canned[]> | null = null;
const replies = () => {
  loaded ??= call<{ results: Canned[] }>("canned-replies/")
    .then((page) => page.results)
    .catch(() => {
      loaded = null;
      return [];
    });
  return loaded;
};

/** Those whose shortcut begins with the word, then those whose title holds it. */
export function matching(all: Canned[], word: string): Canned[] {
  const wanted = word.toLowerCase();
  const begins = all.filter((reply) => reply.shortcut.toLowerCase().startsWith(wanted));
  const holds = all.filter(
    (reply) => !begins.includes(reply) && reply.title.toLowerCase().includes(wanted),
  );
  return [...begins, ...holds].slice(0, 8);
}

export class CannedMenu {
  private shown: Canned[] = [];
  private at = 0;

  constructor(
    private readonly area: HTMLTextAreaElement,
    private readonly menu: HTMLElement,
    private readonly choose: (reply: Canned) => void,
  ) {
    menu.id ||= "canned-replies";
    area.setAttribute("aria-controls", menu.id);
    area.addEventListener("blur", () => setTimeout(() => this.close(), 150));
  }

  async update(): Promise<void> {
    const line = this.area.value.slice(0, this.area.selectionStart).split("\n").pop() ?? "";
    const word = /^\/([\w-]*)$/.exec(line)?.[1];
    if (word === undefined) return this.close();
    this.shown = matching(await replies(), word);
    this.at = 0;
    this.draw();
  }

  /** Whether the key was for the menu. */
  onKey(event: KeyboardEvent): boolean {
    if (this.menu.hidden) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      this.at = (this.at + step + this.shown.length) % (this.shown.length || 1);
      this.draw();
    } else if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey) || event.key === "Tab") {
      const reply = this.shown[this.at];
      if (!reply) return false;
      this.take(reply);
    } else if (event.key === "Escape") this.close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  private take(reply: Canned) {
    this.close();
    this.choose(reply);
  }

  private draw() {
    this.menu.hidden = false;
    const options = this.shown.map((reply, n) =>
      h(
        "li",
        {
          role: "option",
          id: `canned-${reply.id}`,
          "aria-selected": n === this.at ? "true" : "false",
          onmousedown: (event: MouseEvent) => {
            event.preventDefault();
            this.take(reply);
          },
        },
        h("b", null, `/${reply.shortcut} · ${reply.title}`),
        h("span", null, reply.content),
      ),
    );
    const none = h("li", { role: "option", "aria-disabled": "true" }, t("no_canned"));
    this.menu.replaceChildren(...(options.length ? options : [none]));
    const current = this.shown[this.at];
    if (current) this.area.setAttribute("aria-activedescendant", `canned-${current.id}`);
    this.menu.children[this.at]?.scrollIntoView({ block: "nearest" });
  }

  close() {
    this.menu.hidden = true;
    this.area.removeAttribute("aria-activedescendant");
  }
}
