/** Draws the messages into the list: day lines, groups, bubbles that keep their body while they grow. */

import { button, h } from "../shared/dom";
import type { WidgetInfo } from "../shared/frames";
import type { Translate } from "../shared/i18n";
import { createMarkdown } from "../shared/markdown";
import type { OutItem } from "../shared/outbox";
import type { State, Turn } from "../shared/reducer";
import type { Put } from "./list";
import { type Actions, dots, files, meta, pills, sources } from "./rows";
import { dayLabel, joins, offers, type Shown, shown, speaker, timeOf } from "./shown";

export interface View {
  state: State;
  outbox: OutItem[];
  widget?: WidgetInfo;
  /** Whether the line is up. */
  up: boolean;
  /** How many of the newest messages are in the DOM. */
  limit: number;
  lang: string;
  /** Shown below everything else. */
  rating: HTMLElement | null;
}
interface Body {
  node: HTMLElement;
  write(text: string, live?: boolean): void;
}

export function createMessages(t: Translate, actions: Actions) {
  const bodies = new Map<string, Body>();

  /** The bubble itself outlives its row, so that text grows without a flicker. */
  function body(key: string, mine: boolean): Body {
    const node = h("div", { dir: "auto" });
    const caret = h("i", "caret");
    const draw = mine ? null : createMarkdown(node, { copy: t("copy"), copied: t("copied") });
    let was = "";
    const made: Body = {
      node,
      write(text, live) {
        const now = text + live;
        if (was === now) return;
        was = now;
        node.className = live ? "bubble live" : "bubble";
        if (!draw) node.textContent = text;
        else {
          // Taken out and put in again it is drawn anew; one that moved would be a layout shift.
          caret.remove();
          draw(text, !live);
          let end: Element = node;
          while (end.lastElementChild?.matches("p,ul,ol,li")) end = end.lastElementChild;
          if (live) end.append(caret);
        }
      },
    };
    bodies.set(key, made);
    return made;
  }

  function bubble(
    put: Put,
    view: View,
    item: Shown,
    first: boolean,
    last: boolean,
    marked: boolean,
  ) {
    const { role, content, live, attachments } = item;
    // Below text that grows they would move with every line.
    const cited = live ? [] : item.sources;
    const mine = role === "user";
    const key = item.client_id || (item.id as string);
    const { node, write } = bodies.get(key) ?? body(key, mine);
    write(content ?? t("removed"), live);
    const pending = item.mark !== "sent" && item.mark !== "read";
    const mark = mine && (pending || marked) ? item.mark : undefined;
    const below = mark || (last && !live);
    const gone = content === null ? "gone" : "";
    const sign = [first, below, mark, item.reason, cited, attachments, gone];
    put(key, sign, () =>
      h(
        "div",
        `row ${mine ? "me" : ""} ${first ? "first" : ""} ${mark ?? ""} ${gone}`,
        h(
          "div",
          first && !mine ? "who s" : "sr",
          mine ? t("you") : speaker(item, view.widget),
          role === "assistant" && h("b", null, t("bot")),
        ),
        node,
        attachments?.length && files(attachments),
        cited?.length && sources(cited, t),
        below && meta(item, mark, view.lang, t, actions),
      ),
    );
  }

  function draw(put: Put, view: View) {
    const { state, widget, lang, limit, outbox, rating } = view;
    const all = shown(state, outbox, view.up);
    const from = Math.max(0, all.length - limit);
    const answered = all.findLastIndex(({ role }) => /assistant|operator/.test(role));
    const typing = (item: Shown) => {
      const name = speaker(item, widget);
      put(item.id ?? "typing", name, () => dots(t("typing", { name })));
    };
    let day = "";
    if (from) put("more", 0, () => button(t("earlier"), actions.earlier, "quiet s"));
    else if (widget?.greeting) {
      const role = widget.bot_name ? "assistant" : "operator";
      bubble(put, view, { id: "hello", role, content: widget.greeting }, true, false, false);
    }
    for (let at = from; at < all.length; at++) {
      const item = all[at] as Shown;
      const { role, content, id = "", live } = item;
      const today = dayLabel(timeOf(item), Date.now(), t, lang);
      const first = day !== today || !joins(all[at - 1], item);
      const last = !joins(item, all[at + 1]);
      if (day !== today) put(today, 0, () => h("b", { class: "line s" }, today));
      day = today;
      if (role === "system")
        put(id, content, () => h("div", { class: "line s", dir: "auto" }, content ?? t("removed")));
      else if (live && !content) typing(item);
      else bubble(put, view, item, first, last, last && at > answered);
    }
    if (state.typing && !state.turn) typing({ ...state.typing, content: "" });
    const options = offers(state, outbox, widget);
    if (options.length) put("pills", options, () => pills(options, actions));
    if (rating) put("rating", 0, () => rating);
  }

  return {
    draw,
    /** Puts more words into a bubble; false when none stands for them yet. */
    grow(turn: Turn | null) {
      const found = turn?.text ? bodies.get(turn.id) : null;
      // Dots stand in its place while an answer is begun anew.
      if (!turn || !found?.node.isConnected) return false;
      found.write(turn.text, true);
      return true;
    },
    text: (key: string) => bodies.get(key)?.node.textContent,
  };
}
