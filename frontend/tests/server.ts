/** A server's side of one visitor's socket, in memory: it numbers, streams, replays and resets. */

import type { Conversation, Durable, Handler, Reads, Role, ServerFrame } from "../shared/frames";

interface Answer {
  turn: string;
  revision: number;
  id: string;
  text: string;
}
const points = (text: string) => [...text].length;

export class Server {
  session = "s1";
  epoch = "e1";
  events: Durable[] = [];
  conversation: Conversation = { status: "open", handled_by: "bot", operator: null };
  reads: Reads = {};
  answer: Answer | null = null;
  /** Attempt of an answer → everything that was said in it. */
  said = new Map<string, string>();
  /** On its way to the client: durable frames, and beside them those that nobody replays. */
  durable: Durable[] = [];
  ephemeral: ServerFrame[] = [];
  /** What a socket was asked for comes, or the socket ends; only hints get lost. */
  replayed = new Set<ServerFrame>();
  private made = 0;
  private refusals = 0;

  private next(kind: string) {
    this.made++;
    return `${kind}${this.made}`;
  }
  private write<T extends object>(event: T) {
    const frame = { seq: this.events.length + 1, ...event } as unknown as Durable;
    this.events.push(frame);
    this.durable.push(frame);
  }
  private tell(frame: ServerFrame) {
    this.ephemeral.push(frame);
  }

  say(role: Role, content: string, id = this.next("m")) {
    this.write({ type: "message", id, role, content, timestamp: "2026-11-20T10:00:00Z" });
  }
  change(which: number, content: string | null) {
    const messages = this.events.filter((event) => event.type === "message");
    const found = messages[which % messages.length];
    if (!found) return;
    // A replay shows the row as it is now, as the product's own journal does.
    const emptied = content === null ? { sources: [], attachments: [] } : {};
    this.events[found.seq - 1] = { ...found, content, ...emptied };
    const reason = content === null ? "redacted" : "edited";
    this.write({ type: "message_updated", id: found.id, content, reason });
  }
  handled(handled_by: Handler, name = "Olga") {
    if (handled_by !== "bot") this.end("cancelled");
    const operator = handled_by === "operator" ? { name } : null;
    this.conversation = { status: "open", handled_by, operator };
    this.write({ type: "conversation", ...this.conversation });
  }

  begin() {
    if (this.answer || this.conversation.handled_by !== "bot") return;
    this.answer = { turn: this.next("t"), revision: 1, id: this.next("m"), text: "" };
    this.announce();
  }
  private announce() {
    const { turn, revision, id } = this.answer as Answer;
    this.tell({ type: "response_start", turn, revision, message_id: id });
  }
  word(content: string) {
    if (!this.answer) return;
    const { turn, revision, text } = this.answer;
    this.tell({ type: "text_delta", turn, revision, offset: points(text), content });
    this.answer.text += content;
    this.said.set(`${turn} ${revision}`, this.answer.text);
  }
  again() {
    if (!this.answer) return;
    this.answer.revision++;
    this.answer.text = "";
    this.announce();
  }
  /** What was shown is what is stored; nothing shown stores nothing. */
  end(outcome: "done" | "cancelled") {
    if (!this.answer) return;
    const { turn, revision, id, text } = this.answer;
    if (text) this.say("assistant", text, id);
    this.tell({ type: "response_end", turn, revision, outcome, full_content: text });
    this.answer = null;
  }
  /** The whole text so far, for whoever joins or missed a part. */
  snapshot() {
    if (!this.answer) return;
    const { turn, revision, text } = this.answer;
    this.announce();
    this.tell({ type: "text_delta", turn, revision, offset: 0, content: text });
  }

  read(role: Role) {
    this.reads[role] = this.events.length;
    this.tell({ type: "read", role, upto: this.events.length });
  }
  typing(role: Role, is_typing: boolean) {
    this.tell({ type: "typing", role, is_typing });
  }
  waits(position: number) {
    this.tell({ type: "queue", position });
  }
  heartbeat() {
    const { epoch, reads } = this;
    this.tell({ type: "heartbeat", head: this.events.length, epoch, reads: { ...reads } });
  }

  /** The conversation ends; the visitor's next one has its own numbers. */
  close() {
    this.end("cancelled");
    this.begins("s");
    this.tell({ type: "reset", reason: "closed", session_id: this.session });
  }
  /** An older backup takes the place of what there was. */
  restore(kept: number) {
    const { session } = this;
    const events = this.events.slice(0, kept);
    this.answer = null;
    this.begins("e");
    this.session = session;
    this.events = events;
    this.epoch = this.next("e");
    for (const role of Object.keys(this.reads) as Role[])
      this.reads[role] = Math.min(this.reads[role] ?? 0, kept);
    const last = events.filter((event) => event.type === "conversation").at(-1);
    if (last) this.conversation = { status: "open", handled_by: last.handled_by };
    this.tell({ type: "reset", reason: "epoch" });
  }
  private begins(kind: string) {
    this.session = this.next(kind);
    this.events = [];
    this.reads = {};
    this.conversation = { status: "open", handled_by: "bot", operator: null };
    this.durable = [];
    this.ephemeral = [];
  }

  /** A new socket: `connected`, then everything after `since`, then the answer that streams. */
  connect(session: string, epoch: string, since: number): ServerFrame[] {
    this.durable = [];
    this.ephemeral = [];
    const same = session === this.session && epoch === this.epoch;
    const { conversation, reads } = this;
    const connected = {
      type: "connected",
      session_id: this.session,
      epoch: this.epoch,
      head: this.events.length,
      heartbeat_seconds: 30,
      conversation,
      reads: { ...reads },
    } as const;
    this.replay(same ? since : 0);
    this.snapshot();
    return [connected];
  }
  /** Its database is away: so many times it has nothing to replay from. */
  refuse(times: number) {
    this.refusals = times;
  }
  resume(since: number) {
    if (this.refusals === 0) this.replay(since);
    else this.refusals--;
  }
  private replay(since: number) {
    const missing = this.events.slice(since).map((event) => ({ ...event }));
    for (const event of missing) this.replayed.add(event);
    this.durable = [...missing, ...this.durable];
  }
}
