// Owns the browser features that the module uses, so that tests can replace them. Knows nothing of
// tokens.

import { area, type Area } from './storage.js';

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
  /** Null on plain http except on localhost: browsers have Web Locks only in secure contexts. */
  readonly locks: Locks | null;
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** Milliseconds since 1970. The clock may be wrong and may jump. */
  now(): number;
  /** From 0 to below 1. Not used for secrets. */
  random(): number;
  /** Calls `run` after `ms` milliseconds; returns a function that cancels it. */
  after(ms: number, run: () => void): () => void;
  /** Null if the browser has no BroadcastChannel. */
  channel(name: string, receive: (message: unknown) => void): Channel | null;
  /** Calls `heard` at events after which time may have passed or the network may be back. */
  onSignal(heard: () => void): () => void;
  /** Calls `heard` when another tab has changed a key of localStorage, or all keys (null). */
  onStorage(heard: (key: string | null) => void): () => void;
}

export function browser(): Environment {
  return {
    origin: globalThis.location?.origin ?? '',
    local: area('local'),
    session: area('session'),
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

function after(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

// None outside a browser: there is no other tab, and an open channel would keep Node running.
function channel(name: string, receive: (message: unknown) => void): Channel | null {
  if (globalThis.window === undefined) return null;
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
