/** The wire as TypeScript sees it: every visitor frame of the protocol. Types only; costs no byte. */

export type Role = "user" | "assistant" | "operator" | "system";
export type Handler = "bot" | "queue" | "operator" | "nobody";
export type Outcome = "done" | "failed" | "cancelled" | "handed_over";

export interface Person {
  name: string;
  avatar?: string | null;
}
export interface Source {
  url: string;
  title: string;
  snippet: string;
}
export interface Attachment {
  id?: string;
  name: string;
  url: string;
  size?: number;
  type?: string;
}
export type Reads = Partial<Record<Role, number>>;

export interface Conversation {
  id?: string;
  status: "open" | "snoozed" | "closed";
  handled_by: Handler;
  operator?: Person | null;
}

/** Durable frames: they carry `seq`, the reader's own gap-free numbering. */
export interface Message {
  type: "message";
  seq: number;
  id: string;
  client_id?: string | null;
  role: Role;
  author?: Person | null;
  content: string | null;
  attachments?: Attachment[];
  sources?: Source[];
  quick_replies?: string[];
  timestamp: string;
  kind?: "reply" | "note";
}
export interface MessageUpdated {
  type: "message_updated";
  seq: number;
  id: string;
  content: string | null;
  reason: "edited" | "redacted";
}
export interface ConversationChanged extends Conversation {
  type: "conversation";
  seq: number;
}
export type Durable = Message | MessageUpdated | ConversationChanged;

/** Ephemeral frames: nobody replays them. */
export type Ephemeral =
  | {
      type: "connected";
      session_id: string;
      epoch: string;
      head: number;
      heartbeat_seconds: number;
      limits?: { max_frame_bytes: number; max_message_chars: number };
      conversation: Conversation | null;
      reads?: Reads;
      timestamp?: string;
    }
  | { type: "ack"; client_id: string; id: string; seq: number; timestamp: string; content?: string }
  | ErrorFrame
  | { type: "typing"; role: Role; is_typing: boolean; author?: Person | null }
  | { type: "response_start"; turn: string; revision: number; message_id: string }
  | { type: "sources"; turn: string; revision: number; sources: Source[] }
  | { type: "text_delta"; turn: string; revision: number; offset: number; content: string }
  | {
      type: "response_end";
      turn: string;
      revision: number;
      outcome: Outcome;
      full_content: string | null;
    }
  | { type: "queue"; position: number; estimate_seconds?: number | null }
  | { type: "presence"; online: boolean; operators?: Person[] }
  | { type: "read"; role: Role; upto: number }
  | { type: "pong" }
  | { type: "heartbeat"; head: number; epoch: string; reads?: Reads }
  | { type: "reset"; reason: string; session_id?: string };

export interface ErrorFrame {
  type: "error";
  code: string;
  message: string;
  retryable: boolean;
  retry_after?: number;
  field?: string;
  client_id?: string;
}
export type ServerFrame = Durable | Ephemeral;

export type ClientFrame =
  | {
      type: "message";
      client_id: string;
      content: string;
      attachments?: string[];
      quick_reply?: string;
    }
  | { type: "typing"; is_typing: boolean }
  | { type: "read"; seq: number }
  | { type: "resume"; since: number }
  | { type: "stop" | "request_human" | "request_bot" | "ping" }
  | { type: "page"; url: string; title: string }
  | { type: "rating"; score: number; comment?: string };

/** What `POST {chat prefix}/session` says about look, texts and abilities of the widget. */
export interface WidgetInfo {
  key: string;
  name: string;
  greeting: string;
  starters: string[];
  accent?: string;
  position?: "end" | "start";
  theme?: "auto" | "light" | "dark";
  locale?: string;
  dir?: "ltr" | "rtl";
  online: boolean;
  reply_time?: string;
  bot_name?: string | null;
  avatar?: string | null;
  privacy_url?: string | null;
  strings?: Record<string, string>;
  features: Partial<Record<"human" | "upload" | "sources" | "rating" | "sound" | "stop", boolean>>;
}
export interface Session {
  session_id: string;
  token: string;
  ws_url: string;
  ticket: string;
  head: number;
  epoch: string;
  conversation: Conversation | null;
  unread: number;
  widget: WidgetInfo;
}
