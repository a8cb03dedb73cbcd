// Owns how a token's payload is read. The signature is the server's business: nothing here is
// proof of anything, it is for planning and for show.

import { parsed } from './errors.js';
import type { Claims } from './types.js';

/** The claims, or null if this is no token of lictor's. */
export function readClaims(token: string): Claims | null {
  const payload = decoded(token.split('.')[1] ?? '');
  if (typeof payload !== 'object' || payload === null) return null;
  const { id, jti, iat, exp, rf_exp, rls } = payload as Record<string, unknown>;
  if (typeof jti !== 'string' || (typeof rls !== 'string' && rls !== undefined)) return null;
  if (![id, iat, exp, rf_exp].every(Number.isFinite)) return null;
  return Object.freeze({ id, jti, iat, exp, rf_exp, rls: rls ?? '' }) as Claims;
}

/** Flask joins roles with commas; an empty claim is no role. */
export function readRoles(claims: Claims): readonly string[] {
  return Object.freeze(claims.rls.split(',').filter(role => role !== ''));
}

function decoded(part: string): unknown {
  try {
    const bytes = atob(part.replace(/-/g, '+').replace(/_/g, '/'));
    return parsed(new TextDecoder().decode(Uint8Array.from(bytes, c => c.charCodeAt(0))));
  } catch {
    return undefined;
  }
}
