// Owns the tests of a service in JavaScript that verifies tokens with the public keys: its example
// (verifier.mjs) accepts only access tokens. They need no browser.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRemoteJWKSet, decodeProtectedHeader, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { mailTo, startLictor, stopLictors } from './stage.mjs';
import { verified } from './verifier.mjs';

const PASSWORD = 'ten wooden lanterns by the ford';
const MAIL_LIMIT_MS = 10_000;
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
  const registration = await nextToken(lictor.mails);
  const { access_token } = await send('finalize', undefined, registration);
  await send('reset', mail);
  const reset = await nextToken(lictor.mails, registration);

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

// The token of the first mail that is not in `seen`; waits for it.
async function nextToken(folder, seen) {
  const giveUp = Date.now() + MAIL_LIMIT_MS;
  for (;;) {
    // The first mail creates the folder.
    const names = existsSync(folder) ? readdirSync(folder) : [];
    const files = names.filter(file => file.endsWith('.eml')).sort();
    const texts = files.map(file => readFileSync(join(folder, file), 'utf8').replaceAll('=\r\n', '').replaceAll('=3D', '='));
    const token = texts.flatMap(text => text.match(/(?<=\?token=)[\w.-]+/g) ?? []).find(token => token !== seen);
    if (token) return token;
    assert.ok(Date.now() < giveUp, 'the mail did not come');
    await sleep(50);
  }
}
