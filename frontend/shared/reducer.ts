/**
 * What the visitor's screen knows, as a pure function of the frames that came: state × frame →
 * state. No clock, no DOM, no network. The caller looks at `wants` afterwards and asks the server.
 */

import type {
  Conversation,
  Durable,
  Message,
  Person,
  Reads,
  Role,
  ServerFrame,
  Source,
} from "./frames";

export type Item = Message;

/** A bot answer being written: `text` is replaced by a new revision, never spliced. */
export interface Turn {
  turn: string;
  revision: number;
  id: string;
  text: string;
  /** Length of `text` in Unicode code points, the unit of `offset`. */
  length: number;
  sources: Source[];
  ended: boolean;
}
export interface State {
  session: string;
  epoch: string;
  /** seq of the last durable frame taken in; everything up to here is on screen. */
  last: number;
  items: Item[];
  turn: Turn | null;
  typing: { role: Role; author?: Person | null } | null;
  conversation: Conversation | null;
  /** Means something only while the queue handles the conversation; may come before that event. */
  queue: { position: number; estimate_seconds?: number | null } | null;
  reads: Reads;
  online: boolean | null;
  /** Code points one message may have. */
  maxChars: number;
  wants: "resume" | "restart" | null;
}

export const empty = (session = "", epoch = ""): State => ({
  session,
  epoch,
  last: 0,
  items: [],
  turn: null,
  typing: null,
  conversation: null,
  queue: null,
  reads: {},
  online: null,
  maxChars: 4000,
  wants: null,
});

const points = (text: string) => [...text].length;
const botMaySpeak = (state: State) => !/operator|queue/.test(`${state.conversation?.handled_by}`);
const raise = (next: State, marks: Reads = {}) => {
  next.reads = { ...next.reads };
  for (const role of Object.keys(marks) as Role[])
    next.reads[role] = Math.max(next.reads[role] ?? 0, marks[role] ?? 0);
};

/** The state after `frame`; the one given stays as it was. */
export function reduce(state: State, frame: ServerFrame): State {
  let next = { ...state };
  switch (frame.type) {
    case "message":
    case "message_updated":
    case "conversation":
      return durable(next, frame);
    case "connected":
      if (frame.session_id !== state.session || frame.epoch !== state.epoch)
        next = empty(frame.session_id, frame.epoch);
      next.conversation = frame.conversation;
      next.reads = frame.reads ?? {};
      next.maxChars = frame.limits?.max_message_chars ?? next.maxChars;
      next.typing = next.queue = next.wants = null;
      if (!next.turn?.ended) next.turn = null;
      if (frame.head < next.last) next.wants = "restart";
      break;
    case "typing":
      // A late sign of the bot must not show after a person took over.
      if (frame.role === "assistant" && !botMaySpeak(state)) break;
      if (frame.is_typing) next.typing = frame.role === "user" ? state.typing : frame;
      else if (state.typing?.role === frame.role) next.typing = null;
      break;
    case "queue":
      next.queue = frame;
      break;
    case "presence":
      next.online = frame.online;
      break;
    case "read":
      raise(next, { [frame.role]: frame.upto });
      break;
    case "heartbeat":
      raise(next, frame.reads);
      if (frame.epoch !== state.epoch || frame.head < state.last) next.wants = "restart";
      else if (frame.head > state.last) next.wants = "resume";
      break;
    case "reset":
      // What is on screen stays until the next `connected`, which sees that the session differs.
      next.session = "";
      next.wants = "restart";
      next.turn = next.typing = next.queue = null;
      break;
    case "response_start":
    case "sources":
    case "text_delta":
    case "response_end":
      next.turn = streamed(state, frame);
      if (next.turn?.text === "" && next.turn !== state.turn) next.typing = null;
  }
  return next;
}

function durable(next: State, frame: Durable): State {
  const { last, turn, typing } = next;
  if (frame.seq <= last) return next;
  next.wants = frame.seq > last + 1 ? "resume" : null;
  if (next.wants) return next;
  next.last = frame.seq;
  if (frame.type === "message") {
    next.items = [...next.items, frame];
    if (turn && (turn.id === frame.id || turn.ended)) next.turn = null;
    if (typing?.role === frame.role) next.typing = null;
  } else if (frame.type === "conversation") {
    next.conversation = frame;
    if (frame.handled_by !== "bot") {
      next.turn = null;
      if (typing?.role === "assistant") next.typing = null;
    }
  } else
    next.items = next.items.map((item) =>
      item.id !== frame.id
        ? item
        : frame.content === null
          ? { ...item, content: null, sources: [], attachments: [] }
          : { ...item, content: frame.content },
    );
  return next;
}

type Streamed = Extract<ServerFrame, { turn: string }>;

function streamed(state: State, frame: Streamed): Turn | null {
  const { turn } = state;
  const same = turn?.turn === frame.turn;
  const newer = frame.revision - (turn?.revision ?? 0);
  if (frame.type === "response_start") {
    const { message_id: id, revision } = frame;
    // The same revision again is a reader catching up: what is shown stays until offset 0 replaces it.
    if (same && (turn.ended || newer < 1)) return turn;
    if (!botMaySpeak(state) || state.items.some((item) => item.id === id)) return turn;
    return { turn: frame.turn, revision, id, text: "", length: 0, sources: [], ended: false };
  }
  if (!same || turn.ended || newer < 0) return turn;
  if (frame.type === "response_end") {
    const text = frame.full_content;
    return text ? { ...turn, text, ended: true } : null;
  }
  if (newer) return turn;
  if (frame.type === "sources") return { ...turn, sources: frame.sources };
  const { offset, content } = frame;
  if (offset && offset !== turn.length) return turn;
  const text = offset ? turn.text + content : content;
  return { ...turn, text, length: offset + points(content) };
}
