// Owns what this browser knows of the checklist: what was ticked off, and whether it was put away.

import { safeStorage } from 'lictor-auth/storage';
import { useSyncExternalStore } from 'react';

const KEY = 'lictor.checklist';
const AWAY = 'away';

const kept = safeStorage('local');
const listeners = new Set<() => void>();
let ticked = stored();

// Reads the storage first: another tab may have ticked something meanwhile.
export function tick(name: string, on = true) {
  ticked = [...stored().filter(each => each !== name), ...(on ? [name] : [])];
  kept.setItem(KEY, ticked.join(' '));
  for (const listener of listeners) listener();
}

export function putAway(away: boolean) {
  tick(AWAY, away);
}

export function useTicked(): string[] {
  return useSyncExternalStore(subscribe, () => ticked);
}

export function useIsAway(): boolean {
  return useTicked().includes(AWAY);
}

function stored(): string[] {
  return (kept.getItem(KEY) ?? '').split(' ').filter(Boolean);
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
