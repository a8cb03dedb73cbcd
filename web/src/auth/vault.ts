// Owns the storage of the token, and telling other tabs of a session about changes. Knows nothing of
// requests or of when a token expires.
//
// A remembered session is in localStorage and belongs to all tabs. Any other is in the sessionStorage of
// each tab that has it, so that it ends with the browser. A tab with a record of its own, even "logged
// out", ignores the shared one. A new tab without a session asks the others by a BroadcastChannel, which
// only pages of this origin hear, and copies the record of the first that answers. A duplicated tab begins
// with a copy. Tabs with the same session tell each other about changes, including a new session of the
// same user, which a changed password begins.
//
// README.md says why the token is where scripts can read it, and which risk that is.

import { readClaims } from './claims.js';
import type { Environment } from './environment.js';
import { parsed } from './errors.js';
import type { Timed } from './schedule.js';
import { sturdy } from './storage.js';
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
  /** Whether the record is in localStorage, or would be. */
  remembers(): boolean;
  close(): void;
}

/** For this long, a new tab takes the session of another tab. Later, its user may have begun to type. */
export const ASK_MS = 1_000;

const REASONS: readonly string[] = ['user', 'expired', 'revoked', 'deactivated', 'deleted', 'invalid'] satisfies LogOutReason[];

export function createVault(env: Environment, key: string, changed: () => void): Vault {
  const own = sturdy(env.session);
  const shared = sturdy(env.local);
  const twins = env.channel(key, hearTwin);
  const endStorage = env.onStorage(hearStorage);

  // The session in localStorage, as this tab last saw it.
  let known = sessionOf(shared.getItem(key));

  // Caches the last record: parsing is frequent, and the same text should give the same object.
  let last: { text: string | null; kept: Kept } = { text: null, kept: null };

  let asking = isWithout();
  const stopAsking = env.after(ASK_MS, () => (asking = false));
  if (asking) twins?.post({ ask: true });

  // Whether this tab has neither a record of its own nor a session that belongs to all tabs.
  function isWithout(): boolean {
    return own.getItem(key) === null && sessionOf(shared.getItem(key)) === null;
  }

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
      known = sessionOf(text);
    } else {
      own.setItem(key, text);
      const session = sessionOf(before);
      if (session !== null) twins?.post({ session, text });
    }
  }

  function hearTwin(message: unknown): void {
    const { ask, gift, session, text } = (message ?? {}) as Record<string, unknown>;
    if (ask === true) return give();
    if (typeof gift === 'string') return take(gift);
    if (typeof text !== 'string' || typeof session !== 'string' || session !== sessionOf(own.getItem(key))) return;
    if (userOf(text) === userOf(own.getItem(key)) || isOut(decode(text))) {
      own.setItem(key, text);
      changed();
    }
  }

  function give(): void {
    const text = own.getItem(key);
    if (sessionOf(text) !== null) twins?.post({ gift: text });
  }

  function take(text: string): void {
    if (!asking || !isWithout() || sessionOf(text) === null) return;
    asking = false;
    own.setItem(key, text);
    changed();
  }

  function hearStorage(which: string | null): void {
    if (which !== null && which !== key) return;
    const before = known;
    known = sessionOf(shared.getItem(key));
    // After a login for all tabs, tabs with an own "logged out" record join it, but not after a refresh.
    if (isOut(decode(own.getItem(key))) && known !== null && known !== before) own.removeItem(key);
    changed();
  }

  return {
    read,
    write: (token, offset, remember = own.getItem(key) === null) => put(JSON.stringify({ token, offset }), remember),
    end: out => put(JSON.stringify({ out }), own.getItem(key) === null),
    remembers: () => own.getItem(key) === null,
    close: () => {
      stopAsking();
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
