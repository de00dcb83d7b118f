/** The same wire over plain HTTP, for networks that block WebSocket. */

import type { Snapshot } from "./client";
import type { ClientFrame, Durable, ErrorFrame, ServerFrame } from "./frames";

type Request = (path: string, body?: object) => Promise<Response>;
type Refusal = (response: Response) => Promise<ErrorFrame>;
type OnFrame = (frame: ServerFrame) => void;

export async function poll(
  { session, state }: Snapshot,
  request: Request,
  refusal: Refusal,
  onFrame: OnFrame,
): Promise<void> {
  if (session && state.session !== session.session_id)
    return onFrame({ type: "connected", heartbeat_seconds: 30, ...session });
  const response = await request(
    `events?epoch=${encodeURIComponent(state.epoch)}&since=${state.last}`,
  );
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

export async function post(
  frame: ClientFrame,
  request: Request,
  refusal: Refusal,
  onFrame: OnFrame,
): Promise<void> {
  const { type, ...rest } = frame;
  const message = type === "message";
  const client_id = message ? frame.client_id : undefined;
  try {
    const response = await request(message ? "messages" : "frames", message ? rest : frame);
    if (!response.ok) onFrame({ ...(await refusal(response)), type: "error", client_id });
    else if (message) onFrame({ type: "ack", ...(await response.json()) });
  } catch {
    onFrame({ type: "error", code: "network", message: "", retryable: true, client_id });
  }
}
