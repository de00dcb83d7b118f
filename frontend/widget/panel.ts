/** The opened chat: puts client and views together and draws a few times a second. */

import { createClient } from "../shared/client";
import { h, listeners, set, sheet, watcher } from "../shared/dom";
import type { ServerFrame } from "../shared/frames";
import { clock, translator } from "../shared/i18n";
import { DOWN } from "../shared/icons";
import { createStore } from "../shared/storage";
import tokens from "../shared/tokens.css";
import { createComposer } from "./composer";
import content from "./content.css";
import type { Context, Panel } from "./context";
import { createFooter } from "./footer";
import { createHeader } from "./header";
import css from "./panel.css";
import { ratingCard } from "./rating";
import { ring } from "./ring";
import { createThread, PAGE } from "./thread";

const PAUSE = 150; // words that stream are read no better when they come more often
const GRACE = 3000; // a connection lost for less than this is nobody's business

export function mount(context: Context): Panel {
  const { root, wrap, button, emit } = context;
  const client = createClient(context, { onChange: schedule, onFrame: heard });
  const { store } = client;
  const tab = createStore(`frontdesk.${context.key}.`, () => sessionStorage);
  const phone = matchMedia("(max-width: 480px)");
  const status = h("div", { class: "sr", role: "status" });
  const dialog = h("dialog", "panel");
  const doc = document;
  const path = button.querySelector("path") as Element;
  const bubble = path.getAttribute("d");
  let view = build();
  let isOpen = false;
  let unread = 0;
  let limit = PAGE;
  let news = 0; // what came up to this seq is history and not announced
  const texts = watcher();
  let dressed: unknown;
  let title = "";
  let lostAt = 0;
  let drawing = false;
  let all = false; // more changed than the words of an answer
  let drawnAt = 0;
  let rating: HTMLElement | null = null;
  let page = location.href;

  function schedule(words?: unknown) {
    all ||= words !== true;
    if (drawing) return;
    drawing = true;
    // Where the reader scrolled to is known in a frame. A hidden page gets none, but badge and title
    // must still follow. A delay far below zero would wrap around and become weeks.
    setTimeout(
      () => (doc.hidden ? draw() : requestAnimationFrame(draw)),
      Math.max(0, drawnAt + PAUSE - Date.now()),
    );
  }

  function build() {
    const t = translator(client.snap.session?.widget.strings);
    const say = (content: string, quick_reply?: string) => {
      thread.bottom();
      client.say({ content, quick_reply });
      draw();
    };
    const earlier = () => {
      limit += PAGE;
      schedule();
    };
    const edit = (id: string) => {
      composer.restore(client.discard(id));
      composer.input.focus();
    };
    const thread = createThread(t, { say, earlier, edit, retry: client.retry }, seen);
    const composer = createComposer({
      t,
      store,
      send: say,
      stop: () => client.send({ type: "stop" }),
      typing: (is_typing) => client.send({ type: "typing", is_typing }),
    });
    const header = createHeader(t, store, close, client.wake);
    const footer = createFooter(t, (type) => client.send({ type }));
    dialog.replaceChildren(
      ...header.nodes,
      thread.log,
      h("div", "foot", thread.jump, ...footer.nodes, composer.node),
      status,
    );
    return { t, thread, composer, header, footer };
  }

  /** New texts mean new views; what the visitor wrote waits in storage. */
  function retranslate() {
    const widget = client.snap.session?.widget;
    if (!widget || widget === dressed) return;
    dressed = widget;
    if (texts(widget.strings)) {
      const focused = view.composer.input.matches(":focus");
      view.thread.destroy();
      view = build();
      view.composer.restore();
      if (focused) view.composer.input.focus();
    }
    set(dialog, { "aria-label": widget.name });
    // The browser's first clock costs as much as twenty drawings: not while somebody sends a message.
    setTimeout(clock, 500, 0, widget.locale);
    context.look({ ...widget, lang: widget.locale, label: view.t(isOpen ? "close" : "open") });
  }

  function draw() {
    drawing = false;
    drawnAt = Date.now();
    if (!all && isOpen && view.thread.grow(client.snap.state.turn)) return;
    all = false;
    retranslate();
    const { snap, outbox } = client;
    const { session, state } = snap;
    const { t, thread, composer, header, footer } = view;
    const widget = session?.widget;
    const up = snap.status === "open";
    const closed = state.conversation?.status === "closed";
    if (up || snap.status === "idle") lostAt = 0;
    else if (!lostAt) {
      lostAt = Date.now();
      setTimeout(schedule, GRACE + 50);
    }
    header.update(snap, !!lostAt && Date.now() - lostAt > GRACE);
    footer.update(snap);
    composer.update(
      t(closed ? "write_new" : "write_a_message"),
      state.maxChars,
      !!state.turn && !state.turn.ended && widget?.features.stop !== false,
    );
    rate(closed && up && !!widget?.features.rating && store.get("rated") !== state.session);
    if (thread.sticky) limit = PAGE;
    const lang = widget?.locale || context.lang;
    if (isOpen && session)
      thread.render({ state, outbox: outbox.items(), widget, up, limit, lang, rating });
    seen(); // first, or what is read at once flashes up as unread
    const read = client.snap.state.reads.user ?? 0;
    unread = state.last
      ? state.items.filter(({ seq, role }) => seq > read && /assistant|operator/.test(role)).length
      : (session?.unread ?? 0);
    if (title) doc.title = title;
    title = unread && doc.hidden ? doc.title : "";
    if (title) doc.title = `(${unread}) ${title}`;
    context.state(isOpen, unread);
    if (session) store.set("live", state.last && !closed ? "1" : null);
  }

  function rate(wanted: boolean) {
    if (!wanted) rating = null;
    else if (!rating) {
      const done = (score: number, comment?: string) => {
        if (score) client.send({ type: "rating", score, comment });
        store.set("rated", client.snap.state.session);
        status.textContent = score ? view.t("thanks") : "";
        view.composer.input.focus();
        schedule();
      };
      rating = ratingCard(view.t, done, view.thread.bottom);
    }
  }

  function seen() {
    if (isOpen && view.thread.sticky && doc.hasFocus()) client.seen();
  }

  function heard(frame: ServerFrame) {
    if (frame.type === "connected") news = frame.head;
    if (frame.type === "error" && !frame.client_id) {
      view.footer.tell(frame.message);
      emit("error", frame);
    }
    if (frame.type !== "message" || frame.role === "user" || frame.seq <= news) return;
    emit("message", frame);
    const { id, content, author } = frame;
    view.thread.arrived();
    if (client.leads && store.get("sound") && !(isOpen && doc.hasFocus())) ring();
    // After drawing, so that what is spoken is what is shown, without its Markdown; once per
    // message, because a log that grows by tokens would chatter.
    setTimeout(() => {
      status.textContent = `${author?.name ?? ""}: ${view.thread.text(id) || content}`;
    }, 300);
  }

  function place() {
    if (!isOpen) return;
    dialog.close();
    if (phone.matches) dialog.showModal();
    else dialog.show();
    view.thread.bottom();
  }

  function opened(now: boolean) {
    isOpen = now;
    dressed = null; // what the button does has another name
    context.state(now, unread); // at once: who toggles twice in a breath means what is on the screen
    wrap.classList.toggle("open", now);
    set(path, { d: now ? DOWN : bubble });
    tab.set("open", now ? "1" : "0");
    emit(now ? "open" : "close");
  }

  function open(focus: boolean) {
    const before = doc.activeElement as HTMLElement | null;
    if (!isOpen) {
      opened(true);
      client.start();
      draw();
      place();
      view.composer.refresh();
    }
    if (focus) view.composer.input.focus();
    else {
      // Nobody asked for it now: give back what the dialog took.
      (root.activeElement as HTMLElement | null)?.blur();
      before?.focus();
    }
  }

  function close() {
    const inside = root.activeElement !== button;
    dialog.close();
    opened(false);
    schedule();
    if (inside) button.focus();
  }

  const keyed = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !isOpen || event.isComposing) return;
    event.preventDefault();
    close();
  };
  const fit = () => {
    const { height, offsetTop } = viewport as VisualViewport;
    dialog.style.setProperty("--height", `${height}px`);
    dialog.style.setProperty("--top", `${offsetTop}px`);
  };
  const moved = () => {
    if (page === location.href) return;
    page = location.href;
    client.send({ type: "page", url: page, title: doc.title });
  };
  const viewport = window.visualViewport;
  const { on, off } = listeners();

  root.adoptedStyleSheets.push(sheet(tokens + css + content));
  dialog.oncancel = (event) => event.preventDefault();
  wrap.onkeydown = keyed;
  wrap.append(dialog);
  view.composer.restore();
  on(phone, "change", place);
  on(viewport, "resize", fit);
  on(viewport, "scroll", fit);
  on(window, "focus", schedule);
  on(doc, "visibilitychange", schedule);
  const walker = setInterval(moved, 1000);

  return {
    open,
    close,
    listen: client.start,
    set: client.set,
    destroy() {
      clearInterval(walker);
      off();
      view.thread.destroy();
      client.close();
    },
  };
}
