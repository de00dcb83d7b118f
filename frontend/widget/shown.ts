/** What stands in the thread, top to bottom, and how it groups: pure functions of the state. */

import type { Message, WidgetInfo } from "../shared/frames";
import type { Translate } from "../shared/i18n";
import type { OutItem } from "../shared/outbox";
import type { State } from "../shared/reducer";

export type Mark = "sending" | "waiting" | "sent" | "read" | "not_sent";

/** A message of any kind on its way to the screen: stored, queued or streaming. */
export interface Shown extends Partial<Omit<Message, "type" | "seq">> {
  role: Message["role"];
  content: string | null;
  live?: boolean;
  mark?: Mark;
  /** Why it was not sent, in words for people. */
  reason?: string;
}

const GROUP = 5 * 60_000;

/** `up`: whether the line is up. The queue stands above an answer that is still streaming. */
export function shown(state: State, outbox: OutItem[], up: boolean): Shown[] {
  const { items, reads, turn } = state;
  const seen = Math.max(reads.operator ?? 0, reads.assistant ?? 0);
  const list: Shown[] = [
    ...items.map((item): Shown => ({ ...item, mark: item.seq > seen ? "sent" : "read" })),
    ...outbox.map(
      ({ id, at, content, failed, acked }): Shown => ({
        role: "user",
        client_id: id,
        content,
        timestamp: new Date(at).toISOString(),
        mark: failed !== undefined ? "not_sent" : acked ? "sent" : up ? "sending" : "waiting",
        reason: failed,
      }),
    ),
  ];
  if (turn) list.push({ ...turn, role: "assistant", content: turn.text, live: !turn.ended });
  return list;
}

export const speaker = ({ author, role }: Shown, widget?: WidgetInfo) =>
  author?.name || (role === "assistant" && widget?.bot_name) || widget?.name || "";

export const timeOf = ({ timestamp }: Shown) => Date.parse(timestamp as string) || Date.now();

const midnight = (time: number) => new Date(time).setHours(0, 0, 0, 0);

/** "Today", "Yesterday", a weekday within a week, else a date; in the words of `locale`. */
export function dayLabel(time: number, now: number, t: Translate, locale?: string): string {
  const days = Math.round((midnight(now) - midnight(time)) / 86_400_000);
  return days < 2
    ? t(days < 1 ? "today" : "yesterday")
    : new Date(time).toLocaleDateString(
        locale,
        days < 7 ? { weekday: "long" } : { dateStyle: "long" },
      );
}

/** Whether `b` continues what the same person said in `a` a moment before. */
export const joins = (a?: Shown, b?: Shown) =>
  !!a &&
  !!b &&
  a.role === b.role &&
  a.author?.name === b.author?.name &&
  timeOf(b) - timeOf(a) < GROUP;

/** Starter questions on an empty thread, or the quick replies of the newest message. */
export function offers({ items, turn }: State, outbox: OutItem[], widget?: WidgetInfo): string[] {
  const newest = items[items.length - 1];
  if (outbox.length || turn) return [];
  return (newest ? newest.role !== "user" && newest.quick_replies : widget?.starters) || [];
}
