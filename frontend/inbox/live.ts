/** The one socket of this page: what it follows, and what happens when it comes back. */

import { createLink, type Status } from "../shared/connection";
import { call, Refusal } from "./api";
import { $, type Frame, page, t, tell } from "./page";

const followed = new Map<string, number>();

const link = createLink<Frame, Frame>({
  async dial() {
    try {
      // Asks first whether the login still stands; if not, the page leads to the sign-in.
      await call("counters/");
    } catch (error) {
      throw { wait: error instanceof Refusal && error.status === 429 ? 10 : undefined };
    }
    const url = new URL("/ws/inbox/", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    url.search = new URLSearchParams({ html: "1", language: page.language }).toString();
    return { url: url.href };
  },
  onFrame(frame) {
    if (frame.type === "heartbeat") return beat(frame);
    if (typeof frame.seq === "number" && frame.conversation_id) {
      const last = followed.get(frame.conversation_id);
      if (last !== undefined) followed.set(frame.conversation_id, Math.max(last, frame.seq));
    }
    tell(frame);
  },
  onStatus(status) {
    show(status);
    if (status === "open") for (const [id, since] of followed) link.send(subscription(id, since));
  },
});

const subscription = (id: string, since: number): Frame => ({
  type: "subscribe",
  conversation_id: id,
  since,
  html: true,
});

function beat(frame: Frame) {
  for (const [id, head] of Object.entries(frame.heads ?? {})) {
    const last = followed.get(id);
    if (last !== undefined && last < (head as number)) link.send(subscription(id, last));
  }
}

const WORDS: Partial<Record<Status, string>> = {
  open: "connected",
  connecting: "connecting",
  waiting: "offline",
  stopped: "stopped",
};

function show(status: Status) {
  const line = $(".line-state");
  if (!line) return;
  line.dataset.state = status;
  const text = $(".text", line);
  if (text) text.textContent = t(WORDS[status] ?? "connecting");
  line.title = text?.textContent ?? "";
}

export function follow(id: string, since: number) {
  followed.set(id, since);
  link.send(subscription(id, since));
}
export function unfollow(id: string) {
  followed.delete(id);
  link.send({ type: "unsubscribe", conversation_id: id });
}
export const say = (frame: Frame): boolean => link.send(frame);

export function goLive() {
  link.start();
  addEventListener("online", () => link.wake());
  document.addEventListener("visibilitychange", () => document.hidden || link.wake());
  // A page restored from the back/forward cache has a dead socket.
  addEventListener("pageshow", (event) => event.persisted && link.redial());
}
