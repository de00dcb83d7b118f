/** Who answers, whether somebody is there, and what happens while the line is down. */

import type { Snapshot } from "../shared/client";
import { button, h, icon, set } from "../shared/dom";
import type { Translate } from "../shared/i18n";
import { BELL, CLOSE } from "../shared/icons";
import type { Store } from "../shared/storage";
import { face } from "./rows";

export function createHeader(t: Translate, store: Store, close: () => void, retry: () => void) {
  const who = h("div", { class: "who" });
  const words = h("span");
  const again = button(t("retry_now"), retry);
  const bar = h("div", { class: "bar s", role: "status", hidden: "" }, words, again);
  const leave = h(
    "button",
    { type: "button", class: "tool", "aria-label": t("close"), onclick: close },
    icon(CLOSE),
  );
  const bell = h("button", { type: "button", class: "tool", "aria-label": t("sound") }, icon(BELL));
  const ring = () => set(bell, { "aria-pressed": !!store.get("sound") });
  bell.addEventListener("click", () => {
    store.set("sound", store.get("sound") ? null : "1");
    ring();
  });
  ring();
  let was = "";

  return {
    nodes: [h("div", { class: "head" }, who, bell, leave), bar],
    update({ session, state, status }: Snapshot, offline: boolean) {
      const stopped = status === "stopped";
      bar.hidden = !offline && !stopped;
      if (!bar.hidden) words.textContent = t(stopped ? "unavailable" : "offline");
      again.hidden = stopped;
      const widget = session?.widget;
      bell.hidden = !widget?.features.sound;
      const name = widget?.name ?? "";
      const { handled_by, operator } = state.conversation ?? {};
      const person = handled_by === "operator" && operator;
      const online = state.online ?? widget?.online;
      const bot = widget?.bot_name && (!handled_by || handled_by === "bot");
      const line = person
        ? t("person_line", { name: person.name })
        : handled_by === "queue" && online
          ? t("queue_line")
          : bot
            ? t("bot_line")
            : widget?.reply_time;
      const sign = JSON.stringify([widget, person, line, online, bot]);
      if (sign === was) return;
      was = sign;
      who.replaceChildren(
        face(person || { name, avatar: widget?.avatar }),
        h(
          "div",
          { class: "titles" },
          h("b", { dir: "auto" }, name),
          h("div", { class: "s" }, (online || bot) && h("i", { class: "dot" }), line),
        ),
      );
    },
  };
}
