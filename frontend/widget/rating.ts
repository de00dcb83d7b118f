/** "How did we do?" after a conversation was closed: one click, a comment if wanted, or skip. */

import { button, h, set } from "../shared/dom";
import type { Key, Translate } from "../shared/i18n";
import { STAR } from "../shared/icons";

export function ratingCard(
  t: Translate,
  done: (score: number, comment?: string) => void,
  grown: () => void,
): HTMLElement {
  let score = 0;
  const label = t("comment");
  const comment = h("textarea", {
    rows: 2,
    dir: "auto",
    maxlength: 1000,
    "aria-label": label,
    placeholder: label,
    hidden: "",
  });
  const submit = button(
    t("rate_send"),
    () => done(score, comment.value.trim() || undefined),
    "main",
  );
  const word = h("span", { class: "s", role: "status" });
  const draw = () =>
    stars.forEach((star, n) => {
      set(star, { class: n < score ? "on" : "", "aria-pressed": n === score - 1 });
    });
  const stars = [1, 2, 3, 4, 5].map((n) => {
    const name = t(`rate_${n}` as Key);
    return button(
      name,
      () => {
        score = n;
        word.textContent = name;
        comment.hidden = submit.hidden = false;
        draw();
        grown();
      },
      "",
      STAR,
    );
  });
  submit.hidden = true;
  draw();
  return h(
    "div",
    { class: "card", role: "group", "aria-label": t("rate") },
    h("b", null, t("rate")),
    h("div", "stars", ...stars),
    word,
    comment,
    h(
      "div",
      "stars",
      button(t("skip"), () => done(0), "quiet s"),
      submit,
    ),
  );
}
