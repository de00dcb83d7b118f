/** "How did we do?" after a conversation was closed: one click, a comment if wanted, or skip. */

import { button, h, icon } from "../shared/dom";
import type { Key, Translate } from "../shared/i18n";
import { STAR } from "../shared/icons";

export function ratingCard(
  t: Translate,
  done: (score: number, comment?: string) => void,
  grown: () => void,
): HTMLElement {
  let score = 0;
  const comment = h("textarea", {
    rows: 2,
    dir: "auto",
    maxlength: 1000,
    "aria-label": t("comment"),
    placeholder: t("comment"),
    hidden: "",
  });
  const submit = button(
    t("rate_send"),
    () => done(score, comment.value.trim() || undefined),
    "main",
  );
  submit.hidden = true;
  const word = h("span", { class: "s", role: "status" });
  const stars = [1, 2, 3, 4, 5].map((n) =>
    h(
      "button",
      { type: "button", "aria-label": t(`rate_${n}` as Key), "aria-pressed": "false" },
      icon(STAR),
    ),
  );
  stars.forEach((star, at) => {
    star.addEventListener("click", () => {
      score = at + 1;
      stars.forEach((other, n) => {
        other.className = n <= at ? "on" : "";
        other.setAttribute("aria-pressed", String(n === at));
      });
      word.textContent = t(`rate_${score}` as Key);
      comment.hidden = submit.hidden = false;
      grown();
    });
  });
  return h(
    "div",
    { class: "card", role: "group", "aria-label": t("rate") },
    h("b", null, t("rate")),
    h("div", { class: "stars" }, ...stars),
    word,
    comment,
    h(
      "div",
      { class: "stars" },
      button(t("skip"), () => done(0), "quiet s"),
      submit,
    ),
  );
}
