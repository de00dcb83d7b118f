/**
 * A stand-in for the chat server that speaks the visitor's protocol from memory, to look at the
 * widget in every state without Django: `node frontend/dev/server.mjs [port]`.
 *
 * What the visitor writes decides what happens: "human", "close", "fail", "drop", "slow", "long".
 */

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { WebSocketServer } from "ws";
import { readStrings } from "../build.mjs";
import { ANSWER, LONG, PAGE, SOURCES, WIDGET } from "./content.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const built = (name) => readFileSync(join(root, "chatwidget/static/chatwidget", name));
const strings = readStrings(readFileSync(join(root, "chatwidget/widget_strings.py"), "utf8"));
const port = Number(process.argv[2] || 8123);
const visitors = new Map(); // token -> visitor
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws: wss:; require-trusted-types-for 'script'; base-uri 'none'";

function fresh() {
  return {
    session_id: randomUUID(),
    epoch: "e1",
    events: [],
    sockets: new Set(),
    conversation: null,
    reads: {},
    turn: null,
    stored: new Map(),
  };
}

const send = (socket, frame) => socket.readyState === 1 && socket.send(JSON.stringify(frame));
const tell = (visitor, frame) => {
  for (const socket of visitor.sockets) send(socket, frame);
};
const add = (visitor, frame) => {
  const { type, ...rest } = frame;
  const event = { type, seq: visitor.events.length + 1, ...rest };
  visitor.events.push(event);
  tell(visitor, event);
  return event;
};
const say = (visitor, role, content, extra = {}) =>
  add(visitor, {
    type: "message",
    id: randomUUID(),
    role,
    author: { name: role === "assistant" ? "Robbie" : role === "operator" ? "Olga" : "" },
    content,
    attachments: [],
    sources: [],
    quick_replies: [],
    timestamp: new Date().toISOString(),
    ...extra,
  });
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const turnTo = (visitor, handled_by, status = "open") => {
  visitor.conversation = {
    status,
    handled_by,
    operator: handled_by === "operator" ? { name: "Olga" } : null,
  };
  add(visitor, { type: "conversation", ...visitor.conversation });
};

async function answer(visitor, text) {
  const turn = randomUUID();
  const message_id = randomUUID();
  visitor.turn = turn;
  tell(visitor, { type: "typing", role: "assistant", is_typing: true, author: { name: "Robbie" } });
  await pause(400);
  tell(visitor, { type: "response_start", turn, revision: 0, message_id });
  tell(visitor, { type: "sources", turn, revision: 0, sources: SOURCES });
  const points = [...text];
  let offset = 0;
  while (offset < points.length && visitor.turn === turn) {
    const content = points.slice(offset, offset + 4).join("");
    tell(visitor, { type: "text_delta", turn, revision: 0, offset, content });
    offset += 4;
    await pause(25);
  }
  const full_content = points.slice(0, offset).join("");
  const outcome = visitor.turn === turn ? "done" : "cancelled";
  say(visitor, "assistant", full_content, {
    id: message_id,
    sources: SOURCES,
    quick_replies: outcome === "done" ? ["That helped", "Talk to a person"] : [],
  });
  tell(visitor, { type: "response_end", turn, revision: 0, outcome, full_content });
  visitor.turn = null;
}

async function human(visitor) {
  visitor.turn = null;
  turnTo(visitor, "queue");
  say(visitor, "system", "You asked for a person. Somebody will be with you soon.");
  tell(visitor, { type: "queue", position: 2, estimate_seconds: 180 });
  await pause(3000);
  if (visitor.conversation.handled_by !== "queue") return;
  turnTo(visitor, "operator");
  await pause(600);
  tell(visitor, { type: "typing", role: "operator", is_typing: true, author: { name: "Olga" } });
  await pause(1200);
  say(
    visitor,
    "operator",
    "Hello, this is Olga. I have read what you wrote: let me look at your order.",
  );
  visitor.reads.operator = visitor.events.length;
  tell(visitor, { type: "read", role: "operator", upto: visitor.events.length });
}

async function heard(visitor, socket, frame) {
  const { client_id, content = "" } = frame;
  if (content === "drop") return socket.terminate();
  if (content === "fail")
    return send(socket, {
      type: "error",
      code: "too_long",
      message: "This message is too long.",
      retryable: false,
      client_id,
    });
  if (content === "slow") await pause(4000);
  const known = visitor.stored.get(client_id);
  if (!known) {
    visitor.conversation ??= { status: "open", handled_by: "bot", operator: null };
    if (visitor.conversation.status === "closed") {
      const { sockets } = visitor;
      Object.assign(visitor, fresh(), { sockets });
      visitor.conversation = { status: "open", handled_by: "bot", operator: null };
    }
    visitor.stored.set(client_id, say(visitor, "user", content, { client_id }));
  }
  const { id, seq, timestamp } = visitor.stored.get(client_id);
  send(socket, { type: "ack", client_id, id, seq, timestamp });
  if (known) return;
  if (content === "human") return human(visitor);
  if (content === "close") return turnTo(visitor, "nobody", "closed");
  if (visitor.conversation.handled_by === "bot")
    await answer(visitor, content === "long" ? LONG : ANSWER);
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, `http://${request.headers.host}`);
  const give = (type, body, status = 200) => {
    response.writeHead(status, { "Content-Type": type, "Content-Security-Policy": CSP });
    response.end(body);
  };
  if (url.pathname === "/chat/session") {
    let body = "";
    for await (const part of request) body += part;
    const { token: old } = JSON.parse(body);
    const token = visitors.has(old) ? old : randomUUID();
    if (!visitors.has(token)) visitors.set(token, fresh());
    const visitor = visitors.get(token);
    return give(
      "application/json",
      JSON.stringify({
        session_id: visitor.session_id,
        token,
        ws_url: `ws://${request.headers.host}/ws/chat/${visitor.session_id}/`,
        ticket: `t.${token}`,
        head: visitor.events.length,
        epoch: visitor.epoch,
        conversation: visitor.conversation,
        unread: 0,
        widget: { ...WIDGET, strings },
      }),
      201,
    );
  }
  if (url.pathname === "/chat/unread") return give("application/json", '{"unread":0}');
  if (/^\/chat\/(widget|panel)\.js$/.test(url.pathname))
    return give("text/javascript", built(url.pathname.slice(6)));
  if (url.pathname === "/style.css") return give("text/css", readFileSync(join(here, "page.css")));
  if (url.pathname === "/favicon.ico") return give("image/x-icon", "", 204);
  give("text/html; charset=utf-8", PAGE(url.searchParams));
});

const sockets = new WebSocketServer({ server, handleProtocols: () => "chat.v1" });
sockets.on("connection", (socket, request) => {
  const ticket = request.headers["sec-websocket-protocol"]?.split("ticket.t.")[1];
  const visitor = visitors.get(ticket);
  if (!visitor) return socket.close(4401);
  const url = new URL(request.url, "http://x");
  visitor.sockets.add(socket);
  socket.on("close", () => visitor.sockets.delete(socket));
  const replay = (since) => {
    for (const event of visitor.events.slice(since)) send(socket, event);
  };
  send(socket, {
    type: "connected",
    session_id: visitor.session_id,
    epoch: visitor.epoch,
    head: visitor.events.length,
    heartbeat_seconds: 30,
    limits: { max_frame_bytes: 20480, max_message_chars: 4000 },
    conversation: visitor.conversation,
    reads: visitor.reads,
    timestamp: new Date().toISOString(),
  });
  replay(Number(url.searchParams.get("since") || 0));
  socket.on("message", async (data) => {
    const frame = JSON.parse(String(data));
    if (frame.type === "message") await heard(visitor, socket, frame);
    else if (frame.type === "stop") visitor.turn = null;
    else if (frame.type === "resume") replay(frame.since);
    else if (frame.type === "request_human") await human(visitor);
    else if (frame.type === "request_bot") turnTo(visitor, "bot");
    else if (frame.type === "read") visitor.reads.user = frame.seq;
    else if (frame.type === "ping") send(socket, { type: "pong" });
  });
});
server.listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${port}/`));
