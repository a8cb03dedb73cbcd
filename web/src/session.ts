// Owns the one session of this app, and the calls that go with it: what was answered, or a
// Problem. Where the server wants a fresh login first, it is asked for here. Where the token is
// kept, how it is renewed, and asking again until a lost server is back, is src/auth's.

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

// As whoever is logged in; `ask` is called again after a fresh login.
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

// The same as the bearer of a mailed token, or of none (`false`).
export function callWith<T>(token: string | false, method: string, path: string, body?: unknown): Promise<T> {
  return answered(auth.call<T>(method, path, body, { token }));
}

// Ends when the server can be reached.
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
