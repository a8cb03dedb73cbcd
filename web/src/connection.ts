// Owns whether the server can be reached. Calls report it; while it is lost this asks again,
// first quickly, then every 15 seconds, and at once when the browser says it is online.

import { useSyncExternalStore } from 'react';

const DELAYS = [1, 2, 4, 8, 15];

let isLost = false;
let attempts = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

export const connection = {
  lost() {
    if (isLost) return;
    set(true);
    attempts = 0;
    later();
  },
  found() {
    if (!isLost) return;
    clearTimeout(timer);
    set(false);
  },
  // Ends when the server can be reached.
  back(): Promise<void> {
    if (!isLost) return Promise.resolve();
    return new Promise(done => {
      const stop = subscribe(() => {
        if (isLost) return;
        stop();
        done();
      });
    });
  },
};

export function useConnectionLost(): boolean {
  return useSyncExternalStore(subscribe, () => isLost);
}

function later() {
  const delay = DELAYS[Math.min(attempts++, DELAYS.length - 1)] ?? 15;
  timer = setTimeout(ask, delay * 1000);
}

async function ask() {
  clearTimeout(timer);
  try {
    await fetch('/api/health', { cache: 'no-store' });
    connection.found();
  } catch {
    later();
  }
}

function set(value: boolean) {
  isLost = value;
  for (const listener of [...listeners]) listener();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

addEventListener('online', () => {
  if (isLost) void ask();
});
