// Owns the one session of this app, and the calls that go with it: what was answered, or a
// Problem. Where the token is kept and how it is renewed is src/auth's.

import { asProblem } from './api/problem';
import { createAuth } from './auth/index';
import { useAuth } from './auth/react';
import { connection } from './connection';

export const auth = createAuth();

export function useSession() {
  return useAuth(auth);
}

// Waits for an answer of the server, and reports whether it could be reached.
export async function answered<T>(asking: Promise<T>): Promise<T> {
  try {
    const answer = await asking;
    connection.found();
    return answer;
  } catch (thrown) {
    const problem = asProblem(thrown);
    if (problem.code === 'Offline') connection.lost();
    else connection.found();
    throw problem;
  }
}

export function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  return answered(auth.call<T>(method, path, body));
}

// The same as the bearer of a mailed token, or of none (`false`).
export function callWith<T>(token: string | false, method: string, path: string, body?: unknown): Promise<T> {
  return answered(auth.call<T>(method, path, body, { token }));
}
