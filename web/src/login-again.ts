// Owns the fresh login that the server requires for some requests: whether the user is being asked for
// one, and its outcome. Knows nothing of the dialog.

import { useSyncExternalStore } from 'react';

const listeners = new Set<() => void>();
let waiting: ((done: boolean) => void)[] = [];
let successes = 0;

// Resolves to whether the user has logged in again. One login serves all waiting requests.
export function freshLogin(): Promise<boolean> {
  return new Promise(done => change([...waiting, done]));
}

export function settleFreshLogin(done: boolean) {
  const settled = waiting;
  if (done) successes += 1;
  change([]);
  for (const settle of settled) settle(done);
}

export function useFreshLoginAsked(): boolean {
  return useSyncExternalStore(subscribe, () => waiting.length > 0);
}

// A number that changes with each fresh login, because the list of sessions has changed.
export function useFreshLogins(): number {
  return useSyncExternalStore(subscribe, () => successes);
}

function change(next: typeof waiting) {
  waiting = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
