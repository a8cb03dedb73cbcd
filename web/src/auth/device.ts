// Owns the device secret: by it the server counts the failed logins of this browser apart from
// those of strangers. It is worth nothing else, so it outlives a logout. Knows nothing of tokens.
//
// The server answers a list, a value for each account that has logged in here. Which value is
// whose is kept beside it, so that deleting an account takes away its value alone.

import type { Area } from './environment.js';
import { parsed } from './errors.js';

/** A value, and the number of the user that it is of. */
type Value = readonly [value: string, user: number];

const SEPARATOR = '.';

export interface Device {
  /** What to send with a login; empty if there is nothing yet. */
  read(): string;
  /** Stores what the server answered to a login of `user`. */
  write(list: string | undefined, user: number): void;
  /** Deletes the value of an account that is gone. */
  remove(user: number): void;
}

export function createDevice(area: Area, key: string): Device {
  const values = () => decode(area.getItem(key));

  function put(kept: readonly Value[]): void {
    if (kept.length > 0) area.setItem(key, JSON.stringify(kept));
    else area.removeItem(key);
  }

  function write(list: string | undefined, user: number): void {
    // Not every answer has one: a server of an older version.
    if (list === undefined) return;
    const owners = new Map(values());
    const answered = list.split(SEPARATOR).filter(value => value !== '');
    // What is new in it is of whoever has just logged in.
    put(answered.map(value => [value, owners.get(value) ?? user]));
  }

  return {
    read: () => values().map(([value]) => value).join(SEPARATOR),
    write,
    remove: user => put(values().filter(([, owner]) => owner !== user)),
  };
}

// What is there may be somebody else's: whatever is odd is nothing.
function decode(text: string | null): Value[] {
  const kept = text === null ? null : parsed(text);
  return Array.isArray(kept) ? kept.filter(isValue) : [];
}

function isValue(of: unknown): of is Value {
  return Array.isArray(of) && of.length === 2 && typeof of[0] === 'string' && of[0] !== '' && Number.isFinite(of[1]);
}
