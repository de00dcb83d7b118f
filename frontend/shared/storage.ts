/**
 * A corner of localStorage under one prefix, or of memory where the browser forbids storage
 * (private modes, blocked third parties). Never throws: a chat without memory is still a chat.
 */

export interface Store {
  /** false when values die with the page, so that nothing may be shared with other tabs. */
  readonly lasting: boolean;
  get(name: string): string | null;
  set(name: string, value: string | null): void;
  /** Names (without the prefix) that begin with `start`. */
  names(start: string): string[];
}

export function createStore(prefix: string, find = () => localStorage): Store {
  let area: Record<string, string> = {};
  let lasting = false;
  try {
    const found = find();
    lasting = found.length >= 0;
    area = found as unknown as Record<string, string>;
  } catch {
    // Forbidden: the empty object will do.
  }
  return {
    lasting,
    get: (name) => area[prefix + name] ?? null,
    set(name, value) {
      if (this.get(name) === value) return;
      if (value === null) delete area[prefix + name];
      else
        try {
          area[prefix + name] = value;
        } catch {
          // Full: keep everything for as long as this page lives.
          area = { ...area, [prefix + name]: value };
        }
    },
    names: (start) =>
      Object.keys(area)
        .filter((key) => key.startsWith(prefix + start))
        .map((key) => key.slice(prefix.length)),
  };
}
