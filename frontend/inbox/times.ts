/** Times in the operator's own zone and language, kept fresh while the page stays open. */

import { $$, page, t } from "./page";

const format = (options: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat(page.language || undefined, options);
const clock = format({ hour: "2-digit", minute: "2-digit" });
const dayAndClock = format({ dateStyle: "short", timeStyle: "short" });
const shortDay = format({ day: "numeric", month: "short" });
const longDay = format({ weekday: "long", day: "numeric", month: "long" });
const full = format({ dateStyle: "full", timeStyle: "medium" });

const DAY = 86_400_000;
const midnight = (time: number) => new Date(time).setHours(0, 0, 0, 0);
const dayDistance = (time: number, now: number) =>
  Math.round((midnight(now) - midnight(time)) / DAY);

export function ago(time: number, now = Date.now()): string {
  const seconds = (now - time) / 1000;
  if (seconds < 45) return t("now");
  const unit = (value: number, name: string) =>
    new Intl.NumberFormat(page.language || undefined, {
      style: "unit",
      unit: name,
      unitDisplay: "narrow",
    }).format(value);
  if (seconds < 3570) return unit(Math.round(seconds / 60), "minute");
  if (seconds < 86_400) return unit(Math.max(1, Math.round(seconds / 3600)), "hour");
  return shortDay.format(time);
}

/** How long somebody waits: `1:40`, then `2 h`. */
export function since(time: number, now = Date.now()): string {
  const seconds = Math.max(0, Math.floor((now - time) / 1000));
  const pad = (value: number) => String(value).padStart(2, "0");
  if (seconds < 3600) return `${Math.floor(seconds / 60)}:${pad(seconds % 60)}`;
  const hours = Math.floor(seconds / 3600);
  if (hours < 24) return `${hours}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`;
  return ago(time, now);
}

export function day(time: number, now = Date.now()): string {
  const distance = dayDistance(time, now);
  if (distance === 0) return t("today");
  if (distance === 1) return t("yesterday");
  return longDay.format(time);
}

const write = (node: HTMLElement, text: string) => {
  if (node.textContent !== text) node.textContent = text;
};

/** Rewrites every `<time>` under `root`. */
export function freshen(root: ParentNode = document) {
  for (const node of $$<HTMLTimeElement>("time[datetime]", root)) {
    const { ago: isAgo, since: isSince, clock: isClock, clockDay, day: isDay } = node.dataset;
    const time = Date.parse(isDay === undefined ? node.dateTime : `${node.dateTime}T12:00`);
    if (Number.isNaN(time)) continue;
    if (isAgo !== undefined) write(node, ago(time));
    else if (isSince !== undefined) write(node, since(time));
    else if (isClock !== undefined) write(node, clock.format(time));
    else if (clockDay !== undefined) write(node, dayAndClock.format(time));
    else if (isDay !== undefined) write(node, day(time));
    if (isDay === undefined) node.title = full.format(time);
  }
}

/** The local day of a moment, as `2026-11-20`. */
export const localDay = (moment: string): string => new Date(moment).toLocaleDateString("sv");

export function startClock() {
  freshen();
  setInterval(() => {
    if (document.hidden) return;
    for (const node of $$<HTMLTimeElement>("time[data-since]"))
      write(node, since(Date.parse(node.dateTime)));
  }, 1000);
  setInterval(() => {
    if (document.hidden) return;
    for (const node of $$<HTMLTimeElement>("time[data-ago]"))
      write(node, ago(Date.parse(node.dateTime)));
  }, 15_000);
  document.addEventListener("visibilitychange", () => document.hidden || freshen());
}
