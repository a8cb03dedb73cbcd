// Owns the tests of a service in JavaScript that verifies tokens with the public keys: its example
// (verifier.mjs) accepts only access tokens. They need no browser.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createRemoteJWKSet, decodeProtectedHeader, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { mailed, PASSWORD } from './app.mjs';
import { mailTo, startLictor, stopLictors } from './stage.mjs';
import { verified } from './verifier.mjs';

const GOOD = { exp: 4_000_000_000, jti: 'a', id: 1 };

after(stopLictors);

test('a mailed token is not accepted as an access token', async () => {
  const name = 'keys';
  const lictor = await startLictor(name, '--jwt-algorithm', 'EdDSA', '--registration', 'email', ...mailTo(name));
  const keys = createRemoteJWKSet(new URL(`${lictor.url}/.well-known/jwks.json`));
  const send = (path, body, token) =>
    fetch(`${lictor.url}/api/${path}`, {
      method: body ? 'POST' : 'GET',
      headers: token ? { Authorization: `Bearer ${token}` } : {},
      body: body && JSON.stringify(body),
    }).then(answer => answer.json());

  const mail = { email: 'ada@mail.example' };
  await send('registration', { username: 'ada', password: PASSWORD, ...mail });
  const registration = await nextToken(lictor);
  const { access_token } = await send('finalize', undefined, registration);
  await send('reset', mail);
  const reset = await nextToken(lictor, registration);

  assert.equal((await verified(keys, access_token)).id, 1);
  for (const [token, typ] of [
    [registration, 'lictor-registration+jwt'],
    [reset, 'lictor-reset+jwt'],
  ]) {
    assert.equal(decodeProtectedHeader(token).typ, typ);
    await assert.rejects(verified(keys, token));
    // Not even a service that checks only the signature accepts it.
    await assert.rejects(jwtVerify(token, keys));
  }
});

test('each check of the example refuses a token that the others accept', async () => {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA');
  const taken = async (claims, typ = 'JWT') =>
    verified(publicKey, await new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', typ }).sign(privateKey));

  assert.deepEqual(await taken(GOOD), GOOD);
  for (const [claims, typ] of [
    [{ ...GOOD, is_ert: true }],
    [{ ...GOOD, is_prt: null }],
    [{ ...GOOD, exp: 1 }],
    [{ ...GOOD, exp: undefined }],
    [GOOD, 'lictor-reset+jwt'],
    [GOOD, null],
  ]) {
    await assert.rejects(taken(claims, typ), `${JSON.stringify(claims)} ${typ}`);
  }
});

// The token of the first mail with another one than `seen`; waits for it.
function nextToken(server, seen) {
  const next = mails => mails.flatMap(mail => mail.match(/(?<=\?token=)[\w.-]+/g) ?? []).find(token => token !== seen);
  return mailed(server, next, 'the mail with a token');
}
