/**
 * Builds DOM by hand: no markup strings, so nothing here can be turned into script, and the
 * strictest CSP with Trusted Types has nothing to object to.
 */

export type Child = Node | string | number | false | null | undefined;
type Handler = (event: never) => void;
export type Props = Record<string, string | number | boolean | null | undefined | Handler>;

/** `h("a", {href}, "Help")`, `h("p", "hint", "Or else")`: a string is the class; falsy children are left out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props?: Props | string | null,
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  set(node, typeof props === "string" ? { class: props } : props);
  node.append(...(children.filter(Boolean) as Node[]));
  return node;
}

/** A button with its name on it, or with an icon that the name explains. */
export const button = (label: string, onclick: () => void, name = "", path = "") =>
  h(
    "button",
    { type: "button", class: name, onclick, [path ? "aria-label" : "dir"]: path ? label : "auto" },
    path ? icon(path) : label,
  );

/** Sets attributes, null removes one; a function becomes the handler that its `on…` name says. */
export function set(node: Element, props?: Props | null): void {
  for (const name in props) {
    const value = props[name];
    if (typeof value === "function") (node as unknown as Props)[name] = value;
    else if (value == null) node.removeAttribute(name);
    else node.setAttribute(name, value as string);
  }
}

/** A function that says whether it was called with other values than the last time. */
export const watcher = () => {
  let was = "";
  return (...now: unknown[]) => {
    const before = was;
    was = JSON.stringify(now);
    return was !== before;
  };
};

/** Listeners that all go at once. */
export function listeners() {
  const gone = new AbortController();
  const { signal } = gone;
  return {
    on: (target: EventTarget | null, name: string, listener: (event: never) => void) =>
      target?.addEventListener(name, listener as EventListener, { signal }),
    off: () => gone.abort(),
  };
}

const SVG = "http://www.w3.org/2000/svg";

/** One icon from path data on a 20 px grid, styled by CSS; decoration, hidden from readers. */
export function icon(path: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  const line = document.createElementNS(SVG, "path");
  set(svg, { viewBox: "0 0 20 20", "aria-hidden": true });
  set(line, { d: path });
  svg.append(line);
  return svg;
}

/** A stylesheet no CSP `style-src` has to allow. */
export function sheet(css: string): CSSStyleSheet {
  const made = new CSSStyleSheet();
  made.replaceSync(css);
  return made;
}
