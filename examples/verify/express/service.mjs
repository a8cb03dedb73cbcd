// A service that checks lictor's tokens with its public keys.

import express from 'express';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';

const { LICTOR = 'http://127.0.0.1:5000', AUDIENCE, JWKS_PAUSE = '30', PORT = '8003' } = process.env;

// Fetches the keys again for an unknown key id, since a new key signs at once; but after a success not
// for a while, since anybody can send unknown ids. One fetch serves all who ask meanwhile.
const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', LICTOR), {
  cooldownDuration: Number(JWKS_PAUSE) * 1000,
  cacheMaxAge: 300_000,
  timeoutDuration: 5_000,
});

const LOST = ['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC'];

// jose takes the only key for a token that names none; lictor's tokens name theirs.
function named(header, jws) {
  if (!header.kid) throw new errors.JWTInvalid('the token names no key');
  return keys(header, jws);
}

// The claims of a valid access token; rejects any other text.
async function verified(token) {
  const { payload } = await jwtVerify(token, named, {
    algorithms: ['EdDSA'], // never the algorithm that the token names
    typ: 'JWT',
    requiredClaims: ['exp', 'jti', 'id'],
    ...(AUDIENCE ? { audience: AUDIENCE } : {}), // one of lictor's --audience
  });
  // Without an audience of its own, the service takes no token that is for somebody else.
  if (!AUDIENCE && 'aud' in payload) throw new errors.JWTInvalid('the token is for another audience');
  if ('is_ert' in payload || 'is_prt' in payload) throw new errors.JWTInvalid('the token of a mail');
  return payload;
}

async function user(request, response, next) {
  const [, token = ''] = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  try {
    response.locals.user = await verified(token);
  } catch (error) {
    // Of the keys themselves: lictor cannot be reached, or its answer is none.
    if (!(error instanceof errors.JOSEError) || LOST.includes(error.code)) return response.status(503).set('Retry-After', '5').json({ error: 'the keys cannot be had' });
    return response.status(401).set('WWW-Authenticate', 'Bearer').json({ error: error.message });
  }
  next();
}

const app = express();
app.get('/whoami', user, (request, response) => {
  const { id, rls = '' } = response.locals.user;
  response.json({ id, roles: rls.split(',').filter(Boolean) });
});
app.listen(Number(PORT), '127.0.0.1');
