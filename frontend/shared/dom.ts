/**
 * Builds DOM by hand: no markup strings, so nothing here can be turned into script, and the
 * strictest CSP with Trusted Types has nothing to object to.
 */

export type Child = Node | string | number | false | null | undefined;
type Handler = (event: never) => void;
export type Props = Record<string, string | number | boolean | null | undefined | Handler>;

/** `h("button", {class: "send", onclick: send}, "Send")`; a child that is falsy is left out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props?: Props | null,
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  if (props) set(node, props);
  for (const child of children) if (child) node.append(child as Node);
  return node;
}

export const button = (label: string, onclick: () => void, name = "") =>
  h("button", { type: "button", class: name, dir: "auto", onclick }, label);

/** Sets attributes, null removes one; a function becomes a listener of what its `on…` name says. */
export function set(node: Element, props: Props): void {
  for (const name in props) {
    const value = props[name];
    if (typeof value === "function")
      node.addEventListener(name.slice(2), value as unknown as EventListener);
    else if (value == null) node.removeAttribute(name);
    else node.setAttribute(name, value as string);
  }
}

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
