/** However frames come, the screen ends as that of somebody who has just fetched everything. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ServerFrame } from "../shared/frames";
import { empty, reduce, type State } from "../shared/reducer";
import { Server } from "./server";

/** How many times the short form's runs; a proof sets it. */
const FACTOR = Number(process.env.MODEL_FACTOR ?? 1);
const RUNS = Math.round(1500 * FACTOR);

/** The reducer with the two things that `client.ts` does about `wants`. */
class Screen {
  state = empty();
  private asked = -1;
  constructor(readonly server: Server) {
    this.connect();
  }
  connect() {
    const { session, epoch, last } = this.state;
    for (const frame of this.server.connect(session, epoch, last)) this.take(frame);
  }
  take(frame: ServerFrame) {
    if (frame.type === "connected" || frame.type === "heartbeat") this.asked = -1;
    this.state = reduce(this.state, frame);
    const { wants, last, turn } = this.state;
    // Never spliced: a bubble is the beginning of what one attempt said.
    const said = this.server.said.get(`${turn?.turn} ${turn?.revision}`) ?? "";
    assert.ok(said.startsWith(turn?.text ?? ""), `${turn?.text} is no beginning of ${said}`);
    if (wants === "restart") {
      this.state = { ...this.state, session: "", wants: null };
      this.connect();
    } else if (wants && this.asked !== last) {
      this.asked = last;
      this.server.resume(last);
    }
  }
  /** Everything that is on its way arrives as it was sent. */
  settle() {
    const { server } = this;
    while (server.durable.length || server.ephemeral.length) {
      const frame = server.durable.shift() ?? server.ephemeral.shift();
      if (frame) this.take(frame);
    }
  }
}

/** A socket keeps order, but a reader that is behind is spared some, and hints overtake. */
const SPARED = /text_delta|typing|queue|read|heartbeat/;
type Step = (server: Server, screen: Screen) => void;
const step = <T>(arbitrary: fc.Arbitrary<T>, act: (server: Server, value: T) => void) =>
  arbitrary.map((value): Step & { toString(): string } =>
    Object.assign((server: Server) => act(server, value), {
      toString: () => `${act} with ${fc.stringify(value)}`,
    }),
  );
const role = fc.constantFrom("user", "operator", "assistant", "system");
const text = fc.constantFrom("ab", "👍🏽é", "…", "c");
const writes = fc.oneof(
  step(fc.tuple(role, text), (server, [who, words]) => server.say(who, words)),
  step(fc.tuple(fc.nat(9), fc.option(text)), (server, [n, words]) => server.change(n, words)),
  step(fc.constantFrom("bot", "queue", "operator"), (server, who) => server.handled(who)),
  step(fc.constant(0), (server) => server.begin()),
  step(text, (server, words) => server.word(words)),
  step(text, (server, words) => server.word(words)),
  step(fc.constant(0), (server) => server.again()),
  step(fc.constantFrom("done", "cancelled"), (server, outcome) => server.end(outcome)),
  step(role, (server, who) => server.read(who)),
  step(fc.tuple(role, fc.boolean()), (server, [who, yes]) => server.typing(who, yes)),
  step(fc.nat(3), (server, place) => server.waits(place)),
  step(fc.constant(0), (server) => server.heartbeat()),
);
const arrives = fc
  .tuple(fc.nat(3), fc.constantFrom("comes", "comes", "comes", "twice", "lost"), fc.boolean())
  .map(([place, how, isDurable]): Step & { toString(): string } =>
    Object.assign(
      (server: Server, screen: Screen) => {
        const lane = isDurable ? server.durable : server.ephemeral;
        const frame = lane.splice(isDurable ? place % (lane.length || 1) : 0, 1)[0];
        if (!frame) return;
        const mayGetLost = isDurable ? !server.replayed.has(frame) : SPARED.test(frame.type);
        if (how === "lost" && mayGetLost) return;
        screen.take(frame);
        if (how === "twice") screen.take(frame);
      },
      { toString: () => `arrives ${place} ${how} ${isDurable ? "durable" : "ephemeral"}` },
    ),
  );
const breaks = fc.oneof(
  step(fc.constant(0), (server) => server.close()),
  step(fc.nat(5), (server, kept) => server.restore(kept)),
  fc.constant<Step>((_, screen) => screen.connect()),
);
const refuses = step(fc.constant(2), (server, times) => server.refuse(times));
const story = fc.array(
  fc.oneof(
    { arbitrary: writes, weight: 6 },
    { arbitrary: arrives, weight: 6 },
    { arbitrary: breaks, weight: 1 },
    { arbitrary: refuses, weight: 1 },
  ),
  { maxLength: 80 },
);

/** What has to agree: the screen, not what passes by itself. */
function shown({ session, epoch, last, items, conversation, reads, turn, wants }: State) {
  const { status, handled_by, operator } = conversation ?? {};
  const bubble = turn && { turn: turn.turn, revision: turn.revision, id: turn.id, text: turn.text };
  const screen = { session, epoch, last, items, reads, bubble, wants };
  return { ...screen, status, handled_by, operator: operator ?? null };
}

test("any interleaving, gap, repeat, reset and resume ends in the state of a fresh fetch", () => {
  fc.assert(
    fc.property(story, (steps) => {
      const server = new Server();
      const screen = new Screen(server);
      for (const act of steps) act(server, screen);
      screen.settle();
      server.refuse(0);
      server.heartbeat();
      screen.settle();
      server.snapshot();
      screen.settle();
      const fresh = new Screen(server);
      fresh.settle();
      assert.deepEqual(shown(screen.state), shown(fresh.state));
      assert.equal(screen.state.turn?.text, server.answer?.text);
    }),
    { numRuns: RUNS, ...(FACTOR === 1 && { seed: 1 }) },
  );
});
