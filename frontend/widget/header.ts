/** Who answers, whether somebody is there, and what happens while the line is down. */

import type { Snapshot } from "../shared/client";
import { button, h, set, watcher } from "../shared/dom";
import type { Translate } from "../shared/i18n";
import { BELL, CLOSE } from "../shared/icons";
import type { Store } from "../shared/storage";
import { face } from "./rows";

export function createHeader(t: Translate, store: Store, close: () => void, retry: () => void) {
  const who = h("div", "who");
  const words = h("span");
  const again = button(t("retry_now"), retry);
  const bar = h("div", { class: "bar s", role: "status" }, words, again);
  const sound = () => set(bell, { "aria-pressed": !!store.get("sound") });
  const bell = button(
    t("sound"),
    () => {
      store.set("sound", store.get("sound") ? null : "1");
      sound();
    },
    "tool",
    BELL,
  );
  const changed = watcher();
  sound();

  return {
    nodes: [h("div", "head", who, bell, button(t("close"), close, "tool", CLOSE)), bar],
    update({ session, state, status }: Snapshot, offline: boolean) {
      const stopped = status === "stopped";
      const widget = session?.widget;
      const { handled_by, operator } = state.conversation ?? {};
      const person = handled_by === "operator" && operator;
      const { name = "", features, avatar, reply_time, bot_name } = widget ?? {};
      const online = state.online ?? widget?.online;
      const bot = bot_name && (!handled_by || handled_by === "bot");
      if (!changed(widget, state.conversation, online, stopped, offline)) return;
      bar.hidden = !offline && !stopped;
      words.textContent = bar.hidden ? "" : t(stopped ? "not_available_here" : "no_connection");
      again.hidden = stopped;
      bell.hidden = !features?.sound;
      who.replaceChildren(
        face(person || { name, avatar }),
        h(
          "div",
          "titles",
          h("b", { dir: "auto" }, name),
          h(
            "div",
            "s",
            (online || bot) && h("i", "dot"),
            person
              ? t("person_line", { name: person.name })
              : handled_by === "queue" && online
                ? t("queue_line")
                : bot
                  ? t("bot_line")
                  : reply_time,
          ),
        ),
      );
    },
  };
}
