/**
 * What the first moment does not need, fetched while the session starts: Markdown for the answers,
 * rating a closed conversation, a sound, and long polling where the network blocks WebSocket.
 */

import type { Port } from "../shared/client";
import { sheet } from "../shared/dom";
import type { ClientFrame, Durable } from "../shared/frames";

import css from "./extras.css";

export { createMarkdown } from "../shared/markdown";
export { ratingCard } from "./rating";
export { ring } from "./ring";
export const styles = () => sheet(css);

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
