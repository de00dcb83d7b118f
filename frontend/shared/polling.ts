/** The same wire over plain HTTP, for networks that block WebSocket. */

import type { Snapshot } from "./client";
import type { ClientFrame, Durable, ErrorFrame, ServerFrame } from "./frames";

/** What polling needs of the client. */
export interface Port {
  readonly snap: Snapshot;
  request(path: string, body?: object): Promise<Response>;
  refusal(response: Response): Promise<ErrorFrame>;
  onFrame(frame: ServerFrame): void;
}

export async function poll({ snap, request, refusal, onFrame }: Port): Promise<void> {
  const { session, state } = snap;
  if (session && state.session !== session.session_id)
    return onFrame({ type: "connected", heartbeat_seconds: 30, ...session });
  const { epoch, last } = state;
  const response = await request(`events?since=${last}&epoch=${encodeURIComponent(epoch)}`);
  if (!response.ok) throw { wait: (await refusal(response)).retry_after };
  const page = (await response.json()) as {
    session_id: string;
    events?: Durable[];
    reset?: string;
  };
  if (page.reset || page.session_id !== state.session)
    return onFrame({ type: "reset", reason: page.reset ?? "closed" });
  for (const frame of page.events ?? []) onFrame(frame);
}

export async function post(port: Port, frame: ClientFrame): Promise<void> {
  const { type, ...rest } = frame;
  const message = type === "message";
  const client_id = message ? frame.client_id : undefined;
  try {
    const response = await port.request(message ? "messages" : "frames", message ? rest : frame);
    if (!response.ok) port.onFrame({ ...(await port.refusal(response)), type: "error", client_id });
    else if (message) port.onFrame({ type: "ack", ...(await response.json()) });
  } catch {
    port.onFrame({ type: "error", code: "network", message: "", retryable: true, client_id });
  }
}
