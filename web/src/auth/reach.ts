// Owns which URLs get the token: those of lictor, and of the origins that the app names. Knows nothing of
// how requests are sent.

import type { Auth } from './types.js';

export interface AdapterOptions {
  /** Other origins that get the token, e.g. services of yours that check it: 'https://api.example'. Default: none but lictor's. */
  readonly origins?: readonly string[];
}

export interface Reach {
  /** Whether a request to this URL gets the token. A relative URL counts from the page. */
  gets(url: string): boolean;
  /** Whether lictor answers it: only its refusals concern the session. */
  isLictor(url: string): boolean;
}

export function reachOf(auth: Auth, { origins = [] }: AdapterOptions): Reach {
  const lictor = originOf(auth.api);
  const all = new Set([lictor, ...origins.map(named)]);
  return {
    gets: url => {
      const origin = originOf(url);
      return origin !== null && all.has(origin);
    },
    isLictor: url => originOf(url) === lictor,
  };
}

// A list with a mistake would silently send no token, or to more than was meant.
function named(origin: string): string {
  if (!/^https?:\/\//.test(origin) || originOf(origin) !== origin) throw new TypeError(`not an origin like https://api.example: ${origin}`);
  return origin;
}

function originOf(url: string): string | null {
  try {
    const { protocol, origin } = new URL(url, globalThis.document?.baseURI ?? globalThis.location?.href);
    // Not `data:`, which has no origin, nor `blob:`, which has that of the page.
    return /^https?:$/.test(protocol) ? origin : null;
  } catch {
    return null;
  }
}
