/** The scrolling log: keeps the reader's place, the newest message in sight, and the DOM small. */

import { h, icon } from "../shared/dom";
import type { Translate } from "../shared/i18n";
import { DOWN } from "../shared/icons";
import type { Turn } from "../shared/reducer";
import { createList } from "./list";
import { createMessages, type View } from "./messages";
import type { Actions } from "./rows";

const NEAR = 60;
export const PAGE = 60;

export function createThread(t: Translate, actions: Actions, onScroll: () => void) {
  const log = h(
    "div",
    {
      class: "log",
      role: "log",
      "aria-live": "off", // a status line announces whole messages; growing text would chatter
      "aria-label": t("log"),
      tabindex: 0,
    },
    // Until the first drawing two empty bubbles say that something is on its way.
    h("div", "first bubble bone"),
    h("div", "first bubble bone"),
  );
  const label = h("span");
  const jump = h(
    "button",
    { type: "button", class: "jump s", hidden: "", onclick: () => bottom("smooth") },
    label,
    icon(DOWN),
  );
  const list = createList(log);
  const { draw, grow, text } = createMessages(t, actions);
  let sticky = true;
  let fresh = 0;
  let asked = 0;

  const pill = () => {
    if (sticky) fresh = 0;
    if (sticky && jump.hidden) return;
    jump.hidden = sticky;
    label.textContent = fresh ? t("new", { count: fresh }) : t("newest");
  };
  // Before the browser lays out by itself: later it would count as a layout shift of the page.
  const stick = () => {
    if (sticky) log.scrollTop = log.scrollHeight;
    return sticky;
  };
  const bottom = (behavior: ScrollBehavior = "instant") => {
    sticky = true;
    log.scrollTo({ top: log.scrollHeight, behavior });
    pill();
  };
  const scrolled = () => {
    sticky = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
    pill();
    if (log.scrollTop < NEAR && list.has("more") && Date.now() - asked > 300) {
      asked = Date.now();
      actions.earlier();
    }
    onScroll();
  };
  log.onscroll = scrolled;
  // A grown composer or a turned phone must not push the newest message out of sight.
  const sizes = new ResizeObserver(() => sticky && bottom());
  sizes.observe(log);

  return {
    log,
    jump,
    bottom,
    /** What a message says once it is drawn, without its Markdown. */
    text,
    render(view: View) {
      const grown = list.has("more") && log.scrollTop < NEAR && log.scrollHeight;
      list.update((put) => draw(put, view));
      if (!stick() && grown) log.scrollTop += log.scrollHeight - grown;
    },
    /** Only the answer that is being written grew; false when it is not on screen yet. */
    grow(turn: Turn | null) {
      const grew = grow(turn);
      if (grew) stick();
      return grew;
    },
    get sticky() {
      return sticky;
    },
    /** A message of others came; counted for the pill while the reader is further up. */
    arrived() {
      fresh++;
      pill();
    },
    destroy: () => sizes.disconnect(),
  };
}
