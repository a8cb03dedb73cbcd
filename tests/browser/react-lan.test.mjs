// Owns the tests of examples/react-lan as in a home network: on plain http from a host other than
// localhost, where browsers have no Web Locks. Chromium resolves `nas.lan` to this machine. Needs
// `npm ci` in the example's folder.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { build, enter, protectedMessage, servePages, visit } from './react-lan.mjs';
import { startChromium, startLictor, stopLictors } from './stage.mjs';

const SHORT = ['--access-lifespan', '3s', '--early-refresh', '2s'];

let browser;

before(async () => {
  browser = await startChromium('--host-resolver-rules=MAP nas.lan 127.0.0.1');
});

after(async () => {
  await browser?.close();
  await stopLictors();
});

for (const [host, hasLocks] of [['nas.lan', false], ['127.0.0.1', true]]) {
  test(`another origin, ${host}: two tabs take turns to refresh, and log out together`, async t => {
    const app = await serveExample(host, ...SHORT);
    const { context, asked } = await open(t, []);
    const one = await visit(context, app);
    assert.equal(await one.evaluate(() => 'locks' in navigator), hasLocks);
    await enter(one, 'Register');
    const two = await visit(context, app);
    // Four lifespans of a token.
    await sleep(10_000);
    for (const page of [one, two]) assert.equal(await protectedMessage(page), 'protected endpoint (allowed usr ada)');
    const refreshes = asked.filter(path => path === '/api/refresh').length;
    assert.ok(refreshes >= 2 && refreshes <= 7, `${refreshes} refreshes`);
    await one.getByRole('button', { name: 'Log out' }).click();
    for (const page of [one, two]) await page.getByText('You are logged out.').waitFor();
    assert.equal(await two.evaluate(() => JSON.stringify(localStorage).includes('eyJ')), false, 'no token is left');
    await enter(two, 'Log in');
    await one.getByRole('button', { name: 'Log out' }).waitFor();
  });
}

test('without a network it shows that, and continues when the network is back', async t => {
  const app = await serveExample('nas.lan', ...SHORT);
  const { context } = await open(t, [/ERR_INTERNET_DISCONNECTED/]);
  const page = await visit(context, app);
  await enter(page, 'Register');
  await page.getByRole('button', { name: 'Log out' }).waitFor();
  await context.setOffline(true);
  await page.getByText('The server cannot be reached').waitFor();
  await sleep(2000);
  assert.equal(await protectedMessage(page), 'The server cannot be reached');
  await context.setOffline(false);
  await page.getByText('Trying again').waitFor({ state: 'detached' });
  await page.reload();
  assert.equal(await protectedMessage(page), 'protected endpoint (allowed usr ada)');
});

test('a wrong password shows the message of the server', async t => {
  const app = await serveExample('nas.lan');
  const { context } = await open(t, [/status of 401/]);
  const page = await visit(context, app);
  await enter(page, 'Log in');
  await page.getByText('The username and/or password are incorrect').waitFor();
});

test('lictor serves its build, which runs no injected script', async t => {
  const out = build('');
  const lictor = await startLictor('web', '--web', out, '--cors-origin', 'none', ...SHORT);
  const { context } = await open(t, [/Content Security Policy/]);
  const page = await visit(context, lictor.url.replace('127.0.0.1', 'nas.lan'));
  await page.evaluate(() => document.body.insertAdjacentHTML('beforeend', '<img src="data:," onerror="document.title = 0">'));
  await enter(page, 'Register');
  await sleep(4000);
  assert.equal(await protectedMessage(page), 'protected endpoint (allowed usr ada)');
  assert.equal(await page.title(), 'An app of your own');
});

// Builds the example for a new lictor, and serves it from another port of the same host.
async function serveExample(host, ...flags) {
  const pages = await servePages(host);
  const lictor = await startLictor(`lan-${new URL(pages.origin).port}`, '--cors-origin', pages.origin, ...flags);
  pages.folder = build(lictor.url.replace('127.0.0.1', host));
  return pages.origin;
}

// A new browser profile. All messages in its console must match `expected`.
async function open(t, expected) {
  const context = await browser.newContext();
  context.setDefaultTimeout(15_000);
  const complaints = [];
  const asked = [];
  context.on('weberror', error => complaints.push(String(error.error())));
  context.on('console', message => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  context.on('request', request => asked.push(new URL(request.url()).pathname));
  t.after(async () => {
    await context.close();
    for (const complaint of complaints) assert.ok(expected.some(e => e.test(complaint)), complaint);
    for (const e of expected) assert.ok(complaints.some(complaint => e.test(complaint)), `no message matches ${e}`);
  });
  return { context, asked };
}
