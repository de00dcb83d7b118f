/** The quiet line above the composer: a way to a person, the place in the queue, the way back. */

import type { Snapshot } from "../shared/client";
import { button, h, watcher } from "../shared/dom";
import type { Translate } from "../shared/i18n";
import { link } from "../shared/links";
import type { State } from "../shared/reducer";

type Place = NonNullable<State["queue"]>;

export function createFooter(t: Translate, ask: (what: "request_human" | "request_bot") => void) {
  const node = h("div", "state s");
  const problem = h("div", { class: "s bad", role: "alert" });
  const changed = watcher();
  let timer: ReturnType<typeof setTimeout>;

  return {
    nodes: [problem, node],
    /** Says for a while what the server would not do. */
    tell(text: string) {
      problem.textContent = text;
      clearTimeout(timer);
      timer = setTimeout(() => problem.replaceChildren(), 8000);
    },
    update({ session, state }: Snapshot) {
      const { features, bot_name, privacy_url } = session?.widget ?? {};
      const { status, handled_by } = state.conversation ?? {};
      const closed = status === "closed";
      const queued = !closed && handled_by === "queue";
      const { position, estimate_seconds }: Partial<Place> = (queued && state.queue) || {};
      const privacy = !state.last && privacy_url;
      if (!changed(session?.widget, state.conversation, state.queue, privacy)) return;
      let words = closed ? t("closed") : "";
      if (position) words = t("queue", { position });
      if (estimate_seconds)
        words += ` ${t("queue_time", { minutes: Math.ceil(estimate_seconds / 60) })}`;
      node.textContent = words;
      if (queued) {
        if (bot_name) node.append(button(t("back_to_bot"), () => ask("request_bot"), "quiet"));
      } else if (features?.human && !closed && handled_by !== "operator")
        node.append(button(t("human"), () => ask("request_human"), "quiet"));
      if (privacy) node.append(link(privacy, [t("privacy")]));
    },
  };
}
