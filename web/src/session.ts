// Owns the one session of this app, and the calls with it, which resolve to the answer or reject with
// a Problem. Asks for a fresh login where the server requires one. src/auth stores and refreshes the
// token, and waits for a server that cannot be reached.

import { noteAccountChange } from './account-change';
import { asProblem } from './api/problem';
import { createAuth } from './auth/index';
import { useAuth } from './auth/react';
import { freshLogin } from './login-again';

export const auth = createAuth();

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
