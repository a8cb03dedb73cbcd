// Owns the time at which a token is refreshed, and the wait after a failure. Arithmetic alone.
//
// The two clocks may differ by hours, so a time of the server is never compared with ours directly. The
// difference (`offset`) is measured when a token is issued: its `iat` is the server's time then.

import type { Claims } from './types.js';

/** A token is refreshed this long before it expires, or a quarter of its lifespan if that is less. The server accepts a refresh from 60 s before. */
export const LEAD_MS = 45_000;
/** Longest timer: timers stop while a laptop sleeps, so the plan is checked at this interval. */
export const LOOK_MS = 60_000;
/** Least time between two automatic attempts. */
export const GAP_MS = 1_000;

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 60_000;
const FIRST_EARLY_MS = 5_000;
const LAST_EARLY_MS = 600_000;

export interface Timed {
  readonly claims: Claims;
  /** The server's clock minus ours, in milliseconds. */
  readonly offset: number;
}

export function offsetAt(serverSeconds: number, now: number): number {
  return serverSeconds * 1000 - now;
}

/** The time by our clock at which the token has expired. `exp` is inclusive. */
export function expiry({ claims, offset }: Timed): number {
  return (claims.exp + 1) * 1000 - offset;
}

/** The time by our clock from which the token should be refreshed. */
export function due(timed: Timed): number {
  const { exp, iat, rf_exp } = timed.claims;
  // The session ends at the same time, so a new token would last no longer.
  if (exp >= rf_exp) return expiry(timed);
  const lead = Math.min(LEAD_MS, ((exp - iat) * 1000) / 4);
  return exp * 1000 - timed.offset - lead;
}

/**
 * The wait after this number of consecutive failures. The first attempts fall within the 30 s in which
 * the server repeats its answer, in case only the answer was lost.
 */
export function backoff(failures: number, random: number): number {
  return grown(FIRST_RETRY_MS, LAST_RETRY_MS, failures) * (0.75 + random / 2);
}

/** The wait after this number of consecutive answers that the token has not expired, although it has by our clock. */
export function earlyBackoff(times: number): number {
  return grown(FIRST_EARLY_MS, LAST_EARLY_MS, times);
}

function grown(first: number, last: number, times: number): number {
  return Math.min(last, first * 2 ** Math.min(times - 1, 30));
}
