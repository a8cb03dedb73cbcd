// Owns the session of this page: the token, its refreshes, and the end of the session. Knows nothing of
// the requests of the app.

import { readClaims } from './claims.js';
import type { Environment } from './environment.js';
import { ApiError, field, parsed, refusal } from './errors.js';
import type { Line } from './line.js';
import { backoff, due, earlyBackoff, expiry, GAP_MS, LOOK_MS, offsetAt } from './schedule.js';
import type { Turns } from './turns.js';
import type { LogOutReason } from './types.js';
import type { Held, Kept, Vault } from './vault.js';

/** The errors that end a session. No other error does, whatever its status. */
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

/** The refusals of a request that say nothing final: a refresh brings a token, or says what is the matter. */
const UNDECIDED: readonly string[] = ['ExpiredAccessError', 'InvalidTokenHeader'];
/** How the message of `InvalidTokenHeader` ends if the server's clock was set back: the token will be good again. */
export const FROM_THE_FUTURE = 'the token was issued in the future';

/** The token that a request carried. */
type Used = Pick<Held, 'token'>;
/** The name of the error with which the server refused it. */
type Named = Pick<ApiError, 'error'>;

export interface Session {
  readonly held: Held | null;
  readonly reason: LogOutReason | null;
  /** Without `remember`, the token is stored where the one that it replaces is. */
  begin(token: string, remember?: boolean): void;
  end(reason: LogOutReason): void;
  /** Adopts the changes of other tabs. */
  look(): Held | null;
  /** A token to send now, after a refresh if it has expired. Rejects if the refresh fails, or another user logs in during it. */
  ready(): Promise<Held | null>;
  /** Handles a refusal of the token `used`; resolves to the token for a second attempt, or null. */
  refused(used: Used, error: Named): Promise<Held | null>;
  /** Ends the session if the error is final and `used` is still its token. */
  judge(used: Used, error: Named): void;
  /** Checks the plan: time may have passed, or the server may be back. */
  wake(): void;
  close(): void;
}

export function createSession(env: Environment, line: Line, vault: Vault, turns: Turns, changed: () => void): Session {
  let held = heldIn(vault.read());
  // A reason that is in the storage already was shown by an earlier page.
  let reason: LogOutReason | null = null;
  let running: Promise<void> | null = null;
  let cancel = () => {};
  let closed = false;

  // The attempts to refresh the present token.
  let failures = 0;
  let early = 0;
  let notBefore = 0;
  let toldToWait: ApiError | null = null;

  function look(): Held | null {
    const kept = vault.read();
    const found = heldIn(kept);
    if (found?.token !== held?.token) turnTo(found, kept !== null && 'out' in kept ? kept.out : 'user');
    // The same token with a newly measured offset.
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
    if (held === null || closed) return;
    // While the server cannot be reached, the line probes it and calls `wake` when it is back.
    const wait = line.offline ? LOOK_MS : Math.max(due(held), notBefore) - env.now();
    cancel = env.after(Math.min(Math.max(wait, 0), LOOK_MS), wake);
  }

  function wake(): void {
    look();
    if (held !== null && !line.offline && env.now() >= Math.max(due(held), notBefore)) void refresh().catch(() => {});
    else plan();
  }

  // One refresh at a time in this tab too: concurrent callers share its outcome.
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
    // Another tab has refreshed the token in its turn.
    if (old === null || old.token !== asked) return;
    notBefore = env.now() + GAP_MS;
    let response;
    try {
      response = await line.sendBriefly('/api/refresh', { method: 'POST', body: old.token });
      // After a logout or another login meanwhile, this answer is out of date.
      if (look()?.token !== old.token) return;
      if (!response.ok) throw await refusal(response);
      store(field(parsed(await response.text()), 'access_token') ?? '');
    } catch (error) {
      // If another tab has refreshed the token meanwhile, this failure does not matter.
      if (look()?.token === old.token) failed(error, old, response);
    }
  }

  function failed(error: unknown, old: Held, response: Response | undefined): void {
    if (!(error instanceof ApiError)) throw error;
    if (error.error === 'EarlyRefreshError') return stillGood(old, response);
    const why = FINAL[error.error];
    if (why !== undefined && !error.message.endsWith(FROM_THE_FUTURE)) end(why);
    else {
      failures += 1;
      notBefore = env.now() + Math.max(backoff(failures, env.random()), (error.retryAfter ?? 0) * 1000);
      toldToWait = error;
    }
    throw error;
  }

  // The token should be due by our clock, so either the server allows no refresh before it expires, or a
  // clock has jumped. If the Date of the answer is readable (same origin), measure the offset again.
  function stillGood(old: Held, response: Response | undefined): void {
    failures = 0;
    toldToWait = null;
    const date = Date.parse(response?.headers.get('Date') ?? '');
    if (Number.isFinite(date)) vault.write(old.token, offsetAt(date / 1000, env.now()));
    const known = look() ?? old;
    const now = env.now();
    // With the new offset, the token is not due.
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
    // Not null: a request without a token may still bring the cookie of the other user.
    if (held !== null && held.claims.id !== found.claims.id) throw new ApiError('MissingToken', 401, 'Another user has logged in');
    return held;
  }

  async function refused(used: Used, error: Named): Promise<Held | null> {
    const isUndecided = UNDECIDED.includes(error.error);
    if (!isUndecided && FINAL[error.error] === undefined) return null;
    judge(used, error);
    if (isUndecided && look()?.token === used.token) {
      if (env.now() < notBefore && toldToWait !== null) throw toldToWait;
      await refresh();
    }
    // Never that of another user who has logged in meanwhile.
    const isSameUser = held?.claims.id === readClaims(used.token)?.id;
    return isSameUser && held?.token !== used.token ? held : null;
  }

  function judge(used: Used, error: Named): void {
    const why = UNDECIDED.includes(error.error) ? undefined : FINAL[error.error];
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
    close: () => {
      closed = true;
      cancel();
    },
  };
}

function heldIn(kept: Kept): Held | null {
  return kept !== null && 'token' in kept ? kept : null;
}
