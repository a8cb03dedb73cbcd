// Owns an adapter: fetch with the token, for openapi-fetch and other libraries that take a fetch. Uses the
// public interface of Auth alone.

import { unlessAborted } from './abort.js';
import { ApiError, refusal } from './errors.js';
import { reachOf, type AdapterOptions } from './reach.js';
import type { Auth } from './types.js';

export type { AdapterOptions };

type Fetch = (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>;

export interface AuthFetchOptions extends AdapterOptions {
  /** Sends the requests. Default: the browser's fetch. */
  readonly fetch?: Fetch;
}

/**
 * A function like fetch that adds the token to requests to lictor, refreshes it if it has expired, and then
 * makes a second attempt. Resolves for every status. Requests to other origins, and those with an
 * `Authorization` of their own, are sent as they are. `createClient<paths>({ baseUrl: auth.api, fetch: authFetch(auth) })`
 */
export function authFetch(auth: Auth, options: AuthFetchOptions = {}): Fetch {
  const reach = reachOf(auth, options);
  const send: Fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));

  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    // What is sent is what was checked: a URL object may change during a refresh, and another page's Request
    // is no instance of ours.
    const target = input instanceof Request ? input : url;
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
    if (!reach.gets(url) || headers.has('Authorization')) return send(input, init);
    const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined);

    let token;
    try {
      token = await unlessAborted(signal, auth.token());
    } catch (error) {
      signal?.throwIfAborted();
      // A 200 that has no token, as from the login page of a network, must not look like the answer.
      if (error instanceof ApiError && error.status >= 400) return answerOf(error);
      throw error;
    }
    signal?.throwIfAborted();
    if (token === null) return attempt(target);
    // The first attempt consumes a body that is a stream, as that of every Request is.
    const spare = init?.body instanceof ReadableStream ? null : target instanceof Request ? target.clone() : target;
    const response = await attempt(target, token);
    const next = await unlessAborted(signal, after(response, token, url));
    if (next === null || spare === null) return response;
    signal?.throwIfAborted();
    await response.body?.cancel();
    const again = await attempt(spare, next);
    // A second refusal for the same reason needs no other refresh.
    if (await nameOf(again) !== 'ExpiredAccessError') await after(again, next, url);
    return again;

    async function attempt(to: Request | string, bearer?: string): Promise<Response> {
      if (bearer !== undefined) headers.set('Authorization', `Bearer ${bearer}`);
      try {
        return await send(to, { ...init, headers });
      } catch (error) {
        // Finds out whether the server can be reached, for `state.offline`.
        if (!signal?.aborted && reach.isLictor(url)) void auth.retry();
        throw error;
      }
    }
  };

  // The token for a second attempt, or null. If the refresh fails, the first refusal is the answer.
  async function after(response: Response, token: string, url: string): Promise<string | null> {
    const name = reach.isLictor(url) ? await nameOf(response) : null;
    return name === null ? null : auth.refused(token, name).catch(() => null);
  }
}

// The name of lictor's error; the body can still be read afterwards.
async function nameOf(response: Response): Promise<string | null> {
  if (response.status !== 401 && response.status !== 403) return null;
  return (await refusal(response.clone())).error;
}

// The refusal of the refresh, as the server gave it.
function answerOf({ error, status, message, retryAfter }: ApiError): Response {
  const headers = new Headers({ 'Content-Type': 'application/json' });
  if (retryAfter !== null) headers.set('Retry-After', String(retryAfter));
  return new Response(JSON.stringify({ error, message, status_code: status }), { status, headers });
}
