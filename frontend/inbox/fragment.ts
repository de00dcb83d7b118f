/**
 * The one place where text becomes markup. Only what this site's own server rendered comes here:
 * answers of same-origin pages and `fragment` frames of the operators' socket. The policy's name
 * is the only one that the page's Content-Security-Policy allows, so no other code of this page
 * can do it, and scripts and handlers are dropped even if a template ever let one through.
 */

interface Policy {
  createHTML(html: string): string;
}
const trusted = (
  globalThis as { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } }
).trustedTypes;
const policy: Policy = trusted?.createPolicy("frontdesk-inbox", { createHTML: (html) => html }) ?? {
  createHTML: (html) => html,
};

/** Server-rendered markup as nodes; nothing in it has run or been fetched. */
export function parse(html: string): DocumentFragment {
  const template = document.createElement("template");
  template.innerHTML = policy.createHTML(html);
  for (const node of template.content.querySelectorAll("*")) {
    if (/^(script|iframe|object|embed|base|link|meta)$/i.test(node.localName)) node.remove();
    else
      for (const { name } of [...node.attributes])
        if (name.startsWith("on") || name === "style" || name === "srcdoc")
          node.removeAttribute(name);
  }
  return document.importNode(template.content, true);
}

/** The first element of server-rendered markup. */
export const parseOne = (html: string): HTMLElement | null =>
  parse(html).firstElementChild as HTMLElement | null;
