/** What the server said about this page, its words, and a place where modules meet. */

export interface PageData {
  operator: number | null;
  name: string;
  sound: boolean;
  language: string;
  api: string;
  inbox: string;
  max_chars: number;
  texts: Record<string, string>;
}

export interface Summary {
  type: "summary";
  conversation_id: string;
  head: number;
  status: "open" | "snoozed" | "closed";
  handled_by: "bot" | "queue" | "operator" | "nobody";
  operator?: { id: number; name: string };
  preview: string;
  preview_role: string;
  updated_at: string;
  visitor: { id: string; name: string; verified: boolean };
}
export interface Fragment {
  type: "fragment";
  conversation_id: string;
  target: string;
  action: "append" | "replace" | "upsert";
  html: string;
  version: number;
}
/** Any server frame; the fields that are read are checked where they are read. */
// biome-ignore lint/suspicious/noExplicitAny: frames of many shapes, named by `type`.
export type Frame = { type: string; conversation_id?: string } & Record<string, any>;

export const page = JSON.parse(
  document.getElementById("inbox-page")?.textContent || "{}",
) as PageData;

/** One text of the page, with `{name}` filled. */
export const t = (key: string, values: Record<string, string | number> = {}): string =>
  (page.texts?.[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));

export const $ = <E extends Element = HTMLElement>(
  selector: string,
  root: ParentNode = document,
): E | null => root.querySelector<E>(selector);
export const $$ = <E extends Element = HTMLElement>(
  selector: string,
  root: ParentNode = document,
): E[] => [...root.querySelectorAll<E>(selector)];

export const desk = $(".desk") as HTMLElement;
export const view = (): string => $("inbox-list")?.dataset.view ?? "all";
/** The conversation on screen, "" for none. */
export const openId = (): string => $("inbox-thread")?.dataset.conversation ?? "";

type Listener = (frame: Frame) => void;
const listeners = new Map<string, Set<Listener>>();

/** Hears every frame of a type ("*": of any); returns how to stop. */
export function hear(type: string, listener: Listener): () => void {
  const set = listeners.get(type) ?? new Set();
  listeners.set(type, set.add(listener));
  return () => void set.delete(listener);
}
export function tell(frame: Frame) {
  for (const type of [frame.type, "*"])
    for (const listener of listeners.get(type) ?? []) listener(frame);
}

export function debounce<A extends unknown[]>(ms: number, work: (...args: A) => void) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (...args: A) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...args), ms);
  };
}

/** Does the work at the first call, then at most once in `ms`, the last call never left out. */
export function atMostEvery(ms: number, work: () => void) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = false;
  const turn = () => {
    timer = asked ? setTimeout(turn, ms) : undefined;
    if (asked) work();
    asked = false;
  };
  return () => {
    asked = true;
    if (!timer) turn();
  };
}
