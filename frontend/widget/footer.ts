/** The quiet line above the composer: a way to a person, the place in the queue, the way back. */

import type { Snapshot } from "../shared/client";
import { button, h } from "../shared/dom";
import type { Translate } from "../shared/i18n";
import { link } from "../shared/links";

export function createFooter(t: Translate, ask: (what: "request_human" | "request_bot") => void) {
  const node = h("div", { class: "state s" });
  const problem = h("div", { class: "s bad", role: "alert" });
  let was = "";
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
      let words = closed ? t("closed") : "";
      if (queued && state.queue) {
        const { position, estimate_seconds } = state.queue;
        words = t("queue", { position });
        if (estimate_seconds)
          words += ` ${t("queue_time", { minutes: Math.ceil(estimate_seconds / 60) })}`;
      }
      const human = features?.human && !queued && !closed && handled_by !== "operator";
      const privacy = !state.last && privacy_url;
      const sign = JSON.stringify([words, human, queued, privacy]);
      if (sign === was) return;
      was = sign;
      node.textContent = words;
      if (human) node.append(button(t("human"), () => ask("request_human"), "quiet"));
      if (queued && bot_name)
        node.append(button(t("back_to_bot"), () => ask("request_bot"), "quiet"));
      if (privacy) node.append(link(privacy, [t("privacy")]));
    },
  };
}
