// Owns the tests of a browser app of another origin: the real program, a page on another port
// (page.html), real Chromium. They see the page, the preflights that the browser sent, and its console.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from './app.mjs';
import { prepareLictor, servePage, startChromium, startLictor, stopLictors } from './stage.mjs';

const PASSWORD = 'ten wooden lanterns by the ford';
const SHOW_LIMIT_MS = 60_000;
const UUID4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

// Messages that Chromium itself writes to the console. Each test lists those that it expects.
const refused = status => new RegExp(`the server responded with a status of ${status} `);
const blocked = /has been blocked by CORS policy/;
const failed = /Failed to load resource: net::ERR_FAILED/;

let pageOrigin, browser, lictor;

before(async () => {
  pageOrigin = await servePage(readFileSync(join(import.meta.dirname, 'page.html')));
  lictor = await startLictor('default');
  browser = await startChromium();
});

after(async () => {
  await browser?.close();
  await stopLictors();
});

test('registers, logs in and reads the protected message', async t => {
  const app = await open(t, lictor, []);
  await app.fill('alice', PASSWORD);

  const registered = await app.press('Register');
  assert.equal(registered.status, 200);
  assert.deepEqual(Object.keys(registered.body), ['access_token']);

  await app.press('Forget the token');
  const loggedIn = await app.press('Log in');
  assert.equal(loggedIn.status, 200);
  assert.deepEqual(Object.keys(loggedIn.body), ['access_token']);

  const { payload } = await app.press('Show the payload');
  assert.deepEqual(Object.keys(payload).sort(), ['exp', 'iat', 'id', 'jti', 'rf_exp', 'rls']);
  for (const claim of ['exp', 'iat', 'id', 'rf_exp']) assert.ok(Number.isInteger(payload[claim]), claim);
  assert.match(payload.jti, UUID4);
  assert.equal(payload.rls, 'user');
  assert.ok(Math.abs(payload.iat - Date.now() / 1000) < 60, 'iat is now');
  assert.equal(payload.exp - payload.iat, 24 * 3600);
  assert.equal(payload.rf_exp - payload.iat, 30 * 24 * 3600);

  assert.deepEqual(await app.press('Read the protected endpoint'), {
    status: 200,
    body: { message: 'protected endpoint (allowed usr alice)' },
  });
  const sent = ['GET /api/protected: passed, kept 600 s'];
  await until(() => app.preflights.length >= sent.length, 'the preflights');
  assert.deepEqual(app.preflights, sent, 'credentials without a content type need none');
});

test('a name that is not ASCII arrives unchanged', async t => {
  const app = await open(t, lictor, []);
  await app.fill('Zoë', PASSWORD);
  assert.equal((await app.press('Register')).status, 200);
  assert.equal((await app.press('Log in')).status, 200);
  assert.deepEqual((await app.press('Read the protected endpoint')).body, {
    message: 'protected endpoint (allowed usr Zoë)',
  });
});

test('the page can read why it was refused: wrong password', async t => {
  const app = await open(t, lictor, [refused(401), refused(401)]);
  await app.register('bob');
  const expected = {
    status: 401,
    body: {
      error: 'AuthenticationError',
      message: 'The username and/or password are incorrect',
      status_code: 401,
    },
  };
  await app.fill('bob', `${PASSWORD}!`);
  assert.deepEqual(await app.press('Log in'), expected);
  await app.fill('nobody', PASSWORD);
  assert.deepEqual(await app.press('Log in'), expected, 'an unknown name looks the same');
});

test('the page can read why it was refused: no token', async t => {
  const app = await open(t, lictor, [refused(401)]);
  checkError(await app.press('Read the protected endpoint'), 401, 'MissingToken');
});

test('the page can read why it was refused: too early to refresh', async t => {
  const app = await open(t, lictor, [refused(425)]);
  await app.register('carol');
  checkError(await app.press('Refresh'), 425, 'EarlyRefreshError');
  assert.equal((await app.press('Read the protected endpoint')).status, 200, 'the token still works');
});

test('preflights for a JSON body and for a token pass, and are cached', async t => {
  const app = await open(t, lictor, []);
  await app.sayJson();
  await app.fill('dave', PASSWORD);
  assert.equal((await app.press('Register')).status, 200);
  assert.equal((await app.press('Log in')).status, 200);
  assert.equal((await app.press('Read the protected endpoint')).status, 200);
  const sent = ['POST /api/registration', 'POST /api/login', 'GET /api/protected'].map(
    asked => `${asked}: passed, kept 600 s`,
  );
  await until(() => app.preflights.length >= sent.length, 'the preflights');
  assert.deepEqual(app.preflights, sent);

  assert.equal((await app.press('Log in')).status, 200);
  assert.equal((await app.press('Read the protected endpoint')).status, 200);
  assert.deepEqual(app.preflights, sent, 'the browser kept the answers');
});

test('an expired token is refreshed if --cors-origin names the page', async t => {
  const brief = await prepareLictor('brief', '--cors-origin', pageOrigin);
  await brief.start('--access-lifespan', '2s');
  const app = await open(t, brief, [refused(401)]);
  await app.register('erin');
  const old = (await app.press('Show the payload')).payload;
  assert.equal(old.exp - old.iat, 2);

  // exp is inclusive, in whole seconds.
  await sleep((old.exp + 1) * 1000 - Date.now() + 100);
  checkError(await app.press('Read the protected endpoint'), 401, 'ExpiredAccessError');

  // The next token lasts until it is used, however slow the machine is.
  await brief.stop();
  await brief.start();
  const refreshed = await app.press('Refresh');
  assert.equal(refreshed.status, 200);
  assert.deepEqual(Object.keys(refreshed.body), ['access_token']);
  assert.deepEqual(await app.press('Read the protected endpoint'), {
    status: 200,
    body: { message: 'protected endpoint (allowed usr erin)' },
  });
  const { payload } = await app.press('Show the payload');
  assert.ok(payload.exp > old.exp, 'it lives longer');
  for (const kept of ['id', 'jti', 'rf_exp']) assert.equal(payload[kept], old[kept], kept);
});

test('the page can read nothing if --cors-origin names another', async t => {
  const narrow = await startLictor('narrow', '--cors-origin', 'http://other.example');
  const account = { username: 'frank', password: PASSWORD };
  const outside = await fetch(`${narrow.url}/api/registration`, { method: 'POST', body: JSON.stringify(account) });
  assert.equal(outside.status, 200, 'the server itself is well');
  const { access_token: token } = await outside.json();

  const app = await open(t, narrow, [blocked, failed, blocked, failed, blocked, failed]);
  const rejected = { rejected: 'TypeError: Failed to fetch' };
  await app.fill('frank', PASSWORD);
  assert.deepEqual(await app.press('Log in'), rejected);
  await app.sayJson();
  assert.deepEqual(await app.press('Log in'), rejected, 'the preflight does not let it through');
  await app.adopt(token);
  assert.deepEqual(await app.press('Read the protected endpoint'), rejected, 'nor this one');
});

function checkError(shown, status, error) {
  assert.equal(shown.status, status, JSON.stringify(shown));
  assert.deepEqual(Object.keys(shown.body).sort(), ['error', 'message', 'status_code']);
  assert.equal(shown.body.error, error);
  assert.equal(shown.body.status_code, status);
  assert.ok(shown.body.message.length > 0, 'the message has a reason');
}

// Opens the page in a new browser profile, with `server` as its API. At the end of the test, the console
// must have exactly the messages of `expected`, in that order.
async function open(t, server, expected) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(SHOW_LIMIT_MS);
  const complaints = [];
  page.on('pageerror', error => complaints.push(String(error)));
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  const preflights = await watchPreflights(context, page);
  t.after(async () => {
    await until(() => complaints.length >= expected.length, 'the messages').catch(() => {});
    await context.close();
    const matches = expected.length === complaints.length && expected.every((e, i) => e.test(complaints[i]));
    assert.ok(matches, `console: expected ${expected.join(', ') || 'nothing'}, got ${JSON.stringify(complaints)}`);
  });
  await page.goto(`${pageOrigin}/?api=${encodeURIComponent(server.url)}`);

  const app = {
    preflights,
    async fill(username, password) {
      await page.getByLabel('Username').fill(username);
      await page.getByLabel('Password').fill(password);
    },
    sayJson: () => page.getByLabel('Say that the body is JSON').check(),
    adopt: value => page.evaluate(value => void (token = value), value),
    async press(name) {
      await page.getByRole('button', { name }).click();
      const shown = page.locator('#shown:not(:empty)');
      return JSON.parse(await shown.textContent());
    },
    async register(name) {
      await app.fill(name, PASSWORD);
      assert.equal((await app.press('Register')).status, 200);
    },
  };
  return app;
}

// Playwright hides preflights; the DevTools protocol shows them.
async function watchPreflights(context, page) {
  const seen = [];
  const asked = new Map();
  const cdp = await context.newCDPSession(page);
  await cdp.send('Network.enable');
  cdp.on('Network.requestWillBeSent', ({ requestId, request }) => {
    asked.set(requestId, request.headers['Access-Control-Request-Method']);
  });
  cdp.on('Network.responseReceived', ({ type, requestId, response }) => {
    if (type !== 'Preflight') return;
    const passed = response.status >= 200 && response.status < 300 ? 'passed' : response.status;
    const kept = new Headers(response.headers).get('Access-Control-Max-Age');
    seen.push(`${asked.get(requestId)} ${new URL(response.url).pathname}: ${passed}, kept ${kept} s`);
  });
  return seen;
}
