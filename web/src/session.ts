// Owns the one session of this app, and the calls with it, which resolve to the answer or reject with
// a Problem. Asks for a fresh login where the server requires one. lictor-auth stores and refreshes the
// token, and waits for a server that cannot be reached.

import { noteAccountChange } from './account-change';
import { asProblem } from './api/problem';
import { createAuth } from 'lictor-auth';
import { useAuth } from 'lictor-auth/react';
import { freshLogin } from './login-again';

export const auth = createAuth({ fetch: inLanguage });

// The first mails to a new account, and an invitation, are in the language of the page. The user may have
// chosen another one than the browser's.
function inLanguage(url: string, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers);
  if (init.method && init.method !== 'GET') headers.set('Accept-Language', document.documentElement.lang);
  return fetch(url, { ...init, headers });
}

// The session at the time when this page was loaded. A later one began here, and its user has just
// logged in.
export const sessionAtLoad = auth.state.claims?.jti;

export function useSession() {
  return useAuth(auth);
}

export function answered<T>(asking: Promise<T>): Promise<T> {
  return asking.catch((thrown: unknown) => {
    throw asProblem(thrown);
  });
}

// Calls `ask` with the session, and once more after a fresh login.
export async function asUser<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await answered(ask());
  } catch (thrown) {
    const problem = asProblem(thrown);
    noteAccountChange(problem.code);
    if (problem.code !== 'ReauthenticationRequired' || !(await freshLogin())) throw problem;
    return answered(ask());
  }
}

export function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  return asUser(() => auth.call<T>(method, path, body));
}

// A call with a mailed token, or without a token (`false`).
export function callWith<T>(token: string | false, method: string, path: string, body?: unknown): Promise<T> {
  return answered(auth.call<T>(method, path, body, { token }));
}

// Resolves when the server can be reached.
export function reachable(): Promise<void> {
  if (!auth.state.offline) return Promise.resolve();
  return new Promise(done => {
    const stop = auth.subscribe(() => {
      if (auth.state.offline) return;
      stop();
      done();
    });
  });
}
