// Owns the session of this page: the token held, when it is exchanged for the next one, and what
// ends it. Knows nothing of what an app asks the server for.

import { readClaims } from './claims.js';
import type { Environment } from './environment.js';
import { ApiError, field, parsed, refusal } from './errors.js';
import type { Line } from './line.js';
import { backoff, due, earlyBackoff, expiry, GAP_MS, LOOK_MS, offsetAt } from './schedule.js';
import type { Turns } from './turns.js';
import type { LogOutReason } from './types.js';
import type { Held, Kept, Vault } from './vault.js';

/** The refusals that end a session. All others, whatever their status, leave it as it is. */
const FINAL: Readonly<Record<string, LogOutReason>> = {
  ExpiredRefreshError: 'expired',
  BlacklistedError: 'revoked',
  InvalidUserError: 'deactivated',
  MissingUserError: 'deleted',
  InvalidTokenHeader: 'invalid',
  MissingClaimError: 'invalid',
  MisusedRegistrationToken: 'invalid',
  MisusedResetToken: 'invalid',
};

export interface Session {
  readonly held: Held | null;
  readonly reason: LogOutReason | null;
  /** `remember` left out: kept where the token is that this one replaces. */
  begin(token: string, remember?: boolean): void;
  end(reason: LogOutReason): void;
  /** Takes over what other tabs have done. */
  look(): Held | null;
  /** A token to send now, exchanged first if it must be. Rejects if that is not possible. */
  ready(): Promise<Held | null>;
  /** The server refused `used`: the token to try once more with, or null. */
  refused(used: Held, error: ApiError): Promise<Held | null>;
  /** The server refused `used`: ends the session if it says so, and if it is still that token's. */
  judge(used: Held, error: ApiError): void;
  /** Time may have passed, or the server be back. */
  wake(): void;
  close(): void;
}

export function createSession(env: Environment, line: Line, vault: Vault, turns: Turns, changed: () => void): Session {
  let held = heldIn(vault.read());
  // What an earlier page was told is no news for this one.
  let reason: LogOutReason | null = null;
  let running: Promise<void> | null = null;
  let cancel = () => {};

  // Of the token held: how it went so far.
  let failures = 0;
  let early = 0;
  let notBefore = 0;
  let toldToWait: ApiError | null = null;

  function look(): Held | null {
    const kept = vault.read();
    const found = heldIn(kept);
    if (found?.token !== held?.token) turnTo(found, kept !== null && 'out' in kept ? kept.out : 'user');
    // The same token, but the clocks were measured anew.
    else if (found !== null && held !== null && found.offset !== held.offset) {
      held = { ...held, offset: found.offset };
      plan();
    }
    return held;
  }

  function turnTo(next: Held | null, why: LogOutReason): void {
    held = next;
    reason = next === null ? why : null;
    failures = early = notBefore = 0;
    toldToWait = null;
    plan();
    changed();
  }

  function store(token: string, remember?: boolean): void {
    const claims = readClaims(token);
    if (claims === null) throw new ApiError('HttpError', 200, 'The answer holds no token');
    vault.write(token, offsetAt(claims.iat, env.now()), remember);
    look();
  }

  function end(why: LogOutReason): void {
    vault.end(why);
    look();
  }

  function plan(): void {
    cancel();
    if (held === null) return;
    // While the server cannot be reached, the line asks whether it is back, and wakes us then.
    const wait = line.offline ? LOOK_MS : Math.max(due(held), notBefore) - env.now();
    cancel = env.after(Math.min(Math.max(wait, 0), LOOK_MS), wake);
  }

  function wake(): void {
    look();
    if (held !== null && !line.offline && env.now() >= Math.max(due(held), notBefore)) void refresh().catch(() => {});
    else plan();
  }

  // One at a time in this tab as well: whoever comes while it runs gets the same outcome.
  function refresh(): Promise<void> {
    const asked = held?.token;
    running ??= turns(() => exchange(asked)).finally(() => {
      running = null;
      plan();
    });
    return running;
  }

  async function exchange(asked: string | undefined): Promise<void> {
    const old = look();
    // Another tab had its turn first.
    if (old === null || old.token !== asked) return;
    notBefore = env.now() + GAP_MS;
    let response;
    try {
      response = await line.sendBriefly('/api/refresh', { method: 'POST', body: old.token });
      // Logged out meanwhile, or somebody else logged in: this answer is about the past.
      if (look()?.token !== old.token) return;
      if (!response.ok) throw await refusal(response);
      store(field(parsed(await response.text()), 'access_token') ?? '');
    } catch (error) {
      // A replayed or lost exchange may have been another tab's success meanwhile.
      if (look()?.token === old.token) failed(error, old, response);
    }
  }

  function failed(error: unknown, old: Held, response: Response | undefined): void {
    if (!(error instanceof ApiError)) throw error;
    if (error.error === 'EarlyRefreshError') return stillGood(old, response);
    const why = FINAL[error.error];
    if (why !== undefined) end(why);
    else {
      failures += 1;
      notBefore = env.now() + Math.max(backoff(failures, env.random()), (error.retryAfter ?? 0) * 1000);
      toldToWait = error;
    }
    throw error;
  }

  // By our reckoning it is not, so either the server allows no refresh before the end, or a clock
  // has jumped. Where the answer tells the server's time (from the same origin), reckon anew.
  function stillGood(old: Held, response: Response | undefined): void {
    const date = Date.parse(response?.headers.get('Date') ?? '');
    if (Number.isFinite(date)) vault.write(old.token, offsetAt(date / 1000, env.now()));
    const known = look() ?? old;
    const now = env.now();
    // With the clocks measured anew there was no reason to ask.
    early = now < due(known) ? 0 : early + 1;
    notBefore = now < expiry(known) ? Math.max(now + GAP_MS, early === 0 ? 0 : expiry(known)) : now + earlyBackoff(early);
  }

  async function ready(): Promise<Held | null> {
    const found = look();
    const now = env.now();
    if (found === null || now < due(found)) return found;
    if (now < notBefore && early > 0) return found;
    if (now < expiry(found)) {
      if (now >= notBefore) void refresh().catch(() => {});
      return found;
    }
    if (now < notBefore && toldToWait !== null) throw toldToWait;
    await refresh();
    return held;
  }

  async function refused(used: Held, error: ApiError): Promise<Held | null> {
    const isExpired = error.error === 'ExpiredAccessError';
    if (!isExpired && FINAL[error.error] === undefined) return null;
    judge(used, error);
    if (isExpired && look()?.token === used.token) {
      if (env.now() < notBefore && toldToWait !== null) throw toldToWait;
      await refresh();
    }
    return held?.token === used.token ? null : held;
  }

  function judge(used: Held, error: ApiError): void {
    const why = FINAL[error.error];
    if (why !== undefined && look()?.token === used.token) end(why);
  }

  plan();
  return {
    get held() {
      return held;
    },
    get reason() {
      return reason;
    },
    begin: (token, remember) => store(token, remember),
    end,
    look,
    ready,
    refused,
    judge,
    wake,
    close: () => cancel(),
  };
}

function heldIn(kept: Kept): Held | null {
  return kept !== null && 'token' in kept ? kept : null;
}
