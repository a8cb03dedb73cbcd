// Owns what the module uses of the browser, in one place, so that tests can put their own there.
// Knows nothing of tokens.

export interface Area {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

export interface Locks {
  request<T>(name: string, options: { signal: AbortSignal }, work: () => Promise<T>): Promise<T>;
}

export interface Channel {
  post(message: unknown): void;
  close(): void;
}

export interface Environment {
  readonly origin: string;
  readonly local: Area | null;
  readonly session: Area | null;
  /** Null on plain http from another host than localhost: browsers keep Web Locks for secure contexts. */
  readonly locks: Locks | null;
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** Milliseconds since 1970 by a clock that may be wrong and may jump. */
  now(): number;
  /** From 0 to below 1. Nothing secret is made of it. */
  random(): number;
  /** Runs it later; returns what cancels it. */
  after(ms: number, run: () => void): () => void;
  /** Null where there is no BroadcastChannel. */
  channel(name: string, receive: (message: unknown) => void): Channel | null;
  /** Something that may mean that time has passed or the network is back. */
  onSignal(heard: () => void): () => void;
  /** Another tab has changed localStorage: this key, or all of them (null). */
  onStorage(heard: (key: string | null) => void): () => void;
}

export function browser(): Environment {
  return {
    origin: globalThis.location?.origin ?? '',
    local: area('localStorage'),
    session: area('sessionStorage'),
    locks: (globalThis.navigator?.locks as Locks | undefined) ?? null,
    fetch: (url, init) => globalThis.fetch(url, init),
    now: () => Date.now(),
    random: () => Math.random(),
    after,
    channel,
    onSignal,
    onStorage,
  };
}

// Where the user blocks storage, even looking at it throws.
function area(name: 'localStorage' | 'sessionStorage'): Area | null {
  try {
    return globalThis.window?.[name] ?? null;
  } catch {
    return null;
  }
}

function after(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

function channel(name: string, receive: (message: unknown) => void): Channel | null {
  try {
    const open = new BroadcastChannel(name);
    open.onmessage = event => receive(event.data);
    return { post: message => open.postMessage(message), close: () => open.close() };
  } catch {
    return null;
  }
}

function onSignal(heard: () => void): () => void {
  const ends = ['online', 'pageshow', 'focus'].map(name => listen(globalThis.window, name, heard));
  ends.push(
    listen(globalThis.document, 'visibilitychange', () => {
      if (document.visibilityState === 'visible') heard();
    }),
  );
  return () => ends.forEach(end => end());
}

function onStorage(heard: (key: string | null) => void): () => void {
  return listen(globalThis.window, 'storage', event => heard((event as StorageEvent).key));
}

function listen(target: EventTarget | undefined, name: string, heard: (event: Event) => void): () => void {
  target?.addEventListener(name, heard);
  return () => target?.removeEventListener(name, heard);
}
