/**
 * Messages the visitor wrote and the server has not acknowledged. They live in storage, one key
 * each, so that a reload, a crash or a second tab loses none and no tab overwrites another's.
 * Knows nothing of sockets: the caller hands in `send` and tells what became of it.
 */

import type { ErrorFrame } from "./frames";
import type { Store } from "./storage";

export interface Draft {
  content: string;
  quick_reply?: string;
}
export interface OutItem extends Draft {
  id: string;
  /** Place in the order of writing on this device. */
  n: number;
  at: number;
  /** How often it was sent without an acknowledgement. */
  tries: number;
  /** The server has it; it waits here until its durable frame comes. */
  acked?: boolean;
  /** Why it stays here until the visitor decides; "" when nobody said. */
  failed?: string;
}

export const WINDOW = 8;
const MAX_TRIES = 3;

export type Outbox = ReturnType<typeof createOutbox>;

export function createOutbox(store: Store, now: () => number = Date.now) {
  const inflight = new Set<string>();
  let pausedUntil = 0;
  // After a refusal one message goes first alone: eight more refusals would only prolong the wait.
  let probing = false;

  const read = (id: string): OutItem | null => {
    try {
      return JSON.parse(store.get(`out.${id}`) as string) as OutItem | null;
    } catch {
      return null;
    }
  };
  const write = (item: OutItem) => store.set(`out.${item.id}`, JSON.stringify(item));
  const items = (): OutItem[] =>
    store
      .names("out.")
      .map((name) => read(name.slice(4)))
      .filter((item): item is OutItem => typeof item?.content === "string")
      .sort((a, b) => a.n - b.n || a.at - b.at);
  const nextPlace = () => (items().at(-1)?.n ?? 0) + 1;
  const change = (id: string, patch: Partial<OutItem>) => {
    const item = read(id);
    if (item) write({ ...item, ...patch });
  };

  return {
    items,
    get: read,
    add(draft: Draft): OutItem {
      // Unique among this visitor's messages; crypto.randomUUID is missing on insecure pages.
      const id = `${now()}-${Math.random().toString(36).slice(2)}`;
      const item = { ...draft, id, n: nextPlace(), at: now(), tries: 0 };
      write(item);
      return item;
    },
    remove(id: string) {
      inflight.delete(id);
      store.set(`out.${id}`, null);
    },
    /** The visitor asked for it again: it counts as written now. */
    retry: (id: string) => change(id, { n: nextPlace(), at: now(), tries: 0, failed: undefined }),

    /** Sends what may go now, oldest first; returns ms until the next look, 0 for "no need". */
    pump(send: (item: OutItem) => boolean): number {
      const wait = pausedUntil - now();
      if (wait > 0) return wait;
      for (const item of items()) {
        if (inflight.size >= (probing ? 1 : WINDOW)) break;
        if (item.acked || item.failed !== undefined || inflight.has(item.id)) continue;
        if (!send(item)) break;
        inflight.add(item.id);
        write({ ...item, tries: item.tries + 1 });
      }
      return 0;
    },
    acked(id: string) {
      probing = false;
      inflight.delete(id);
      change(id, { acked: true });
    },
    refused(error: ErrorFrame) {
      const id = error.client_id as string;
      const item = read(id);
      inflight.delete(id);
      if (!item) return;
      if (!error.retryable || item.tries >= MAX_TRIES)
        return write({ ...item, failed: error.message || "" });
      probing = true;
      pausedUntil = Math.max(
        pausedUntil,
        now() + 1000 * (error.retry_after ?? 2 ** (item.tries - 1)),
      );
    },
    /** The connection went. Only the oldest in flight is suspected of having killed it. */
    dropped() {
      for (const item of items()) if (item.acked) this.remove(item.id);
      const [first, ...others] = items().filter((item) => inflight.has(item.id));
      for (const item of others) change(item.id, { tries: item.tries - 1 });
      if (first && first.tries >= MAX_TRIES) change(first.id, { failed: "" });
      inflight.clear();
      pausedUntil = 0;
    },
  };
}
