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

/** The time of day, and with the day for who points at it. */
export const clock = (time: number, locale?: string) => {
  const date = new Date(time);
  return [
    date.toLocaleTimeString(locale, { timeStyle: "short" }),
    date.toLocaleString(locale),
  ] as const;
};
