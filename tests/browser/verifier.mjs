// What a service checks that verifies lictor's tokens with its public keys, here with jose.
//
// An example to copy, for lictor with `--jwt-algorithm EdDSA`:
//
//   const keys = createRemoteJWKSet(new URL('https://login.example.org/.well-known/jwks.json'));
//   const claims = await verified(keys, token);
//
// Such a service does not hear that somebody logged out. Keep lictor's `--access-lifespan`
// short, or ask `GET /api/verify` instead.

import { jwtVerify } from 'jose';

// The claims of an access token. Rejects if it is none, or not good now.
export async function verified(keys, token) {
  const { payload } = await jwtVerify(token, keys, {
    algorithms: ['EdDSA'], // never what the token says
    typ: 'JWT',
    requiredClaims: ['exp', 'jti', 'id'],
  });
  if ('is_ert' in payload || 'is_prt' in payload) throw new Error('the token of a mailed link');
  return payload;
}
