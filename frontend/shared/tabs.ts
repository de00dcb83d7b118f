/**
 * Elects one tab of this browser to hold the connection and lets the tabs talk. Without Web Locks
 * (a page that is not secure) there are only leaders, which costs sockets but loses nothing.
 */

export interface TabsOptions<T> {
  onLead(leads: boolean): void;
  onMessage(message: T): void;
}

export type Tabs<T> = ReturnType<typeof createTabs<T>>;

export function createTabs<T>(name: string, shared: boolean, options: TabsOptions<T>) {
  const locks = shared ? navigator.locks : undefined;
  const channel = locks ? new BroadcastChannel(name) : null;
  let leads = false;
  let release: (() => void) | null = null;
  let waiting: AbortController | null = null;

  const lead = (now: boolean) => {
    if (leads === now) return;
    leads = now;
    options.onLead(now);
  };
  const hold = () =>
    new Promise<void>((resolve) => {
      release = resolve;
      lead(true);
    });
  if (channel) channel.onmessage = (event) => options.onMessage(event.data as T);

  const request = (steal: boolean) => {
    waiting?.abort();
    const mine = new AbortController();
    waiting = mine;
    locks?.request(name, steal ? { steal } : { signal: mine.signal }, hold).catch(() => {
      // Aborted by ourselves, or stolen by a tab that heard nothing from this one: queue again.
      if (waiting !== mine) return;
      release = null;
      lead(false);
      request(false);
    });
  };

  return {
    join() {
      if (locks) request(false);
      else lead(true);
    },
    /** Takes the lead from a tab that is frozen or gone. */
    steal: () => request(true),
    leave() {
      waiting?.abort();
      waiting = null;
      release?.();
      release = null;
      lead(false);
    },
    post: (message: T) => channel?.postMessage(message),
    close() {
      this.leave();
      channel?.close();
    },
    get leads() {
      return leads;
    },
  };
}
