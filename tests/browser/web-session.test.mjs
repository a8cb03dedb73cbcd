// Owns the tests of the life of a session: two tabs, a restart of the server, a lost connection, tokens
// that expire or are revoked. The real program, real Chromium.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  addUser, ask, button, heading, inspect, logInByApi, open, refused, unreachable, visit,
} from './app.mjs';
import { startChromium, startLictor, stopLictors } from './stage.mjs';

// For Chromium this is another machine on plain http, which is not a secure context.
const LAN_NAME = 'lictor.lan';
const ACCESS_S = 3;
const REFRESH_S = 9;
const ENDED = 'Your session has ended. Log in to go on.';
const LOST = 'No connection to the server. Trying again …';

let browser, lictor, brief;

before(async () => {
  lictor = await startLictor('session', '--throttle', 'off');
  brief = await startLictor('brief', '--throttle', 'off', '--access-lifespan', `${ACCESS_S}s`, '--refresh-lifespan', `${REFRESH_S}s`);
  browser = await startChromium(`--host-resolver-rules=MAP ${LAN_NAME} 127.0.0.1`);
  for (const server of [lictor, brief]) addUser(server, 'ada');
});

after(async () => {
  await browser?.close();
  await stopLictors();
});

test('two tabs: a login and a logout count for both', async t => {
  const context = await visit(t, browser, lictor, { token: await logInByApi(lictor, 'ada') });
  const [one, two] = [await context.newPage(), await context.newPage()];
  await one.goto('/');
  await two.goto('/account');
  await heading(one, 'Hello, ada').waitFor();
  await heading(two, 'Account').waitFor();

  await button(one, 'Log out').click();
  await heading(one, 'Welcome to lictor').waitFor();
  await heading(two, 'Log in').waitFor();

  await two.getByLabel('Username or e-mail').fill('ada');
  await two.getByLabel('Password', { exact: true }).fill('ten wooden lanterns by the ford');
  await button(two, 'Log in').click();
  await heading(two, 'Account').waitFor();
  await heading(one, 'Hello, ada').waitFor();
});

test('two tabs: each token is refreshed once, before it expires', async t => {
  const server = await startLictor('tabs', '--throttle', 'off', '--access-lifespan', `${ACCESS_S}s`);
  addUser(server, 'ada');
  const context = await visit(t, browser, server, { token: await logInByApi(server, 'ada') });
  const exchanged = [];
  context.on('request', request => {
    if (request.url().endsWith('/api/refresh')) exchanged.push(request.postData());
  });
  const pages = [await context.newPage(), await context.newPage()];
  for (const page of pages) await page.goto('/protected');
  await sleep(2 * ACCESS_S * 1000);
  for (const page of pages) {
    await page.getByRole('link', { name: 'Account' }).click();
    await page.getByRole('heading', { name: 'Where you are logged in' }).waitFor();
  }
  assert.ok(exchanged.length >= 2, `exchanged ${exchanged.length} times`);
  assert.equal(new Set(exchanged).size, exchanged.length, 'no token twice');
});

test('two tabs on plain http in a LAN, without Web Locks: the same', async t => {
  const server = await startLictor('lan', '--throttle', 'off', '--access-lifespan', `${ACCESS_S}s`);
  addUser(server, 'ada');
  const lan = { ...server, url: server.url.replace('127.0.0.1', LAN_NAME) };
  const context = await visit(t, browser, lan, { token: await logInByApi(server, 'ada') });
  const pages = [await context.newPage(), await context.newPage()];
  for (const page of pages) await page.goto('/protected');
  assert.equal(await pages[0].evaluate(() => isSecureContext), false);
  await sleep(2 * ACCESS_S * 1000);
  for (const page of pages) {
    await page.getByRole('link', { name: 'Account' }).click();
    await page.getByRole('heading', { name: 'Where you are logged in' }).waitFor();
  }
  await button(pages[0], 'Log out').click();
  await heading(pages[1], 'Log in').waitFor();
});

test('on return, an expired token is refreshed, and an expired session ends', async t => {
  const token = await logInByApi(brief, 'ada');
  const began = Date.now();
  await sleep((ACCESS_S + 1) * 1000);
  const page = await open(t, browser, brief, '/protected', { token, expected: [refused(401)] });
  await page.getByText('protected endpoint (allowed usr ada)').waitFor();

  await page.getByText(ENDED).waitFor({ timeout: began + (REFRESH_S + 5) * 1000 - Date.now() });
  await inspect(page, 'login, after the session has ended');
});

test('a revoked session ends at the next request with a message', async t => {
  const [token, other] = [await logInByApi(lictor, 'ada'), await logInByApi(lictor, 'ada')];
  const page = await open(t, browser, lictor, '/', { token, expected: [refused(403)] });
  await heading(page, 'Hello, ada').waitFor();
  const { sessions } = await ask(lictor, 'GET', '/api/sessions', token);
  await ask(lictor, 'DELETE', `/api/sessions/${sessions.find(each => each.current).id}`, other);

  await page.getByRole('link', { name: 'Protected message' }).click();
  await page.getByText(ENDED).waitFor();
  assert.equal(await button(page, 'Log out').count(), 0);
});

test('a deactivated user is logged out, and the login says why', async t => {
  addUser(lictor, 'bea');
  const token = await logInByApi(lictor, 'bea');
  const page = await open(t, browser, lictor, '/', { token, expected: [refused(403)] });
  await heading(page, 'Hello, bea').waitFor();
  lictor.run('', 'user', 'deactivate', 'bea');
  await page.getByRole('link', { name: 'Protected message' }).click();
  await page.getByText(ENDED).waitFor();
});

test('a restart of the server shows a message, and the session continues', async t => {
  const server = await startLictor('restart', '--throttle', 'off');
  addUser(server, 'ada');
  const page = await open(t, browser, server, '/', { token: await logInByApi(server, 'ada'), expected: [unreachable] });
  await heading(page, 'Hello, ada').waitFor();
  await server.stop();
  await page.getByRole('link', { name: 'Protected message' }).click();
  await page.getByText(LOST).waitFor();
  await inspect(page, 'connection lost');
  await server.start();
  await page.getByText('protected endpoint (allowed usr ada)').waitFor();
  assert.equal(await page.getByText(LOST).count(), 0);
});

test('offline and back: the typed text is kept', async t => {
  const page = await open(t, browser, lictor, '/login', { expected: [unreachable] });
  await page.getByLabel('Username or e-mail').fill('ada');
  await page.getByLabel('Password', { exact: true }).fill('ten wooden lanterns by the ford');
  await page.context().setOffline(true);
  await button(page, 'Log in').click();
  await page.getByText('The server cannot be reached. What you entered is still here.').waitFor();
  await page.getByText(LOST).waitFor();
  await inspect(page, 'login, offline');
  await page.context().setOffline(false);
  await page.getByText(LOST).waitFor({ state: 'detached' });
  await button(page, 'Log in').click();
  await heading(page, 'Hello, ada').waitFor();
});
