/** What calls an operator who looks elsewhere: a tone, the title, a notification if wished. */

import { call } from "./api";
import { refreshCounters } from "./list";
import { baseTitle, open } from "./navigation";
import { $, hear, openId, page, type Summary, t } from "./page";
import { toast } from "./toasts";

let missed = 0;
let announced = 0;
let context: AudioContext | null = null;
let lastTone = 0;

/** Two short sine tones, made here: no file, nothing to load. */
function ring() {
  if (!page.sound || Date.now() - lastTone < 2000) return;
  lastTone = Date.now();
  context ??= new AudioContext();
  const now = context.currentTime;
  [880, 1174.7].forEach((frequency, n) => {
    const tone = context?.createOscillator();
    const volume = context?.createGain();
    if (!tone || !volume || !context) return;
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0, now + n * 0.12);
    volume.gain.linearRampToValueAtTime(0.08, now + n * 0.12 + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, now + n * 0.12 + 0.22);
    tone.connect(volume).connect(context.destination);
    tone.start(now + n * 0.12);
    tone.stop(now + n * 0.12 + 0.25);
  });
}

function countInTitle() {
  document.title = missed ? `(${missed}) ${baseTitle.text}` : baseTitle.text;
}

/** Only what waits for a person, and for this one or for nobody in particular. */
const concerns = (summary: Summary): boolean =>
  summary.status === "open" &&
  summary.preview_role !== "operator" &&
  (summary.handled_by === "queue" ||
    (summary.handled_by === "operator" &&
      summary.operator?.id === page.operator &&
      summary.preview_role === "user"));

const heads = new Map<string, number>();

function onSummary(summary: Summary) {
  const id = summary.conversation_id;
  const known = heads.get(id) ?? 0;
  heads.set(id, Math.max(known, summary.head));
  if (summary.head <= known || !concerns(summary)) return;
  if (id === openId() && document.hasFocus()) return;
  ring();
  if (document.hasFocus()) return announce();
  missed++;
  countInTitle();
  if (globalThis.Notification?.permission === "granted") {
    const note = new Notification(summary.visitor.name, { body: summary.preview, tag: id });
    note.onclick = () => {
      focus();
      note.close();
      open(id);
    };
  }
}

/** Tells screen readers, at most every ten seconds and never one by one. */
function announce() {
  if (Date.now() - announced < 10_000) return;
  announced = Date.now();
  const news = $("#news");
  if (news) news.textContent = t("new_messages");
}

export function startNotices() {
  hear("summary", (frame) => onSummary(frame as unknown as Summary));
  addEventListener("focus", () => {
    missed = 0;
    countInTitle();
    refreshCounters();
  });
  const tools = $(".self .tools");
  if (tools) tools.hidden = false;
  const bell = $<HTMLButtonElement>('[data-do="notify"]');
  if (bell) bell.hidden = globalThis.Notification?.permission !== "default";
  bell?.addEventListener("click", async () => {
    const answer = await Notification.requestPermission();
    bell.hidden = answer !== "default";
    toast(t(answer === "granted" ? "notified" : "not_notified"));
  });
  const sound = $<HTMLButtonElement>('[data-do="sound"]');
  sound?.addEventListener("click", () => {
    page.sound = !page.sound;
    sound.setAttribute("aria-pressed", String(page.sound));
    if (page.sound) ring();
    call("presence/", { sound: page.sound }).catch(() => {});
  });
}
