/** Texts of the widget: the server's in the visitor's language. */

import type { Key } from "./strings";

export type { Key };
export type Translate = (key: Key, values?: Record<string, string | number>) => string;

/** Before the server's texts came a key speaks for itself: "no connection". */
export const translator =
  (strings: Record<string, string> = {}): Translate =>
  (key, values = {}) =>
    (strings[key] || key.replaceAll("_", " ")).replace(
      /\{(\w+)\}/g,
      (hole, name) => (values[name] ?? hole) as string,
    );

const midnight = (time: number) => new Date(time).setHours(0, 0, 0, 0);

const known: Record<string, string> = {}; // a formatter costs more than all else in a drawing

/** "today", "yesterday", a weekday within a week, else a date; in the words of `locale`. */
export function dayLabel(time: number, now: number, locale?: string): string {
  const days = Math.round((midnight(now) - midnight(time)) / 86_400_000);
  const key = [midnight(time), days, locale].join();
  known[key] ??=
    days < 2
      ? new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(-days, "day")
      : new Date(time).toLocaleDateString(
          locale,
          days < 7 ? { weekday: "long" } : { dateStyle: "long" },
        );
  return known[key];
}

export const clock = (time: number, locale?: string) =>
  new Date(time).toLocaleTimeString(locale, { timeStyle: "short" });
