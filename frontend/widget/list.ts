/** Keeps the children of an element in step with what is drawn, touching only what changed. */

interface Row {
  node: HTMLElement;
  sign: string;
}
/** Draws the row `key` anew when `sign` differs from what it was. */
export type Put = (key: string, sign: unknown, make: () => HTMLElement) => void;

export function createList(root: HTMLElement) {
  let rows = new Map<string, Row>();
  return {
    has: (key: string) => rows.has(key),
    /** `draw` puts every row in order; the rows it did not put are removed. */
    update(draw: (put: Put) => void) {
      const next = new Map<string, Row>();
      let cursor: ChildNode | null = root.firstChild;
      draw((key, value, make) => {
        const sign = JSON.stringify(value);
        let row = rows.get(key);
        if (row?.sign !== sign) {
          const node = make();
          row?.node.replaceWith(node);
          if (row && row.node === cursor) cursor = node;
          row = { node, sign };
        }
        next.set(key, row);
        if (row.node === cursor) cursor = cursor.nextSibling;
        else root.insertBefore(row.node, cursor);
      });
      while (cursor?.nextSibling) cursor.nextSibling.remove();
      cursor?.remove();
      rows = next;
    },
  };
}
