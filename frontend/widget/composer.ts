/** Where the visitor writes: grows, keeps a draft, and never sends half a composed character. */

import { h, icon, set } from "../shared/dom";
import type { Translate } from "../shared/i18n";
import { SEND, STOP } from "../shared/icons";
import type { Store } from "../shared/storage";

const QUIET = 4000;
const AGAIN = 3000;

export interface ComposerOptions {
  t: Translate;
  store: Store;
  send(content: string): void;
  stop(): void;
  typing(now: boolean): void;
}

export function createComposer({ t, store, send, stop, typing }: ComposerOptions) {
  const input = h("textarea", {
    rows: 1,
    dir: "auto",
    enterkeyhint: "send",
    "aria-describedby": "left",
  });
  const go = h("button", { type: "submit", class: "go", "aria-label": t("send") }, icon(SEND));
  const halt = h(
    "button",
    { type: "button", class: "go halt", "aria-label": t("stop"), hidden: "", onclick: stop },
    icon(STOP),
  );
  const count = h("div", { class: "s", id: "left" });
  const node = h("form", null, h("div", { class: "box" }, input, halt, go), count);
  let max = 4000;
  let stoppable = false;
  let told = 0;
  let quiet: ReturnType<typeof setTimeout>;

  const silent = () => {
    clearTimeout(quiet);
    if (told) typing(false);
    told = 0;
  };
  const refresh = () => {
    const text = input.value.trim();
    const left = max - [...text].length;
    set(go, { "aria-disabled": text && left >= 0 ? null : true });
    count.textContent = left < max / 10 ? t("left", { count: left }) : "";
    count.classList.toggle("bad", left < 0);
    halt.hidden = !stoppable;
    go.hidden = stoppable && !text;
    input.style.height = "auto";
    input.style.height = `${input.scrollHeight}px`;
  };
  const submit = (event?: Event) => {
    event?.preventDefault();
    const text = input.value.trim();
    if (go.hasAttribute("aria-disabled")) return input.focus();
    input.value = "";
    store.set("draft", null);
    silent();
    refresh();
    input.focus();
    send(text);
  };
  node.addEventListener("submit", submit);
  input.addEventListener("keydown", (event) => {
    // 229: Safari ends the composition before this Enter and no longer calls it composing.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229)
      return;
    submit(event);
  });
  input.addEventListener("input", () => {
    store.set("draft", input.value || null);
    refresh();
    clearTimeout(quiet);
    if (!input.value) return silent();
    quiet = setTimeout(silent, QUIET);
    if (Date.now() - told < AGAIN) return;
    told = Date.now();
    typing(true);
  });

  return {
    node,
    input,
    refresh,
    update(label: string, limit: number, streaming: boolean) {
      if (input.placeholder !== label) set(input, { placeholder: label, "aria-label": label });
      if (stoppable === streaming && limit === max) return;
      max = limit;
      stoppable = streaming;
      // The button under the finger goes away: keep the keyboard where it was of use.
      const lost = halt.matches(":focus") && !streaming;
      refresh();
      if (lost) input.focus();
    },
    /** Puts text back: the draft, or a message that was not sent. */
    restore(text = store.get("draft")) {
      input.value ||= text ?? "";
      refresh();
    },
  };
}
