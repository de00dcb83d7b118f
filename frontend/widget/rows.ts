/** The pieces a thread is made of: faces, sources, files, what stands below a bubble. */

import { button, h, icon } from "../shared/dom";
import type { Attachment, Person, Source } from "../shared/frames";
import { clock, type Translate } from "../shared/i18n";
import { OUT } from "../shared/icons";
import { link, safeUrl } from "../shared/links";
import { type Mark, type Shown, timeOf } from "./shown";

export interface Actions {
  say(content: string, quick_reply?: string): void;
  retry(id: string): void;
  /** Takes a message that was not sent back into the composer. */
  edit(id: string): void;
  earlier(): void;
}

/** A picture where there is one, else the first letter on the accent. */
export function face({ name, avatar }: Person): HTMLElement {
  const image =
    avatar &&
    safeUrl(avatar) &&
    h("img", { src: avatar, alt: "", onerror: () => (image as Element).remove() });
  return h("span", { class: "face", "aria-hidden": true }, [...name][0], image);
}

export const pills = (options: string[], { say }: Actions) =>
  h("div", "pills", ...options.map((text) => button(text, () => say(text, text))));

export const dots = (label: string) =>
  h(
    "div",
    "row",
    h("span", { class: "bubble dots", role: "img", "aria-label": label }, h("i"), h("i"), h("i")),
  );

export const sources = (list: Source[], t: Translate) =>
  h(
    "div",
    "sources s",
    h("b", null, t("sources")),
    // Numbered as the answer cites them: [1].
    ...list.map(({ url, title, snippet }, n) =>
      link(url, [
        `${n + 1}`,
        h("span", { dir: "auto" }, title || url, snippet && h("em", null, snippet)),
        icon(OUT),
      ]),
    ),
  );

export const files = (list: Attachment[]) =>
  h("div", "sources s", ...list.map(({ url, name }) => link(url, [name, icon(OUT)])));

const SIGNS = { sending: "…", waiting: "…", sent: "✓", read: "✓✓", not_sent: "" };

/** "10:42 · Sent ✓", or why a message was not sent and what can be done about it. */
export function meta(
  item: Shown,
  mark: Mark | undefined,
  lang: string,
  t: Translate,
  { retry, edit }: Actions,
): HTMLElement {
  const { client_id, reason, timestamp } = item;
  const id = client_id as string;
  if (mark === "not_sent")
    return h(
      "div",
      "meta s bad",
      t(mark) + (reason ? `: ${reason}` : ""),
      button(t("retry"), () => retry(id)),
      button(t("edit"), () => edit(id)),
    );
  const [when, title] = clock(timeOf(item), lang);
  return h(
    "div",
    "meta s",
    h("time", { dir: "auto", datetime: timestamp, title }, when),
    mark && `· ${t(mark)} ${SIGNS[mark]}`,
  );
}
