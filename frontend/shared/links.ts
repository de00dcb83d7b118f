/** Where a link may go: nothing that somebody else wrote gets an address outside of this list. */

import { h } from "./dom";

const SAFE = /^(https?:|mailto:|tel:|\/(?![/\\])|#)/i;

/** The address if a link may go there, else null. */
export function safeUrl(url: string): string | null {
  // Browsers drop control characters inside a scheme: `java\tscript:` is `javascript:` to them.
  const clean = url.replace(/[\0- \x7f-\x9f]/g, "");
  return SAFE.test(clean) ? clean : null;
}

/** A link that opens outside and tells nobody where it came from; plain text where it may not. */
export function link(url: string, children: (Node | string)[]): HTMLElement {
  const href = safeUrl(url);
  return href
    ? h("a", { href, target: "_blank", rel: "noopener noreferrer nofollow ugc" }, ...children)
    : h("span", null, ...children);
}
