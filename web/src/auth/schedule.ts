// Owns when a token should be exchanged and how long to wait after a failure: arithmetic alone.
//
// The two clocks may differ by hours, so no time of the server's is ever compared with ours. What
// is kept is the difference between them (`offset`), measured when a token was issued: its `iat`
// is what the server's clock said then.

import type { Claims } from './types.js';

/** A token is exchanged so long before its end, or a quarter of its life if that is less. The server takes it from 60 s before. */
export const LEAD_MS = 45_000;
/** Even if nothing is due, the plan is looked at so often: timers stand still while a laptop sleeps. */
export const LOOK_MS = 60_000;
/** Between two attempts nobody asked for. */
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

/** From here on, by our clock, the server takes it no more. `exp` is inclusive. */
export function expiry({ claims, offset }: Timed): number {
  return (claims.exp + 1) * 1000 - offset;
}

/** From here on, by our clock, it should be exchanged. */
export function due(timed: Timed): number {
  const { exp, iat, rf_exp } = timed.claims;
  // The next one would end at the same time: the session does.
  if (exp >= rf_exp) return expiry(timed);
  const lead = Math.min(LEAD_MS, ((exp - iat) * 1000) / 4);
  return exp * 1000 - timed.offset - lead;
}

/**
 * The wait after so many failures in a row. The first ones fall within the 30 s in which the
 * server gives the same answer again, in case it was only the answer that was lost.
 */
export function backoff(failures: number, random: number): number {
  return grown(FIRST_RETRY_MS, LAST_RETRY_MS, failures) * (0.75 + random / 2);
}

/** The wait after the server said so many times in a row that the token is still good, though by our reckoning it is not. */
export function earlyBackoff(times: number): number {
  return grown(FIRST_EARLY_MS, LAST_EARLY_MS, times);
}

function grown(first: number, last: number, times: number): number {
  return Math.min(last, first * 2 ** Math.min(times - 1, 30));
}
