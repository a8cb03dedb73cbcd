// Owns that the server wants a fresh login for what was asked of it: whether one is asked for at
// the moment, and how it ended. Knows nothing of the dialog that asks.

import { useSyncExternalStore } from 'react';

const listeners = new Set<() => void>();
let waiting: ((done: boolean) => void)[] = [];
let successes = 0;

// Resolves to whether the person has logged in again. One login is for all that wait for it.
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

// Another number after each fresh login: what there is to read of the sessions has changed.
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
