/**
 * The button in the corner, and all that a page pays for before anybody wants to chat: one file,
 * no cookie, no socket, nothing stored. The panel is fetched on the first sign of interest.
 */

import { CHAT } from "../shared/icons";
import type { Context, Panel } from "./context";
import css from "./launcher.css";

type Call = [name: string, ...args: unknown[]];

const script = (document.currentScript ||
  document.querySelector("script[data-widget]")) as HTMLScriptElement;
const data = script.dataset;
const page = document.baseURI;
const own = script.src || page;

const SVG = "http://www.w3.org/2000/svg";

/** An element whose class is its `::part` too. The panel's richer `h()` would cost bytes here. */
function make<K extends keyof HTMLElementTagNameMap>(tag: K, name: string, ...children: Node[]) {
  const node = document.createElement(tag);
  node.className = name;
  node.setAttribute("part", name);
  node.append(...children);
  return node;
}

function boot(queued: Call[] | undefined) {
  const key = data.widget || "default";
  const prefix = `frontdesk.${key}.`;
  const html = document.documentElement;
  const beside = (given: string | undefined, name: string) =>
    given ? new URL(given, page) : new URL(name, own);
  const base = `${beside(data.base, ".")}`;
  const host = document.createElement("frontdesk-chat");
  const root = host.attachShadow({ mode: "open" });
  const badge = make("span", "badge");
  const image = document.createElementNS(SVG, "svg");
  const line = document.createElementNS(SVG, "path");
  const button = make("button", "launcher", image, badge);
  const wrap = make("div", "w", button);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let loading: Promise<Panel> | undefined;
  let label = data.label || "Chat";
  let unread = 0;
  let theme = data.theme;
  let open = false;

  const peek = (area: "localStorage" | "sessionStorage", name: string) => {
    try {
      return window[area].getItem(prefix + name);
    } catch {
      return null; // storage is forbidden here: a new visitor each time
    }
  };
  const attr = (name: string, value: string) => button.setAttribute(`aria-${name}`, value);
  const show = () => {
    attr("expanded", `${open}`);
    attr("label", unread ? `${label} (${unread})` : label);
    badge.textContent = unread > 99 ? "99+" : `${unread || ""}`;
  };
  const shade = () =>
    wrap.toggleAttribute("data-dark", theme === "dark" || (theme !== "light" && dark.matches));

  const emit = (name: string, detail?: unknown) =>
    host.dispatchEvent(
      new CustomEvent(`frontdesk:${name}`, { detail, bubbles: true, composed: true }),
    );

  const context: Context = {
    key,
    base,
    lang: data.lang || html.lang || navigator.language,
    dir: data.dir || html.dir,
    root,
    wrap,
    button,
    emit,
    look(next) {
      label = next.label || label;
      theme = data.theme || next.theme;
      const accent = data.accent || next.accent;
      wrap.dir = data.dir || next.dir || "";
      wrap.lang = next.lang || "";
      wrap.dataset.side = data.position || next.position;
      if (accent && /^#[\da-f]{6}$/i.test(accent)) paint(wrap.style, accent);
      shade();
      show();
    },
    state(now, count) {
      if (count !== unread) emit("unread", { unread: count });
      open = now;
      unread = count;
      show();
    },
  };

  const load = () => {
    loading ??= import(`${beside(data.panel, "panel.js")}`).then(
      (module: { mount(context: Context): Panel }) => module.mount(context),
      (error) => {
        loading = undefined; // the next click tries again
        emit("error", { code: "panel_not_loaded" });
        throw error;
      },
    );
    return loading;
  };
  const call = async (action: (panel: Panel) => void) => {
    const busy = setTimeout(() => attr("busy", "true"), 150);
    try {
      action(await load());
    } catch {
      // Told by the `error` event; the button stays and can be pressed again.
    }
    clearTimeout(busy);
    attr("busy", "false");
  };
  const change = (what: { identity?: string; lang?: string }) => {
    Object.assign(context, what);
    loading?.then((panel) => panel.set(what));
  };
  const prefetch = () => void load().catch(() => {});

  const api = {
    open: () => call((panel) => panel.open(true)),
    close: () => open && call((panel) => panel.close()),
    toggle: () => (open ? api.close() : api.open()),
    identify: (identity: string) => change({ identity }),
    setLocale: (lang: string) => change({ lang }),
    on: (name: string, listener: EventListener) =>
      host.addEventListener(`frontdesk:${name}`, listener),
    off: (name: string, listener: EventListener) =>
      host.removeEventListener(`frontdesk:${name}`, listener),
    destroy() {
      loading?.then((panel) => panel.destroy());
      host.remove();
      delete window.Frontdesk;
    },
    push([name, ...args]: Call) {
      (api[name as "on"] as ((...args: unknown[]) => void) | undefined)?.(...args);
    },
  };

  async function returning() {
    const was = peek("sessionStorage", "open");
    if (was === "1") return call((panel) => panel.open(false));
    const token = peek("localStorage", "token");
    if (!token) return;
    // An open conversation that was in use on the page before goes on hearing of answers.
    if (was && peek("localStorage", "live")) return call((panel) => panel.listen());
    const response = await fetch(`${base}unread`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    if (response.ok && !loading) context.state(open, (await response.json()).unread);
  }

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [sheet];
  root.append(wrap);
  image.setAttribute("viewBox", "0 0 20 20");
  line.setAttribute("d", CHAT);
  image.append(line);
  attr("haspopup", "dialog");
  context.look({ dir: context.dir, lang: context.lang });
  dark.onchange = shade;
  button.onclick = api.toggle;
  button.onpointerenter = button.onfocus = prefetch;
  // Outside of <body>: Turbo and htmx swap that, and would take element and socket with it.
  html.append(host);
  window.Frontdesk = api;
  queued?.forEach(api.push);
  const later = () => returning().catch(() => {});
  if (document.readyState === "complete") later();
  else addEventListener("load", later);
}

/** Text on the accent is whichever of white and black reads better; always above 4.5 : 1. */
function paint(style: CSSStyleDeclaration, accent: string) {
  const part = (at: number) => (+`0x${accent.slice(at, at + 2)}` / 255) ** 2.2;
  const luminance = 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5);
  style.setProperty("--a", accent);
  style.setProperty("--oa", luminance > 0.18 ? "#000" : "#fff");
}

declare global {
  interface Window {
    // biome-ignore lint/suspicious/noExplicitAny: a queue before, the API after
    Frontdesk?: any;
  }
}

if (!window.Frontdesk || Array.isArray(window.Frontdesk)) boot(window.Frontdesk);
