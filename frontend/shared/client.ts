/**
 * The visitor's chat without a screen: session, connection, outbox and state, the same in every
 * tab of the browser. One tab leads and holds the connection; the others hear what it hears.
 */

import { createLink, type Status, type Target } from "./connection";
import { listeners } from "./dom";
import type { ClientFrame, ErrorFrame, ServerFrame, Session } from "./frames";
import { createOutbox, type Draft, type OutItem } from "./outbox";
import { poll, post } from "./polling";
import { empty, reduce, type State } from "./reducer";
import { createStore } from "./storage";
import { createTabs } from "./tabs";

export interface ClientConfig {
  key: string;
  base: string;
  lang?: string;
  identity?: string;
}
export interface Snapshot {
  state: State;
  session: Session | null;
  status: Status;
}
type Note =
  | { k: "hello" }
  | { k: "snap"; snap: Snapshot }
  | { k: "frame"; frame: ServerFrame }
  | { k: "send"; frame: ClientFrame }
  | { k: "set"; identity?: string; lang?: string };

export type Client = ReturnType<typeof createClient>;

export function createClient(
  config: ClientConfig,
  hooks: {
    /** `words`: nothing changed but the text of an answer that is being written. */
    onChange(words?: boolean): void;
    onFrame(frame: ServerFrame): void;
  },
) {
  const store = createStore(`frontdesk.${config.key}.`);
  const outbox = createOutbox(store);
  let snap: Snapshot = { state: empty(), session: null, status: "idle" };
  let words: ServerFrame[] = []; // deltas that came and nobody has looked at
  let asked = -1;
  let dials = 0;
  let pumpTimer: ReturnType<typeof setTimeout> | undefined;
  let typingTimer: ReturnType<typeof setTimeout> | undefined;
  let helloTimer: ReturnType<typeof setTimeout> | undefined;
  let readTimer: ReturnType<typeof setTimeout> | undefined;
  let joined = false;

  /** The state of now. Deltas are taken in when somebody looks, all at once: most come unseen. */
  const look = () => {
    const state = words.reduce(reduce, snap.state);
    words = [];
    if (state !== snap.state) snap = { ...snap, state };
    return snap;
  };
  const update = (patch: Partial<Snapshot>) => {
    snap = { ...look(), ...patch };
    hooks.onChange();
  };
  const share = () => tabs.post({ k: "snap", snap: look() });

  async function request(path: string, body?: object): Promise<Response> {
    const token = store.get("token");
    return fetch(config.base + path, {
      method: body ? "POST" : "GET",
      headers: {
        "Content-Type": "application/json",
        ...(path !== "session" && { Authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    });
  }
  const refusal = async (response: Response) =>
    ({
      retryable: response.status >= 500,
      ...(await response.json().catch(() => ({}))),
    }) as ErrorFrame;

  async function dial(): Promise<Target> {
    const mine = ++dials;
    const token = store.get("token") ?? undefined;
    const response = await request("session", {
      widget: config.key,
      token,
      identity: config.identity,
      locale: config.lang || undefined,
      page: { url: location.href, title: document.title, referrer: document.referrer },
    });
    if (!response.ok) {
      const error = await refusal(response);
      hooks.onFrame({ ...error, type: "error" });
      const lost = error.code === "invalid_token" && !!token && !config.identity;
      if (lost) store.set("token", null);
      throw {
        fatal: !lost && !error.retryable && response.status !== 401,
        wait: lost ? 0 : error.retry_after,
      };
    }
    const session = (await response.json()) as Session;
    // Another language or identity was asked for meanwhile: this answer is of yesterday.
    if (mine !== dials) throw {};
    store.set("token", session.token);
    const { state } = snap;
    const same = state.session === session.session_id && state.epoch === session.epoch;
    update({ session });
    share();
    const query = same ? `?epoch=${encodeURIComponent(state.epoch)}&since=${state.last}` : "";
    return { url: session.ws_url + query, protocols: ["chat.v1", `ticket.${session.ticket}`] };
  }

  /** Only in the leading tab: the first to hear a frame, and the one to act on it. */
  function onFrame(frame: ServerFrame) {
    const { type } = frame;
    if (type === "ack") outbox.acked(frame.client_id);
    else if (type === "message" && frame.client_id) outbox.remove(frame.client_id);
    else if (type === "error" && frame.client_id) outbox.refused(frame);
    // What was asked for may have been refused meanwhile: with the next heartbeat it is asked again.
    else if (type === "connected" || type === "heartbeat") asked = -1;
    apply(frame);
    tabs.post({ k: "frame", frame });
    if (type === "text_delta") return;
    const { wants, last } = snap.state;
    if (wants === "restart") {
      snap.state = { ...snap.state, session: "", wants: null };
      link.redial();
    } else if (wants && asked !== last) {
      asked = last;
      link.send({ type: "resume", since: last });
    }
    if (/ack|message|error/.test(type)) pump();
  }

  /** In every tab. */
  function apply(frame: ServerFrame) {
    if (frame.type === "text_delta") {
      words.push(frame);
      return hooks.onChange(true);
    }
    update({ state: reduce(look().state, frame) });
    if (frame.type === "typing" && frame.is_typing) {
      clearTimeout(typingTimer);
      // A bot may think for a while before its first word; a person types or does not.
      const patience = frame.role === "assistant" ? 30_000 : 6000;
      typingTimer = setTimeout(() => apply({ ...frame, is_typing: false }), patience);
    }
    hooks.onFrame(frame);
  }

  function pump() {
    clearTimeout(pumpTimer);
    const wait = outbox.pump(({ id, content, quick_reply }: OutItem) =>
      link.send({ type: "message", client_id: id, content, quick_reply }),
    );
    if (wait) pumpTimer = setTimeout(pump, wait);
  }
  const outboxChanged = () => {
    pump();
    hooks.onChange();
  };

  const link = createLink({
    dial,
    onFrame,
    poll: () => poll(snap, request, refusal, onFrame),
    post: (frame) => post(frame, request, refusal, onFrame),
    onStatus(status) {
      if (status !== "open") outbox.dropped();
      update({ status });
      share();
      if (status === "open") pump();
    },
  });

  const set = (change: { identity?: string; lang?: string }) => {
    Object.assign(config, change);
    if (tabs.leads && snap.status !== "idle") {
      link.stop();
      link.start();
    }
  };
  const tabs = createTabs<Note>(`frontdesk.${config.key}`, store.lasting, {
    onLead(leads) {
      clearTimeout(helloTimer);
      if (leads) link.start();
      else {
        link.stop();
        // Stolen while this page slept: the thief has not heard of it yet.
        if (joined) hello();
      }
    },
    onMessage(note) {
      if (!joined) return;
      if (note.k === "set") set(note);
      else if (tabs.leads) {
        if (note.k === "send") link.send(note.frame);
        else if (note.k === "hello") {
          link.wake();
          share();
        }
      } else if (note.k === "frame") apply(note.frame);
      else if (note.k === "snap") {
        clearTimeout(helloTimer);
        update(note.snap);
      }
    },
  });

  /** Asks the leading tab for its state; one that stays silent is frozen and loses the lead. */
  const hello = () => {
    if (tabs.leads) return link.wake();
    tabs.post({ k: "hello" });
    clearTimeout(helloTimer);
    helloTimer = setTimeout(() => !tabs.leads && !document.hidden && tabs.steal(), 2000);
  };
  const join = () => {
    joined = true;
    tabs.join();
    hello();
  };
  const leave = () => {
    joined = false;
    clearTimeout(helloTimer);
    clearTimeout(typingTimer);
    tabs.leave();
  };
  const awake = () => joined && !document.hidden && hello();
  // A page in the back-forward cache may hold neither lock nor socket.
  const shown = (event: PageTransitionEvent) => event.persisted && join();
  const { on, off } = listeners();
  on(window, "online", awake);
  on(window, "pagehide", leave);
  on(window, "pageshow", shown);
  on(document, "visibilitychange", awake);
  // What another tab wrote. A note between tabs could come before its words are there to read.
  on(
    window,
    "storage",
    ({ key }: StorageEvent) => joined && /\.out\./.test(key ?? "") && outboxChanged(),
  );

  return {
    store,
    outbox,
    get snap() {
      return look();
    },
    get leads() {
      return tabs.leads;
    },
    start: () => joined || join(),
    wake: hello,
    /** Puts a message into the queue; it is on screen at once and sent when the line is up. */
    say(draft: Draft) {
      outbox.add(draft);
      outboxChanged();
    },
    retry(id: string) {
      outbox.retry(id);
      outboxChanged();
    },
    /** Takes it out of the queue and gives its text back. */
    discard(id: string) {
      const text = outbox.get(id)?.content;
      outbox.remove(id);
      outboxChanged();
      return text;
    },
    send(frame: ClientFrame) {
      if (tabs.leads) link.send(frame);
      else tabs.post({ k: "send", frame });
    },
    /** Everything on screen was seen by the visitor: here at once, at the server twice a second. */
    seen() {
      const { last, reads } = snap.state;
      if (last <= (reads.user ?? 0) || snap.status !== "open") return;
      const frame = { type: "read", role: "user", upto: last } as const;
      apply(frame);
      tabs.post({ k: "frame", frame });
      if (readTimer) return;
      readTimer = setTimeout(() => {
        readTimer = undefined;
        this.send({ type: "read", seq: snap.state.reads.user as number });
      }, 500);
    },
    set(change: { identity?: string; lang?: string }) {
      tabs.post({ k: "set", ...change });
      set(change);
    },
    close() {
      leave();
      tabs.close();
      off();
    },
  };
}
