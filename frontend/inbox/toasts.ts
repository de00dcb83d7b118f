/** Short words at the foot of the page, some with one thing to do about them. */

import { h, icon } from "../shared/dom";
import { CLOSE } from "../shared/icons";
import { Refusal } from "./api";
import { $, t } from "./page";

export interface Offer {
  label: string;
  run(): void;
}

export function toast(text: string, offer?: Offer, ms = 8000) {
  const holder = $(".toasts");
  if (!holder) return;
  const close = () => {
    clearTimeout(timer);
    node.remove();
  };
  const node = h(
    "div",
    { class: "toast" },
    h("span", null, text),
    offer &&
      h(
        "button",
        {
          type: "button",
          onclick: () => {
            close();
            offer.run();
          },
        },
        offer.label,
      ),
    h("button", { type: "button", class: "x", "aria-label": "×", onclick: close }, icon(CLOSE)),
  );
  const timer = setTimeout(close, ms);
  while (holder.childElementCount > 2) holder.firstElementChild?.remove();
  holder.append(node);
}

/** Says why something did not work. */
export const complain = (error: unknown, offer?: Offer): void =>
  toast(error instanceof Refusal ? error.message : t("failed"), offer);
