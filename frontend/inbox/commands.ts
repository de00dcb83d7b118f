/** Buttons and forms of the page: shown done at once, taken back when the server refuses. */

import { act, call, Refusal } from "./api";
import type { InboxComposer } from "./composer";
import { goOn } from "./navigation";
import { $, openId, page, t } from "./page";
import { type InboxThread, theThread } from "./thread";
import { complain, toast } from "./toasts";

type Look = Partial<Record<"status" | "handledBy" | "mine", string>>;

/** Sets how the thread looks and returns how to take it back. */
function pretend(thread: InboxThread | null, look: Look): () => void {
  if (!thread) return () => {};
  const before: Look = {
    status: thread.dataset.status,
    handledBy: thread.dataset.handledBy,
    mine: thread.dataset.mine,
  };
  const wear = (clothes: Look) => {
    for (const [key, value] of Object.entries(clothes))
      if (value === undefined) delete thread.dataset[key];
      else thread.dataset[key] = value;
  };
  wear(look);
  return () => wear(before);
}

async function run(id: string, action: string, body: object, look: Look = {}): Promise<boolean> {
  const undo = pretend(theThread(), look);
  try {
    await act(id, action, body);
    return true;
  } catch (error) {
    undo();
    if (error instanceof Refusal && error.code === "taken") {
      const name = error.body.operator?.name ?? "";
      toast(name ? t("taken", { name }) : error.message, {
        label: t("take_anyway"),
        run: () => void run(id, "take", { force: true }, TAKEN),
      });
    } else complain(error);
    return false;
  }
}

const TAKEN: Look = { status: "open", handledBy: "operator", mine: "" };

export async function take(): Promise<void> {
  const id = openId();
  const thread = theThread();
  if (!id || !thread || thread.dataset.mine !== undefined || thread.dataset.status === "closed")
    return;
  // At once: who takes over begins to type, and no letter of that may act as a key.
  $<InboxComposer>("inbox-composer")?.write("reply");
  await run(id, "take", {}, TAKEN);
}

export async function close(): Promise<void> {
  const id = openId();
  if (!id || theThread()?.dataset.status === "closed") return;
  if (!(await run(id, "close", {}, { status: "closed" }))) return;
  toast(t("closed"), {
    label: t("undo"),
    run: () => void run(id, "reopen", {}, { status: "open" }),
  });
  if (openId() === id) goOn(id);
}

async function reopen(): Promise<void> {
  if (await run(openId(), "reopen", {}, { status: "open" })) toast(t("reopened"));
}

async function snooze(until: string): Promise<void> {
  const id = openId();
  const time = new Date(until);
  if (Number.isNaN(time.getTime())) return toast(t("failed"));
  if (!(await run(id, "snooze", { until: time.toISOString() }, { status: "snoozed" }))) return;
  toast(t("snoozed"), {
    label: t("undo"),
    run: () => void run(id, "reopen", {}, { status: "open" }),
  });
  if (openId() === id) goOn(id);
}

async function transfer(form: HTMLFormElement): Promise<void> {
  const data = new FormData(form);
  const [kind, key] = String(data.get("to") ?? "").split(":");
  if (!kind || !key) return $("[name=to]", form)?.focus();
  const body = { [kind]: Number(key), comment: String(data.get("comment") ?? "") };
  if (await run(openId(), "transfer", body)) toast(t("transferred"));
}

async function handBack(): Promise<void> {
  if (await run(openId(), "handback", {}, { handledBy: "bot", mine: undefined }))
    toast(t("handed_back"));
}

async function tag(action: "tag" | "untag", name: string): Promise<void> {
  if (!name.trim()) return;
  (document.activeElement as HTMLElement | null)?.blur();
  await act(openId(), action, { name }).catch(complain);
  theThread()?.refreshDetails();
}

async function visitor(action: string): Promise<void> {
  const id = $("#details")?.dataset.visitor;
  (document.activeElement as HTMLElement | null)?.blur();
  await call(`visitors/${id}/${action}/`, {}).catch(complain);
  theThread()?.refreshDetails();
}

function dispatch(form: HTMLFormElement, button: HTMLButtonElement) {
  const [action, ...rest] = button.value.split(":");
  const value = rest.join(":");
  const field = (name: string) => String(new FormData(form).get(name) ?? "");
  if (action === "take") take();
  else if (action === "close") close();
  else if (action === "reopen") reopen();
  else if (action === "handback") handBack();
  else if (action === "snooze") snooze(value || field("until"));
  else if (action === "transfer") transfer(form);
  else if (action === "tag") tag("tag", field("tag"));
  else if (action === "untag") tag("untag", button.dataset.name ?? "");
  else visitor(action ?? "");
}

export async function setPresence(button: HTMLButtonElement): Promise<void> {
  const available = button.getAttribute("aria-checked") !== "true";
  button.setAttribute("aria-checked", String(available));
  try {
    const me = await call("presence/", { available });
    page.operator ??= me.id;
  } catch (error) {
    button.setAttribute("aria-checked", String(!available));
    complain(error);
  }
}

export function startCommands() {
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    const button = event.submitter as HTMLButtonElement | null;
    if (event.defaultPrevented) return;
    if (button?.classList.contains("presence")) {
      event.preventDefault();
      setPresence(button);
    } else if (form.matches(".actions, .tags, .rights form")) {
      event.preventDefault();
      for (const menu of form.querySelectorAll("details[open]")) menu.removeAttribute("open");
      const first = form.classList.contains("tags") ? $<HTMLButtonElement>(".add", form) : button;
      if (form.classList.contains("tags") && button?.value.startsWith("untag"))
        dispatch(form, button);
      else if (first) dispatch(form, first);
    }
  });
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    const text = target.closest<HTMLElement>("[data-insert]")?.dataset.insert;
    if (text !== undefined) $<InboxComposer>("inbox-composer")?.insert(text);
    for (const menu of document.querySelectorAll("details.menu[open]"))
      if (!menu.contains(target)) menu.removeAttribute("open");
  });
}
