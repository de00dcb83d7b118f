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
  // To nobody nothing is told: a note costs as much as a drawing. Whoever waits behind this tab came
  // after it and said so; only a thief may have passed others by.
  let alone = true;

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
  if (channel)
    channel.onmessage = (event) => {
      alone = false;
      options.onMessage(event.data as T);
    };

  const request = (steal: boolean) => {
    waiting?.abort();
    const mine = new AbortController();
    waiting = mine;
    locks?.request(name, steal ? { steal } : { signal: mine.signal }, hold).catch(() => {
      // Aborted by ourselves, or stolen by a tab that heard nothing from this one: queue again.
      if (waiting !== mine) return;
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
    steal() {
      alone = false;
      request(true);
    },
    leave() {
      waiting?.abort();
      waiting = null;
      release?.();
      lead(false);
    },
    post: (message: T) => (leads && alone) || channel?.postMessage(message),
    close() {
      this.leave();
      channel?.close();
    },
    get leads() {
      return leads;
    },
  };
}
