// Owns the message about what was done, on the page that comes next: "You are logged out." It stays
// until the navigation after that.

import { useSyncExternalStore } from 'react';
import { useLanguage, type Fill, type Key } from './i18n';
import { onNavigation } from './router';
import { Said } from './ui/notice';

// A navigation within this time belongs to what was done, and keeps the message.
const SAME_ACTION_MS = 1_000;

interface Message {
  key: Key;
  fill: Fill | undefined;
  at: number;
}

const listeners = new Set<() => void>();
let message: Message | null = null;

onNavigation(() => {
  if (message && Date.now() - message.at > SAME_ACTION_MS) change(null);
});

// Says it on the next page, or on this one if no navigation follows.
export function say(key: Key, fill?: Fill) {
  change({ key, fill, at: Date.now() });
}

// The region for the message; the frame has it above each page.
export function SaidBefore() {
  const { t } = useLanguage();
  const said = useSyncExternalStore(subscribe, () => message);
  return <div className="said"><Said>{said && t(said.key, said.fill)}</Said></div>;
}

function change(next: Message | null) {
  message = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
