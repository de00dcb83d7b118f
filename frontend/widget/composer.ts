/** Where the visitor writes: grows, keeps a draft, and never sends half a composed character. */

import { button, h, set } from "../shared/dom";
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
  let max = 4000;
  let left = 0;
  let text = "";
  let stoppable = false;
  let told = 0;
  let quiet: ReturnType<typeof setTimeout>;

  const silent = () => {
    clearTimeout(quiet);
    if (told) typing(false);
    told = 0;
  };
  const refresh = () => {
    text = input.value.trim();
    left = max - [...text].length;
    set(go, { "aria-disabled": text && left >= 0 ? null : true });
    count.textContent = left < max / 10 ? t("left", { count: left }) : "";
    count.className = left < 0 ? "s bad" : "s";
    halt.hidden = !stoppable;
    go.hidden = stoppable && !text;
    input.style.height = "auto";
    input.style.height = `${input.scrollHeight}px`;
  };
  const submit = () => {
    if (text && left >= 0) {
      const content = text;
      input.value = "";
      store.set("draft", null);
      silent();
      refresh();
      send(content);
    }
    input.focus();
  };
  const input = h("textarea", {
    rows: 1,
    dir: "auto",
    enterkeyhint: "send",
    "aria-describedby": "left",
    onkeydown(event: KeyboardEvent) {
      // 229: Safari ends the composition before this Enter and no longer calls it composing.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229)
        return;
      event.preventDefault();
      submit();
    },
    oninput() {
      store.set("draft", input.value || null);
      refresh();
      clearTimeout(quiet);
      if (!input.value) return silent();
      quiet = setTimeout(silent, QUIET);
      if (Date.now() - told < AGAIN) return;
      told = Date.now();
      typing(true);
    },
  });
  const go = button(t("send"), submit, "go", SEND);
  const halt = button(t("stop"), stop, "go halt", STOP);
  const count = h("div", { id: "left" });

  return {
    node: h("form", null, h("div", "box", input, halt, go), count),
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
