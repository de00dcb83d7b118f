import assert from "node:assert/strict";
import { test } from "node:test";
import { createOutbox, WINDOW } from "../shared/outbox";
import { createStore, type Store } from "../shared/storage";

const memory = (): Store => createStore("t.", () => undefined as never);
const refusal = (client_id: string, over: object = {}) =>
  ({ type: "error", code: "x", message: "no", retryable: true, client_id, ...over }) as never;

function setup(store = memory()) {
  const clock = { now: 1000 };
  const sent: string[] = [];
  const box = createOutbox(store, () => clock.now);
  const pump = () => box.pump((item) => sent.push(item.content) > 0);
  return { box, sent, clock, pump, store };
}
const write = (box: ReturnType<typeof createOutbox>, ...texts: string[]) =>
  texts.map((content) => box.add({ content }).id);

test("messages go out in the order they were written", () => {
  const { box, sent, pump } = setup();
  write(box, "a", "b", "c");
  pump();
  assert.deepEqual(sent, ["a", "b", "c"]);
});

test("at most eight are unacknowledged", () => {
  const { box, sent, pump } = setup();
  const ids = write(box, ..."abcdefghijkl");
  pump();
  assert.equal(sent.length, WINDOW);
  box.acked(ids[0] as string);
  pump();
  assert.equal(sent.length, WINDOW + 1);
});

test("the queue survives a reload and is sent with the same ids", () => {
  const first = setup();
  const ids = write(first.box, "a", "b");
  const second = setup(first.store);
  assert.deepEqual(
    second.box.items().map((item) => item.id),
    ids,
  );
  second.pump();
  assert.deepEqual(second.sent, ["a", "b"]);
});

test("a refused message waits as long as the server says, then goes alone", () => {
  const { box, sent, clock, pump } = setup();
  const [a, b] = write(box, "a", "b");
  pump();
  box.refused(refusal(a as string, { retry_after: 7 }));
  box.refused(refusal(b as string, { retry_after: 7 }));
  assert.equal(pump(), 7000);
  clock.now += 7000;
  pump();
  assert.deepEqual(sent, ["a", "b", "a"]);
  box.acked(a as string);
  pump();
  assert.deepEqual(sent, ["a", "b", "a", "b"]);
});

test("three failures make it not sent; retry counts as written then", () => {
  const { box, sent, clock, pump } = setup();
  const [a, b] = write(box, "a", "b");
  for (let n = 0; n < 3; n++) {
    pump();
    box.refused(refusal(a as string));
    box.refused(refusal(b as string, { retryable: false }));
    clock.now += 60_000;
  }
  assert.equal(box.get(a as string)?.failed, "no");
  box.retry(a as string);
  assert.deepEqual(
    box.items().map((item) => item.content),
    ["b", "a"],
  );
  pump();
  assert.equal(sent.at(-1), "a");
});

test("what can never be accepted fails at once and does not hold up the next", () => {
  const { box, sent, pump } = setup();
  const [a] = write(box, "a", "b");
  pump();
  box.refused(refusal(a as string, { retryable: false }));
  assert.equal(box.get(a as string)?.failed, "no");
  assert.deepEqual(sent, ["a", "b"]);
});

test("a message that kills the connection three times is not sent again", () => {
  const { box, sent, pump } = setup();
  write(box, "poison", "good");
  for (let n = 0; n < 4; n++) {
    pump();
    box.dropped();
  }
  assert.equal(sent.filter((text) => text === "poison").length, 3);
  assert.equal(box.items()[0]?.failed, "");
  assert.equal(box.items()[1]?.failed, undefined);
});

test("an acknowledged message stays on screen until its durable frame, or a new connection", () => {
  const { box, sent, pump } = setup();
  const [a, b] = write(box, "a", "b");
  pump();
  box.acked(a as string);
  box.acked(b as string);
  pump();
  assert.deepEqual(sent, ["a", "b"]);
  assert.equal(box.items().length, 2);
  box.remove(a as string);
  box.dropped();
  assert.equal(box.items().length, 0);
});

test("broken storage entries are skipped", () => {
  const { box, store } = setup();
  store.set("out.x", "{");
  store.set("out.y", "null");
  write(box, "a");
  assert.equal(box.items().length, 1);
});

test("storage that throws still keeps messages for the page", () => {
  const angry = {
    get length(): number {
      throw new Error("denied");
    },
  } as Storage;
  const { box } = setup(createStore("t.", () => angry));
  write(box, "a");
  assert.equal(box.items().length, 1);
});
