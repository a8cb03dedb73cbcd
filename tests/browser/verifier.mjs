// How a service verifies lictor's tokens with its public keys, here with jose.
//
// An example to copy, for lictor with `--jwt-algorithm EdDSA`:
//
//   const keys = createRemoteJWKSet(new URL('https://login.example.org/.well-known/jwks.json'));
//   const claims = await verified(keys, token);
//
// Such a service does not learn of logouts. Keep lictor's `--access-lifespan` short, or call
// `GET /api/verify` instead.

import { jwtVerify } from 'jose';

// The claims of a valid access token; rejects any other text.
export async function verified(keys, token) {
  const { payload } = await jwtVerify(token, keys, {
    algorithms: ['EdDSA'], // never the algorithm that the token names
    typ: 'JWT',
    requiredClaims: ['exp', 'jti', 'id'],
  });
  if ('is_ert' in payload || 'is_prt' in payload) throw new Error('the token of a mailed link');
  return payload;
}
