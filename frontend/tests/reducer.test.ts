import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Durable, Message, ServerFrame } from "../shared/frames";
import { empty, reduce, type State } from "../shared/reducer";

const run = (frames: ServerFrame[], from: State = open()) => frames.reduce(reduce, from);
const connected = (over: object = {}): ServerFrame => ({
  type: "connected",
  session_id: "s1",
  epoch: "e1",
  head: 0,
  heartbeat_seconds: 30,
  conversation: { status: "open", handled_by: "bot" },
  reads: {},
  ...over,
});
const open = () => reduce(empty("s1", "e1"), connected());
const message = (seq: number, over: Partial<Message> = {}): Message => ({
  type: "message",
  seq,
  id: `m${seq}`,
  role: "user",
  content: `text ${seq}`,
  timestamp: "2026-11-20T10:00:00Z",
  ...over,
});
const start = (over: object = {}) =>
  ({ type: "response_start", turn: "t", revision: 0, message_id: "a", ...over }) as ServerFrame;
const delta = (offset: number, content: string, revision = 0) =>
  ({ type: "text_delta", turn: "t", revision, offset, content }) as ServerFrame;
const handled = (seq: number, handled_by: string, name?: string) =>
  ({
    type: "conversation",
    seq,
    status: "open",
    handled_by,
    operator: name ? { name } : null,
  }) as Durable;

test("durable frames are taken once and in order", () => {
  const state = run([message(1), message(2), message(1), message(2), message(3)]);
  assert.deepEqual(
    state.items.map((item) => item.id),
    ["m1", "m2", "m3"],
  );
  assert.equal(state.last, 3);
});

test("a gap asks to resume and takes nothing in", () => {
  const state = run([message(1), message(3)]);
  assert.equal(state.last, 1);
  assert.equal(state.wants, "resume");
  assert.equal(run([message(2), message(3)], state).wants, null);
});

test("any order with repeats ends in the true order once gaps are replayed", () => {
  const all = Array.from({ length: 12 }, (_, n) => message(n + 1));
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 11 }), { maxLength: 60 }), (picks) => {
      let state = run(picks.map((n) => all[n] as Message));
      state = run(all.slice(state.last), state);
      assert.deepEqual(
        state.items.map((item) => item.seq),
        all.map((item) => item.seq),
      );
    }),
  );
});

test("an answer streams, ends and becomes the durable message with the same id", () => {
  let state = run([start(), delta(0, "Hel"), delta(3, "lo")]);
  assert.equal(state.turn?.text, "Hello");
  state = run(
    [
      { type: "response_end", turn: "t", revision: 0, outcome: "done", full_content: "Hello!" },
      message(1, { id: "a", role: "assistant", content: "Hello!" }),
    ],
    state,
  );
  assert.equal(state.turn, null);
  assert.equal(state.items.length, 1);
});

test("the durable message may come before response_end", () => {
  const state = run([
    start(),
    delta(0, "Hi"),
    message(1, { id: "a", role: "assistant", content: "Hi" }),
    delta(2, " late"),
    { type: "response_end", turn: "t", revision: 0, outcome: "done", full_content: "Hi" },
    start(),
  ]);
  assert.equal(state.turn, null);
  assert.equal(state.items.length, 1);
});

test("offsets count code points, not UTF-16 units", () => {
  assert.equal(run([start(), delta(0, "👍🏽é"), delta(3, "!")]).turn?.text, "👍🏽é!");
});

test("a delta with a wrong offset is ignored, one with offset 0 replaces", () => {
  let state = run([start(), delta(0, "abc"), delta(7, "zzz")]);
  assert.equal(state.turn?.text, "abc");
  state = run([delta(0, "abcdefg"), delta(7, "h")], state);
  assert.equal(state.turn?.text, "abcdefgh");
});

test("a retried turn replaces what the first attempt showed", () => {
  const state = run([
    start(),
    delta(0, "first try"),
    start({ revision: 1 }),
    delta(9, " stale", 0),
    delta(0, "second", 1),
  ]);
  assert.equal(state.turn?.text, "second");
  assert.equal(state.turn?.revision, 1);
});

test("after a take-over the bot shows neither delta nor typing", () => {
  const state = run([
    start(),
    delta(0, "I think"),
    message(1, { id: "a", role: "assistant", content: "I think" }),
    handled(2, "operator", "Olga"),
    delta(7, " so"),
    start({ turn: "t2", message_id: "b" }),
    { type: "typing", role: "assistant", is_typing: true },
  ]);
  assert.equal(state.turn, null);
  assert.equal(state.typing, null);
  assert.equal(state.conversation?.operator?.name, "Olga");
});

test("a redaction takes text, sources and files away", () => {
  const state = run([
    message(1, { sources: [{ url: "/", title: "x", snippet: "" }] }),
    { type: "message_updated", seq: 2, id: "m1", content: null, reason: "redacted" },
  ]);
  const [item] = state.items as Message[];
  assert.equal(item?.content, null);
  assert.deepEqual(item?.sources, []);
});

test("a heartbeat beyond the head asks to resume, of another epoch to start anew", () => {
  const base = run([message(1)]);
  assert.equal(reduce(base, { type: "heartbeat", head: 3, epoch: "e1" }).wants, "resume");
  assert.equal(reduce(base, { type: "heartbeat", head: 1, epoch: "e2" }).wants, "restart");
  assert.equal(reduce(base, { type: "heartbeat", head: 1, epoch: "e1" }).wants, null);
});

test("read marks only go forward", () => {
  const state = run([
    { type: "read", role: "operator", upto: 4 },
    { type: "read", role: "operator", upto: 2 },
  ]);
  assert.equal(state.reads.operator, 4);
});

test("reset keeps the screen until the new session is connected", () => {
  let state = run([message(1), { type: "reset", reason: "closed", session_id: "s2" }]);
  assert.equal(state.wants, "restart");
  assert.equal(state.items.length, 1);
  state = reduce(state, connected({ session_id: "s2" }));
  assert.equal(state.items.length, 0);
  assert.equal(state.session, "s2");
});

test("the place in the queue may come before the event that queues", () => {
  const state = run([{ type: "queue", position: 2 }, handled(1, "bot"), handled(2, "queue")]);
  assert.equal(state.queue?.position, 2);
  assert.equal(reduce(state, connected()).queue, null);
});

test("the reducer never changes the state it was given", () => {
  const before = run([message(1), start(), delta(0, "x")]);
  const copy = structuredClone(before);
  run(
    [message(2), delta(1, "y"), handled(3, "operator", "Olga"), { type: "reset", reason: "x" }],
    before,
  );
  assert.deepEqual(before, copy);
});
