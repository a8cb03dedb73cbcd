// Owns the device secret, by which the server counts failed logins of this browser apart from those of
// strangers. It allows nothing else, so it is kept after a logout. Knows nothing of tokens.
//
// The server answers a list with a value for each account that has logged in here. The user of each
// value is stored with it, so that deleting an account deletes only its value.

import { parsed } from './errors.js';
import type { Area } from './storage.js';

/** A value, and the id of its user. */
type Value = readonly [value: string, user: number];

const SEPARATOR = '.';

export interface Device {
  /** The list to send with a login; empty at first. */
  read(): string;
  /** Stores the list that the server answered to a login of `user`. */
  write(list: string | undefined, user: number): void;
  /** Deletes the value of a deleted account. */
  remove(user: number): void;
}

export function createDevice(area: Area, key: string): Device {
  const values = () => decode(area.getItem(key));

  function put(kept: readonly Value[]): void {
    if (kept.length > 0) area.setItem(key, JSON.stringify(kept));
    else area.removeItem(key);
  }

  function write(list: string | undefined, user: number): void {
    // Servers of older versions answer no list.
    if (list === undefined) return;
    const owners = new Map(values());
    const answered = list.split(SEPARATOR).filter(value => value !== '');
    // A new value belongs to the user who has just logged in.
    put(answered.map(value => [value, owners.get(value) ?? user]));
  }

  return {
    read: () => values().map(([value]) => value).join(SEPARATOR),
    write,
    remove: user => put(values().filter(([, owner]) => owner !== user)),
  };
}

// Other programs may have written to the storage: unknown data counts as nothing.
function decode(text: string | null): Value[] {
  const kept = text === null ? null : parsed(text);
  return Array.isArray(kept) ? kept.filter(isValue) : [];
}

function isValue(of: unknown): of is Value {
  return Array.isArray(of) && of.length === 2 && typeof of[0] === 'string' && of[0] !== '' && Number.isFinite(of[1]);
}
