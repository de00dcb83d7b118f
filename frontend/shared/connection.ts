/**
 * One live connection that never gives up: dials, watches the heartbeat, backs off with full
 * jitter, falls back to long polling. Knows frames only as far as the connection itself needs.
 */

import type { ClientFrame, ServerFrame } from "./frames";

export type Status = "idle" | "connecting" | "open" | "waiting" | "stopped";

export interface Target {
  url: string;
  protocols?: string[];
}
/** Thrown by `dial`: `fatal` ends the attempts, `wait` (seconds) is the server's own wish. */
export interface DialError {
  fatal?: boolean;
  wait?: number;
}
export interface LinkOptions<Out = ClientFrame, In = ServerFrame> {
  /** Renews the ticket and says where to dial. */
  dial(): Promise<Target>;
  onFrame(frame: In): void;
  onStatus(status: Status, code: number): void;
  /** One long poll; resolves after its events were handed on. Where missing: sockets only. */
  poll?(): Promise<void>;
  /** Sends a frame over HTTP while polling. */
  post?(frame: Out): void;
}

const CAP = 30_000;
const BLIND = 3;
const TRY_SOCKET_AGAIN = 300_000;

export const backoff = (attempt: number, random = Math.random) =>
  random() * Math.min(CAP, 500 * 2 ** attempt);

export type Link<Out = ClientFrame> = {
  start(): void;
  stop(code?: number): void;
  redial(): void;
  send(frame: Out): boolean;
  wake(): void;
  readonly status: Status;
};

export function createLink<Out extends object = ClientFrame, In extends object = ServerFrame>(
  options: LinkOptions<Out, In>,
): Link<Out> {
  let socket: WebSocket | null = null;
  let polling = false;
  let status: Status = "idle";
  let attempt = 0;
  let refused = 0; // 4401 in a row
  let blind = 0; // sockets in a row that never opened
  let openedAt = 0;
  let round = 0; // outdates what an earlier dial still has under way
  let beatMs = 45_000;
  let due = 0; // when a line that stays silent is dead
  let timer: ReturnType<typeof setTimeout> | undefined;
  let watch: ReturnType<typeof setTimeout> | undefined;

  const become = (next: Status, code = 0) => {
    if (next === status && !code) return;
    status = next;
    options.onStatus(next, code);
  };
  const drop = () => {
    round++;
    clearTimeout(timer);
    clearTimeout(watch);
    polling = false;
    const old = socket;
    socket = null;
    old?.close();
  };
  const retry = (wait?: number) => {
    drop();
    // A line that held for a while starts afresh; one that flaps at once is left alone longer.
    if (openedAt && Date.now() - openedAt > 10_000) attempt = 0;
    openedAt = 0;
    wait ??= backoff(attempt++);
    timer = setTimeout(dial, wait);
    become("waiting");
  };
  const stop = (code = 0) => {
    drop();
    become(code ? "stopped" : "idle", code);
  };
  const expect = (ms: number) => {
    due = Date.now() + ms;
    clearTimeout(watch);
    watch = setTimeout(look, ms);
  };
  // A timer per frame would cost more than the frame: what was heard meanwhile prolongs the wait.
  const look = () => {
    const left = due - Date.now();
    if (left > 0) expect(left);
    else retry();
  };

  const closed = (code: number, opened: boolean) => {
    if (code === 4403 || code === 4499) return stop(code);
    if (code === 4401 && !refused++) return retry(0);
    if (code === 4429) attempt = Math.max(attempt, 5);
    if (!opened && code === 1006) blind++;
    retry();
  };

  async function dial() {
    drop();
    const mine = round;
    become("connecting");
    try {
      const target = await options.dial();
      if (mine !== round) return;
      if (blind >= BLIND && options.poll) return pollAll(mine);
      open(target);
    } catch (problem) {
      if (mine !== round) return;
      const { fatal, wait } = problem as DialError;
      if (fatal) stop(4403);
      else retry(wait && wait * 1000);
    }
  }

  function open(target: Target) {
    let opened = false;
    const ws = new WebSocket(target.url, target.protocols);
    socket = ws;
    expect(15_000);
    ws.onopen = () => {
      opened = true;
    };
    ws.onmessage = (event) => {
      if (socket !== ws) return;
      let frame: In & { type?: string; heartbeat_seconds?: number };
      try {
        frame = JSON.parse(event.data as string);
      } catch {
        return;
      }
      if (frame.type === "connected") {
        refused = blind = 0;
        openedAt = Date.now();
        beatMs = (frame.heartbeat_seconds || 30) * 1500 + 5000;
        expect(beatMs);
      }
      due = Date.now() + beatMs;
      options.onFrame(frame);
      if (frame.type === "connected" && socket === ws) become("open");
    };
    ws.onclose = (event) => {
      if (socket === ws) closed(event.code, opened);
    };
  }

  async function pollAll(mine: number) {
    const until = Date.now() + TRY_SOCKET_AGAIN;
    polling = true;
    become("open");
    try {
      while (mine === round && Date.now() < until) {
        await options.poll?.();
        openedAt ||= Date.now();
      }
      if (mine === round) {
        blind--; // one try of the socket, then back here
        retry(0);
      }
    } catch {
      if (mine === round) retry();
    }
  }

  return {
    start() {
      if (status === "idle" || status === "stopped") dial();
    },
    stop,
    redial: () => (Date.now() - openedAt < 5000 ? retry() : void dial()),
    send(frame) {
      if (status !== "open") return false;
      if (polling) options.post?.(frame);
      else if (socket?.readyState === 1) socket.send(JSON.stringify(frame));
      else return false;
      return true;
    },
    /** The browser came online or visible: dial now, or make sure the line is not dead. */
    wake() {
      if (status === "waiting") dial();
      else if (status === "open" && socket) {
        expect(5000);
        this.send({ type: "ping" } as unknown as Out);
      }
    },
    get status() {
      return status;
    },
  };
}
