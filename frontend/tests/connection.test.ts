import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { backoff, createLink, type DialError, type LinkOptions } from "../shared/connection";

class FakeSocket {
  static made: FakeSocket[] = [];
  readyState = 0;
  sent: string[] = [];
  onopen?: () => void;
  onmessage?: (event: { data: string }) => void;
  onclose?: (event: { code: number }) => void;
  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {
    FakeSocket.made.push(this);
  }
  send(data: string) {
    this.sent.push(data);
  }
  close() {
    this.readyState = 3;
  }
  accept() {
    this.readyState = 1;
    this.onopen?.();
  }
  connected() {
    this.accept();
    this.frame({ type: "connected", heartbeat_seconds: 30 });
  }
  frame(frame: object) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  end(code: number) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}
const last = () => FakeSocket.made.at(-1) as FakeSocket;
/** Lets promises settle, then time pass. */
async function pass(ms = 0) {
  for (let n = 0; n < 5; n++) await Promise.resolve();
  mock.timers.tick(ms);
  for (let n = 0; n < 5; n++) await Promise.resolve();
}

function setup(over: Partial<LinkOptions> = {}) {
  const seen = {
    dials: 0,
    frames: [] as object[],
    status: [] as string[],
    problem: null as unknown,
  };
  const link = createLink({
    async dial() {
      seen.dials++;
      if (seen.problem) throw seen.problem;
      return { url: "ws://x", protocols: ["chat.v1", "ticket.t"] };
    },
    onFrame: (frame) => seen.frames.push(frame),
    onStatus: (status) => seen.status.push(status),
    ...over,
  });
  return { link, seen };
}

beforeEach(() => {
  FakeSocket.made = [];
  Object.assign(globalThis, { WebSocket: FakeSocket });
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  mock.method(Math, "random", () => 1);
});
afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

test("the wait is random up to half a second, doubles and stops at thirty seconds", () => {
  assert.deepEqual(
    [0, 1, 2, 5, 6, 7, 50].map((attempt) => backoff(attempt, () => 1)),
    [500, 1000, 2000, 16_000, 30_000, 30_000, 30_000],
  );
  assert.equal(
    backoff(3, () => 0),
    0,
  );
});

test("it dials with its ticket as subprotocol and is open after `connected`", async () => {
  const { link, seen } = setup();
  link.start();
  await pass();
  assert.deepEqual(last().protocols, ["chat.v1", "ticket.t"]);
  last().accept();
  assert.equal(link.status, "connecting");
  assert.equal(link.send({ type: "ping" }), false);
  last().connected();
  assert.equal(link.status, "open");
  assert.equal(link.send({ type: "ping" }), true);
  assert.deepEqual(seen.status, ["connecting", "open"]);
});

test("it never gives up", async () => {
  const { link, seen } = setup();
  seen.problem = new TypeError("offline");
  link.start();
  for (let n = 0; n < 40; n++) await pass(30_000);
  assert.equal(link.status === "stopped", false);
  assert.ok(seen.dials >= 40);
});

test("a ticket that came too late is renewed once at once, then with back-off", async () => {
  const { link, seen } = setup();
  link.start();
  await pass();
  last().accept();
  last().end(4401);
  await pass(0);
  assert.equal(seen.dials, 2);
  await pass();
  last().end(4401);
  await pass(0);
  assert.equal(seen.dials, 2);
  await pass(1000);
  assert.equal(seen.dials, 3);
});

test("blocked and wrong origin end it; an explicit start tries again", async () => {
  for (const code of [4403, 4499]) {
    const { link, seen } = setup();
    link.start();
    await pass();
    last().accept();
    last().end(code);
    await pass(120_000);
    assert.equal(link.status, "stopped");
    assert.equal(seen.dials, 1);
    link.start();
    await pass();
    assert.equal(seen.dials, 2);
    link.stop();
  }
});

test("a refusal for good ends it, one with retry_after waits that long", async () => {
  const { link, seen } = setup();
  seen.problem = { wait: 7 } satisfies DialError;
  link.start();
  await pass();
  await pass(6900);
  assert.equal(seen.dials, 1);
  seen.problem = { fatal: true } satisfies DialError;
  await pass(200);
  assert.equal(seen.dials, 2);
  assert.equal(link.status, "stopped");
});

test("a graceful stop of the server is no reason to wait long", async () => {
  const { link, seen } = setup();
  link.start();
  await pass();
  last().connected();
  await pass(60);
  for (const code of [1001, 1012, 1006]) {
    mock.timers.tick(11_000);
    last().frame({ type: "heartbeat" });
    last().end(code);
    await pass(500);
    await pass();
    last().connected();
  }
  assert.equal(seen.dials, 4);
});

test("a line that goes silent is dialled anew", async () => {
  const { link, seen } = setup();
  link.start();
  await pass();
  last().connected();
  await pass(49_000);
  last().frame({ type: "heartbeat" });
  await pass(49_000);
  assert.equal(seen.dials, 1);
  await pass(1500);
  await pass(500);
  assert.equal(seen.dials, 2);
});

test("waking dials at once, or makes sure the line is alive", async () => {
  const { link, seen } = setup();
  seen.problem = new TypeError("offline");
  link.start();
  await pass();
  seen.problem = null;
  link.wake();
  await pass();
  assert.equal(seen.dials, 2);
  last().connected();
  link.wake();
  assert.match(last().sent.at(-1) ?? "", /ping/);
  await pass(5000);
  await pass(1000);
  assert.equal(seen.dials, 3);
});

test("what an abandoned socket still says is not heard", async () => {
  const { link, seen } = setup();
  link.start();
  await pass();
  const old = last();
  old.connected();
  link.stop();
  old.frame({ type: "pong" });
  old.end(1006);
  assert.equal(seen.frames.length, 1);
  assert.equal(link.status, "idle");
});

test("three sockets that never open lead to polling, which tries the socket again", async () => {
  let polls = 0;
  let next: () => void = () => {};
  const posted: object[] = [];
  const { link, seen } = setup({
    poll: () => {
      polls++;
      return new Promise((resolve) => {
        next = resolve;
      });
    },
    post: (frame) => posted.push(frame),
  });
  link.start();
  for (let n = 0; n < 3; n++) {
    await pass();
    last().end(1006);
    await pass(30_000);
  }
  await pass();
  assert.equal(FakeSocket.made.length, 3);
  assert.equal(link.status, "open");
  assert.equal(polls, 1);
  assert.equal(link.send({ type: "stop" }), true);
  assert.deepEqual(posted, [{ type: "stop" }]);
  mock.timers.tick(300_001);
  next();
  await pass(0);
  await pass(0);
  assert.equal(FakeSocket.made.length, 4);
  assert.ok(seen.dials >= 5);
  last().end(1006);
  await pass(30_000);
  assert.equal(polls, 2);
});

test("flooding is answered with a long wait", async () => {
  const { link, seen } = setup();
  link.start();
  await pass();
  last().accept();
  last().end(4429);
  await pass(15_900);
  assert.equal(seen.dials, 1);
  await pass(200);
  assert.equal(seen.dials, 2);
});
