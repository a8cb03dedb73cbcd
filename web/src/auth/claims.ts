// Owns reading the payload of a token. Only the server can check the signature, so the claims prove
// nothing here; they are for planning refreshes and for display.

import { parsed } from './errors.js';
import type { Claims } from './types.js';

/** The claims, or null if the text is not a token of lictor. */
export function readClaims(token: string): Claims | null {
  const payload = decoded(token.split('.')[1] ?? '');
  if (typeof payload !== 'object' || payload === null) return null;
  const { id, jti, iat, exp, rf_exp, rls } = payload as Record<string, unknown>;
  if (typeof jti !== 'string' || (typeof rls !== 'string' && rls !== undefined)) return null;
  if (![id, iat, exp, rf_exp].every(Number.isFinite)) return null;
  return Object.freeze({ id, jti, iat, exp, rf_exp, rls: rls ?? '' }) as Claims;
}

/** The roles of the claim, which joins them with commas; none for an empty claim. */
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
