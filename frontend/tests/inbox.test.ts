import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Window } from "happy-dom";

const window = new Window({ url: "http://localhost/inbox/all/" });
window.document.body.innerHTML =
  '<script type="application/json" id="inbox-page">{"language":"en","texts":{"now":"now","today":"Today","yesterday":"Yesterday","hello":"Hello {name}"}}</script>';
Object.assign(globalThis, {
  window,
  document: window.document,
  Node: window.Node,
  HTMLElement: window.HTMLElement,
  localStorage: window.localStorage,
});
const { atMostEvery, t, hear, tell } = await import("../inbox/page");
const { ago, day, since } = await import("../inbox/times");
const { matching } = await import("../inbox/canned");
const { parse } = await import("../inbox/fragment");
const { arrange } = await import("../inbox/arrange");

const NOW = new Date(2026, 10, 20, 12, 0, 0).getTime();
const before = (seconds: number) => NOW - seconds * 1000;

test("waiting times grow from minutes to hours", () => {
  assert.equal(since(before(0), NOW), "0:00");
  assert.equal(since(before(100), NOW), "1:40");
  assert.equal(since(before(3599), NOW), "59:59");
  assert.equal(since(before(3600 + 65), NOW), "1:01:05");
  assert.equal(since(NOW + 5000, NOW), "0:00", "a clock that runs ahead waits for nothing");
});

test("ages are short and never say sixty minutes", () => {
  assert.equal(ago(before(10), NOW), "now");
  assert.equal(ago(before(120), NOW), "2m");
  assert.equal(ago(before(3580), NOW), "1h");
  assert.equal(ago(before(7200), NOW), "2h");
});

test("days are named by their distance", () => {
  assert.equal(day(before(0), NOW), "Today");
  assert.equal(day(before(86_400), NOW), "Yesterday");
  assert.match(day(before(3 * 86_400), NOW), /November/);
});

test("texts are filled and an unknown one shows its key", () => {
  assert.equal(t("hello", { name: "Vera" }), "Hello Vera");
  assert.equal(t("missing"), "missing");
});

test("frames reach those who listen until they stop", () => {
  const heard: string[] = [];
  const stop = hear("pong", (frame) => heard.push(frame.type));
  tell({ type: "pong" });
  stop();
  tell({ type: "pong" });
  assert.deepEqual(heard, ["pong"]);
});

test("what is asked for without a pause is done at once, then on time, then a last time", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  let done = 0;
  const ask = atMostEvery(500, () => {
    done += 1;
  });
  for (let ms = 0; ms < 2000; ms += 100) {
    ask();
    mock.timers.tick(100);
  }
  assert.equal(done, 5, "0, 500, 1000, 1500 and 2000 ms");
  mock.timers.tick(5000);
  assert.equal(done, 5, "nobody asked again");
  ask();
  assert.equal(done, 6);
  mock.timers.reset();
});

test("prepared replies match by shortcut first, then by title", () => {
  const reply = (id: number, shortcut: string, title: string) => ({
    id,
    shortcut,
    title,
    content: "",
  });
  const all = [reply(1, "thanks", "Goodbye"), reply(2, "bye", "Thanks again"), reply(3, "x", "y")];
  assert.deepEqual(
    matching(all, "THA").map((found) => found.id),
    [1, 2],
  );
  assert.equal(matching(all, "").length, 3);
});

test("a fragment loses whatever could act, even if a template let it through", () => {
  const nodes = parse(
    '<p onclick="x()" style="color:red" id="a">Hi</p><script>x()</script><iframe srcdoc="x"></iframe>',
  );
  assert.equal(nodes.querySelectorAll("script, iframe").length, 0);
  const left = nodes.querySelector("#a");
  assert.equal(left?.getAttribute("onclick"), null);
  assert.equal(left?.getAttribute("style"), null);
  assert.equal(left?.textContent, "Hi");
});

function thread(...messages: Record<string, string>[]): HTMLElement {
  const events = document.createElement("div");
  for (const { class: extra = "", ...data } of messages) {
    const node = document.createElement("article");
    node.className = `message ${extra}`;
    for (const [name, value] of Object.entries(data)) node.dataset[name] = value;
    events.append(node);
  }
  return events;
}
const classes = (events: HTMLElement, name: string) =>
  [...events.querySelectorAll(".message")].map((node) => node.classList.contains(name));

test("words of one author stand together, a note never with a reply", () => {
  const olga = { role: "operator", author: "Olga" };
  const events = thread(
    { ...olga, time: "2026-11-20T10:00:00Z" },
    { ...olga, time: "2026-11-20T10:01:00Z" },
    { ...olga, time: "2026-11-20T10:02:00Z", class: "note" },
    { ...olga, author: "Paul", time: "2026-11-20T10:03:00Z", class: "note" },
  );
  arrange(events, 0);
  assert.deepEqual(classes(events, "grouped"), [false, true, false, false]);
  assert.equal(events.querySelectorAll(".day").length, 1);
});

test("only the last reply that was read says so, and notes never do", () => {
  const at = (seq: string, extra = "") => ({
    role: "operator",
    author: "Olga",
    time: "2026-11-20T10:00:00Z",
    seq,
    class: extra,
  });
  const events = thread(at("1"), at("2"), at("3", "note"), at("4"));
  arrange(events, 3);
  assert.deepEqual(classes(events, "last-read"), [false, true, false, false]);
});

test("a change that tells nothing new is hidden", () => {
  const events = thread(
    { class: "line change", state: "open operator 1" },
    { class: "line change", state: "open operator 1" },
    { class: "line change", state: "closed nobody " },
  );
  arrange(events, 0);
  const hidden = [...events.querySelectorAll<HTMLElement>(".message")].map((node) => node.hidden);
  assert.deepEqual(hidden, [false, true, false]);
});
