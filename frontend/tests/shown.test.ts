import assert from "node:assert/strict";
import { test } from "node:test";
import type { Message, WidgetInfo } from "../shared/frames";
import { translator } from "../shared/i18n";
import { empty, type State } from "../shared/reducer";
import { dayLabel, joins, offers, shown, speaker } from "../widget/shown";

const message = (seq: number, over: Partial<Message> = {}): Message => ({
  type: "message",
  seq,
  id: `m${seq}`,
  role: "user",
  content: "x",
  timestamp: "2026-11-20T10:00:00Z",
  ...over,
});
const state = (over: Partial<State> = {}): State => ({ ...empty("s", "e"), ...over });
const out = (over: object = {}) => ({ id: "c", n: 1, at: 0, tries: 0, content: "y", ...over });
const widget = {
  name: "Shop",
  bot_name: "Robbie",
  starters: ["Hi?"],
} as WidgetInfo;

test("a message is read when the operator's mark reached it", () => {
  const marks = shown(
    state({ items: [message(1), message(2)], reads: { operator: 1 } }),
    [],
    true,
  ).map((item) => item.mark);
  assert.deepEqual(marks, ["read", "sent"]);
});

test("queued messages say what they wait for", () => {
  const mark = (over: object, up = true) => shown(state(), [out(over)], up)[0]?.mark;
  assert.equal(mark({}), "sending");
  assert.equal(mark({}, false), "waiting");
  assert.equal(mark({ acked: true }), "sent");
  assert.equal(mark({ failed: "" }), "not_sent");
});

test("an answer that streams stands below what the visitor wrote meanwhile", () => {
  const turn = {
    turn: "t",
    revision: 1,
    id: "a",
    text: "Hel",
    length: 3,
    sources: [],
    ended: false,
  };
  const list = shown(state({ items: [message(1)], turn }), [out()], true);
  assert.deepEqual(
    list.map((item) => item.content),
    ["x", "y", "Hel"],
  );
  assert.equal(list[2]?.live, true);
});

test("messages of one person within five minutes are one group", () => {
  const later = (minutes: number, over: Partial<Message> = {}) =>
    message(2, { timestamp: `2026-11-20T10:0${minutes}:00Z`, ...over });
  assert.equal(joins(message(1), later(4)), true);
  assert.equal(joins(message(1), later(6)), false);
  assert.equal(joins(message(1), later(1, { role: "operator" })), false);
  assert.equal(joins(message(1, { author: { name: "Olga" } }), later(1)), false);
});

test("starters stand on an empty thread, quick replies below the newest answer", () => {
  assert.deepEqual(offers(state(), [], widget), ["Hi?"]);
  assert.deepEqual(offers(state(), [out()], widget), []);
  const answer = message(1, { role: "assistant", quick_replies: ["Yes"] });
  assert.deepEqual(offers(state({ items: [answer] }), [], widget), ["Yes"]);
  assert.deepEqual(offers(state({ items: [answer, message(2)] }), [], widget), []);
});

test("who speaks is the author, else the bot's or the widget's name", () => {
  assert.equal(speaker({ role: "assistant", content: "" }, widget), "Robbie");
  assert.equal(speaker({ role: "operator", content: "" }, widget), "Shop");
  assert.equal(
    speaker({ role: "operator", content: "", author: { name: "Olga" } }, widget),
    "Olga",
  );
});

test("days are named as people name them", () => {
  const now = new Date(2026, 10, 20, 12).getTime();
  const day = 86_400_000;
  const t = translator({ today: "Heute", yesterday: "Gestern" });
  assert.equal(dayLabel(now, now, t), "Heute");
  assert.equal(dayLabel(now - day, now, t), "Gestern");
  assert.equal(dayLabel(now - 3 * day, now, t, "en"), "Tuesday");
  assert.equal(dayLabel(now - 30 * day, now, t, "en"), "October 21, 2026");
});

test("texts come from the server, holes are filled, a missing key speaks for itself", () => {
  const t = translator({ new: "Neu: {count}" });
  assert.equal(t("new", { count: 3 }), "Neu: 3");
  assert.equal(t("not_sent"), "not sent");
  assert.equal(t("write_a_message"), "write a message");
});
