// Owns the way to the server: the address, whether it can be reached, and asking again until it
// can. Knows nothing of sessions.

import type { Environment } from './environment.js';
import { NetworkError } from './errors.js';
import { backoff } from './schedule.js';

/** For requests of our own. Well below the server's 30 s, in which a lost answer can be asked for again. */
export const TIME_LIMIT_MS = 10_000;

export interface Line {
  readonly offline: boolean;
  /** Resolves to whatever the server answers; rejects with NetworkError, or what `init.signal` was aborted with. */
  send(path: string, init: RequestInit): Promise<Response>;
  /** The same with our time limit. */
  sendBriefly(path: string, init: RequestInit): Promise<Response>;
  /** Asks now whether the server is there. */
  probe(): Promise<boolean>;
  close(): void;
}

export function createLine(env: Environment, api: string, changed: () => void): Line {
  const base = addressed(api, env.origin);
  let offline = false;
  let failures = 0;
  let cancel = () => {};
  let probing: Promise<boolean> | null = null;

  async function send(path: string, init: RequestInit): Promise<Response> {
    if (!path.startsWith('/')) throw new TypeError(`a path begins with '/': ${path}`);
    let response;
    try {
      response = await env.fetch(base + path, init);
    } catch (error) {
      init.signal?.throwIfAborted();
      lost();
      throw new NetworkError(error);
    }
    nobodyBehind(response) ? lost() : reached(true);
    return response;
  }

  async function sendBriefly(path: string, init: RequestInit): Promise<Response> {
    const limit = new AbortController();
    const stop = env.after(TIME_LIMIT_MS, () => limit.abort());
    try {
      // The body counts as well: it is read here, so that it cannot take for ever either.
      const response = await env.fetch(base + path, { ...init, signal: limit.signal });
      const body = await response.arrayBuffer();
      nobodyBehind(response) ? lost() : reached(path !== HEALTH);
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
      // Told by `offline`.
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

  // An answer to the question alone does not forget the failures: if it is only the real requests
  // that fail, they are to become rarer all the same.
  function reached(forget: boolean): void {
    if (forget) failures = 0;
    if (!offline) return;
    offline = false;
    cancel();
    changed();
  }

  function later(): void {
    cancel();
    failures += 1;
    cancel = env.after(backoff(failures, env.random()), () => void probe());
  }

  return {
    get offline() {
      return offline;
    },
    send,
    sendBriefly,
    probe,
    close: () => cancel(),
  };
}

const HEALTH = '/api/health';

// So that nothing that is appended can name another host.
function addressed(api: string, origin: string): string {
  const base = (api || origin).replace(/\/+$/, '');
  if (!/^https?:\/\/[^/]+/.test(base)) throw new TypeError(`api is '' or begins with http:// or https://: ${api}`);
  return base;
}

// A proxy that finds no server answers in its place; lictor's own refusals are JSON.
function nobodyBehind({ status, headers }: Response): boolean {
  return [502, 503, 504].includes(status) && !headers.get('Content-Type')?.startsWith('application/json');
}
