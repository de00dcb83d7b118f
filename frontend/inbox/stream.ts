/** The bot as it writes: a bubble that grows, is begun anew by a retry, and gives way to the end. */

import { h } from "../shared/dom";
import type { Source } from "../shared/frames";
import { createMarkdown } from "../shared/markdown";
import { $, type Frame, t } from "./page";

export interface Place {
  /** Puts a new bubble at the end of the thread. */
  add(node: HTMLElement): void;
  /** Runs what makes the thread grow and keeps its end in sight if it was. */
  growing(work: () => void): void;
}

export class BotStream {
  readonly node: HTMLElement;
  private readonly render: (text: string, done?: boolean) => void;
  private text = "";
  private length = 0;
  private asked = false;

  constructor(
    readonly turn: string,
    readonly revision: number,
    messageId: string,
    private readonly place: Place,
  ) {
    const words = h("div", { class: "words" });
    this.render = createMarkdown(words, { copy: t("copy"), copied: t("copied") });
    this.node = h(
      "article",
      { class: "message streaming", id: `message-${messageId}`, "data-role": "assistant" },
      h("header", { class: "who" }, h("b", null, t("bot"))),
      h("div", { class: "bubble" }, words),
    );
    place.add(this.node);
  }

  is(frame: Frame): boolean {
    return this.turn === frame.turn && this.revision === frame.revision;
  }

  /** `offset` counts code points; what does not follow is left out until offset 0 replaces it. */
  write(frame: Frame) {
    if (frame.offset !== 0 && frame.offset !== this.length) return;
    this.text = frame.offset === 0 ? frame.content : this.text + frame.content;
    this.length = (frame.offset as number) + [...(frame.content as string)].length;
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.place.growing(() => this.render(this.text, false));
    });
  }

  cite(sources: Source[]) {
    $(".sources", this.node)?.remove();
    if (!sources.length) return;
    const items = sources.map((source) => h("li", null, h("b", null, source.title)));
    $(".bubble", this.node)?.append(h("ol", { class: "sources" }, ...items));
  }

  /** Shows what is stored; false when nothing is. */
  end(content: string | null): boolean {
    this.node.classList.remove("streaming");
    if (content) this.render(content, true);
    else this.node.remove();
    return !!content;
  }
}
