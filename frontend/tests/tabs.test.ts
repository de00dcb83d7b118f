import assert from "node:assert/strict";
import { test } from "node:test";
import { createTabs } from "../shared/tabs";

/** Web Locks of one name: first come, first served; a thief goes first. */
const waiting: (() => void)[] = [];
let held = false;
const next = () => {
  held = false;
  waiting.shift()?.();
};
const locks = {
  request(_: string, { steal }: { steal?: boolean }, hold: () => Promise<void>) {
    return new Promise((resolve) => {
      const grant = () => {
        held = true;
        resolve(hold().then(next));
      };
      if (steal || !held) grant();
      else waiting.push(grant);
    });
  },
};
Object.defineProperty(globalThis, "navigator", { value: { locks } });

/** What was said on the air, whoever said it. */
const said: unknown[] = [];
const channels = new Set<Channel>();
class Channel {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  constructor() {
    channels.add(this);
  }
  postMessage(data: unknown) {
    said.push(data);
    for (const other of channels) if (other !== this) other.onmessage?.({ data });
  }
  close() {
    channels.delete(this);
  }
}
Object.assign(globalThis, { BroadcastChannel: Channel });

const open = () => {
  const tab = createTabs<string>("t", true, { onLead() {}, onMessage() {} });
  tab.join();
  return tab;
};

test("a tab that is alone tells nobody, and tells all once somebody came", () => {
  said.length = 0;
  const first = open();
  first.post("to nobody");
  assert.deepEqual(said, []);
  const second = open();
  second.post("hello");
  first.post("to the second");
  assert.deepEqual(said, ["hello", "to the second"]);
  second.close();
  first.close();
});

test("a tab that took the lead from a frozen one speaks to those it passed by", () => {
  const frozen = open();
  const passed = open();
  const thief = open();
  thief.steal();
  said.length = 0;
  thief.post("here I am");
  assert.deepEqual(said, ["here I am"]);
  for (const tab of [thief, passed, frozen]) tab.close();
});
