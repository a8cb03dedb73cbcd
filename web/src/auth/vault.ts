// Owns the storage of the token, and telling other tabs of a session about changes. Knows nothing of
// requests or of when a token expires.
//
// A remembered session is in localStorage and belongs to all tabs. Any other is in the sessionStorage of
// its tab and belongs to that tab. A tab with a record of its own, even "logged out", ignores the shared
// one. A duplicated tab begins with a copy of the record, so both have the same session: they tell each
// other about changes by a BroadcastChannel, including a new session of the same user, which a changed
// password begins.
//
// README.md says why the token is where scripts can read it, and which risk that is.

import { readClaims } from './claims.js';
import type { Area, Environment } from './environment.js';
import { parsed } from './errors.js';
import type { Timed } from './schedule.js';
import type { LogOutReason } from './types.js';

/** A stored token. */
export interface Held extends Timed {
  readonly token: string;
}

/** The content of the storage: a token, the end of a session, or nothing. */
export type Kept = Held | { readonly out: LogOutReason } | null;

export interface Vault {
  read(): Kept;
  /** Without `remember`, the token is stored where the one that it replaces was. */
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

  // Caches the last record: parsing is frequent, and the same text should give the same object.
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
    // After a login for all tabs, tabs with an own "logged out" record join it.
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

// Other versions or other programs may have written to the storage: unknown data counts as nothing.
function decode(text: string | null): Kept {
  const { token, offset, out } = ((text && parsed(text)) || {}) as Record<string, unknown>;
  if (typeof out === 'string' && REASONS.includes(out)) return { out: out as LogOutReason };
  if (typeof token !== 'string' || !Number.isFinite(offset)) return null;
  const claims = readClaims(token);
  return claims && { token, offset: offset as number, claims };
}

// Storage that never throws. If it is missing, blocked or full, values are kept in memory, and the session
// lasts until the page is closed.
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
