/** Commands and pages over HTTP; a login that ended leads to the sign-in and back. */

import { parse } from "./fragment";
import { $, type Frame, page, t } from "./page";

export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly body: Frame,
  ) {
    super(message);
  }
}

/** Milliseconds after which a server that does not answer counts as away. */
const PATIENCE = 30_000;

/** Characters of a request that may outlive its page; browsers allow 64 KiB to all together. */
const KEPT_ALIVE = 8_192;

const token = () => $<HTMLInputElement>("[name=csrfmiddlewaretoken]")?.value ?? "";

async function request(url: string, options: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(url, {
      credentials: "same-origin",
      signal: AbortSignal.timeout(PATIENCE),
      ...options,
    });
  } catch {
    throw new Refusal(0, "no_answer", t("no_answer"), { type: "error" });
  }
  // Signed out, or signed in anew in another tab: the page's token is worth nothing any more.
  if (answer.status === 401 || (answer.status === 403 && options.method === "POST")) {
    location.reload();
    await new Promise(() => {});
  }
  return answer;
}

/** Calls the REST interface; without a body it reads. Throws `Refusal`. */
export async function call<T = Frame>(path: string, body?: object): Promise<T> {
  const sent = body && JSON.stringify(body);
  const answer = await request(page.api + path, {
    method: body ? "POST" : "GET",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token() },
    body: sent,
    // What was done just before the page was left reaches the server all the same.
    keepalive: !!sent && sent.length < KEPT_ALIVE,
  });
  const data = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
  if (answer.ok) return data as T;
  throw new Refusal(answer.status, data.code ?? "failed", data.message ?? t("failed"), data);
}

const lines = new Map<string, Promise<void>>();

/**
 * What an operator does to one conversation, in the order of doing: two requests at once overtake
 * each other, and the reply or the take before a close would find it closed.
 */
export function act<T = Frame>(id: string, action: string, body: object = {}): Promise<T> {
  const before = lines.get(id) ?? Promise.resolve();
  const answer = before.then(() => call<T>(`conversations/${id}/${action}/`, body));
  const settled = answer.then(
    () => {},
    () => {},
  );
  lines.set(id, settled);
  void settled.then(() => lines.get(id) === settled && lines.delete(id));
  return answer;
}

/** One pane of a page, as nodes. */
export async function pane(url: string, part: string): Promise<DocumentFragment> {
  const target = new URL(url, location.href);
  target.searchParams.set("part", part);
  const answer = await request(target.href, { method: "GET" });
  if (answer.redirected && new URL(answer.url).pathname !== target.pathname) {
    location.reload();
    await new Promise(() => {});
  }
  if (!answer.ok)
    throw new Refusal(answer.status, "not_found", t(answer.status === 404 ? "gone" : "failed"), {
      type: "error",
    });
  return parse(await answer.text());
}
