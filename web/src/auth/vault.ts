// Owns where the token is kept, and that the tabs which share a session hear of each change.
// Knows nothing of requests or of when a token ends.
//
// A remembered session lies in localStorage and is that of all tabs; one that is not lies in the
// sessionStorage of its tab and is that tab's own. A tab with an own record, even one that says
// "logged out", does not look at the shared one. A duplicated tab begins with a copy of its own
// record, the same session: those tell each other by a BroadcastChannel, also when another
// session of the same user follows (a changed password begins one).
//
// Why a token is where scripts can read it, and what that is worth, stands in README.md.

import { readClaims } from './claims.js';
import type { Area, Environment } from './environment.js';
import { parsed } from './errors.js';
import type { Timed } from './schedule.js';
import type { LogOutReason } from './types.js';

/** A token that is held. */
export interface Held extends Timed {
  readonly token: string;
}

/** What storage says: a token, that the session has ended, or nothing. */
export type Kept = Held | { readonly out: LogOutReason } | null;

export interface Vault {
  read(): Kept;
  /** `remember` left out: where the token was that this one replaces. */
  write(token: string, offset: number, remember?: boolean): void;
  end(reason: LogOutReason): void;
  close(): void;
}

const REASONS: readonly string[] = ['user', 'expired', 'revoked', 'deactivated', 'deleted', 'invalid'] satisfies LogOutReason[];

export function createVault(env: Environment, key: string, changed: () => void): Vault {
  const own = sturdy(env.session);
  const shared = sturdy(env.local);
  const twins = env.channel(key, hearTwin);
  const endStorage = env.onStorage(hearStorage);

  // Parsing is cheap but frequent, and the same text should be the same object.
  let last: { text: string | null; kept: Kept } = { text: null, kept: null };

  function read(): Kept {
    const text = own.getItem(key) ?? shared.getItem(key);
    if (text !== last.text) last = { text, kept: decode(text) };
    return last.kept;
  }

  function put(text: string, remember: boolean): void {
    const before = own.getItem(key);
    if (remember) {
      own.removeItem(key);
      shared.setItem(key, text);
    } else {
      own.setItem(key, text);
      const session = sessionOf(before);
      if (session !== null) twins?.post({ session, text });
    }
  }

  function hearTwin(message: unknown): void {
    const { session, text } = (message ?? {}) as { session?: unknown; text?: unknown };
    if (typeof text !== 'string' || typeof session !== 'string' || session !== sessionOf(own.getItem(key))) return;
    if (userOf(text) === userOf(own.getItem(key)) || isOut(decode(text))) {
      own.setItem(key, text);
      changed();
    }
  }

  function hearStorage(which: string | null): void {
    if (which !== null && which !== key) return;
    // Somebody has logged in, for all tabs: those that had logged out by themselves join.
    if (isOut(decode(own.getItem(key))) && sessionOf(shared.getItem(key)) !== null) own.removeItem(key);
    changed();
  }

  return {
    read,
    write: (token, offset, remember = own.getItem(key) === null) => put(JSON.stringify({ token, offset }), remember),
    end: out => put(JSON.stringify({ out }), own.getItem(key) === null),
    close: () => {
      twins?.close();
      endStorage();
    },
  };
}

function sessionOf(text: string | null): string | null {
  const kept = decode(text);
  return kept !== null && 'token' in kept ? kept.claims.jti : null;
}

function userOf(text: string | null): number | null {
  const kept = decode(text);
  return kept !== null && 'token' in kept ? kept.claims.id : null;
}

function isOut(kept: Kept): boolean {
  return kept !== null && 'out' in kept;
}

// What is there may be older than this code, or somebody else's: whatever is odd is nothing.
function decode(text: string | null): Kept {
  const { token, offset, out } = ((text && parsed(text)) || {}) as Record<string, unknown>;
  if (typeof out === 'string' && REASONS.includes(out)) return { out: out as LogOutReason };
  if (typeof token !== 'string' || !Number.isFinite(offset)) return null;
  const claims = readClaims(token);
  return claims && { token, offset: offset as number, claims };
}

// Storage may be missing, blocked or full. What it does not take is kept in memory: the session
// then lasts as long as the page.
export function sturdy(area: Area | null): Area {
  const kept = new Map<string, string | null>();
  const attempt = <T>(use: (area: Area) => T): T | undefined => {
    try {
      return area === null ? undefined : use(area);
    } catch {
      return undefined;
    }
  };
  const put = (key: string, value: string | null) => {
    const done = attempt(area => (value === null ? area.removeItem(key) : area.setItem(key, value), true));
    done ? kept.delete(key) : kept.set(key, value);
  };
  return {
    getItem: key => (kept.has(key) ? kept.get(key)! : (attempt(area => area.getItem(key)) ?? null)),
    setItem: (key, value) => put(key, value),
    removeItem: key => put(key, null),
  };
}
