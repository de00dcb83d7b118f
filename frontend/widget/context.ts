/** What launcher and panel know of each other; the two are separate files on the wire. */

export interface Look {
  label?: string;
  theme?: string;
  position?: string;
  accent?: string;
  dir?: string;
  lang?: string;
}

export interface Context {
  key: string;
  base: string;
  lang: string;
  dir: string;
  identity?: string;
  root: ShadowRoot;
  wrap: HTMLElement;
  button: HTMLElement;
  /** Dispatches `frontdesk:<name>` on the element; bubbles to the page. */
  emit(name: string, detail?: unknown): void;
  look(next: Look): void;
  state(open: boolean, unread: number): void;
}

export interface Panel {
  open(focus: boolean): void;
  close(): void;
  /** Connects without opening, for the unread badge of a conversation that is under way. */
  listen(): void;
  set(change: { identity?: string; lang?: string }): void;
  destroy(): void;
}
