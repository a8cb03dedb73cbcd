// Owns requests to the server: its URL, whether it can be reached, and probing until it can. Knows
// nothing of sessions.

import type { Environment } from './environment.js';
import { NetworkError } from './errors.js';
import { backoff } from './schedule.js';

/** Time limit on our own requests, well below the 30 s in which the server repeats a lost answer. */
export const TIME_LIMIT_MS = 10_000;

export interface Line {
  /** The origin of the server, without a slash at its end; '' outside a browser if none was given. */
  readonly base: string;
  readonly offline: boolean;
  /** Resolves to any answer of the server; rejects with NetworkError, or the reason of `init.signal`. */
  send(path: string, init: RequestInit): Promise<Response>;
  /** Like `send`, with our time limit. */
  sendBriefly(path: string, init: RequestInit): Promise<Response>;
  /** Asks the server now whether it can be reached. */
  probe(): Promise<boolean>;
  close(): void;
}

export function createLine(env: Environment, api: string, changed: () => void): Line {
  const base = addressed(api, env.origin);
  let offline = false;
  let failures = 0;
  let cancel = () => {};
  let closed = false;
  let probing: Promise<boolean> | null = null;

  async function send(path: string, init: RequestInit): Promise<Response> {
    if (!path.startsWith('/')) throw new TypeError(`a path begins with '/': ${path}`);
    if (base === '') throw new TypeError('outside a browser, createAuth needs the URL of lictor: api');
    let response;
    try {
      response = await env.fetch(base + path, init);
    } catch (error) {
      init.signal?.throwIfAborted();
      lost();
      throw new NetworkError(error);
    }
    noServerBehind(response) ? lost() : reached(true);
    return response;
  }

  async function sendBriefly(path: string, init: RequestInit): Promise<Response> {
    const limit = new AbortController();
    const stop = env.after(TIME_LIMIT_MS, () => limit.abort());
    try {
      // The body is read here too, so that the time limit includes it.
      const response = await env.fetch(base + path, { ...init, signal: limit.signal });
      const body = await response.arrayBuffer();
      noServerBehind(response) ? lost() : reached(path !== HEALTH);
      return new Response(body.byteLength ? body : null, response);
    } catch (error) {
      lost();
      throw new NetworkError(error);
    } finally {
      stop();
    }
  }

  function probe(): Promise<boolean> {
    cancel();
    probing ??= ask().finally(() => (probing = null));
    return probing;
  }

  async function ask(): Promise<boolean> {
    const before = offline;
    try {
      await sendBriefly(HEALTH, { cache: 'no-store' });
    } catch {
      // `offline` has the outcome.
    }
    if (before && offline) later();
    return !offline;
  }

  function lost(): void {
    if (offline) return;
    offline = true;
    later();
    changed();
  }

  // The answer to a probe does not reset the failures: if only the real requests fail, they should become
  // rarer too.
  function reached(forget: boolean): void {
    if (forget) failures = 0;
    if (!offline) return;
    offline = false;
    cancel();
    changed();
  }

  function later(): void {
    cancel();
    if (closed) return;
    failures += 1;
    cancel = env.after(backoff(failures, env.random()), () => void probe());
  }

  return {
    base,
    get offline() {
      return offline;
    },
    send,
    sendBriefly,
    probe,
    close: () => {
      closed = true;
      cancel();
    },
  };
}

const HEALTH = '/api/health';

// Without a slash at the end, so that an appended path cannot name another host.
function addressed(api: string, origin: string): string {
  const base = (api || origin).replace(/\/+$/, '');
  // A server renders the page without an origin; it is logged out, and asks nothing.
  if (api === '' && origin === '') return '';
  if (!/^https?:\/\/[^/]+/.test(base)) throw new TypeError(`api is '' or begins with http:// or https://: ${api}`);
  return base;
}

// Whether a proxy without a server behind it answered; lictor's own refusals are JSON.
function noServerBehind({ status, headers }: Response): boolean {
  return [502, 503, 504].includes(status) && !headers.get('Content-Type')?.startsWith('application/json');
}
