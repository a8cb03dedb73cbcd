// Owns the tests of examples/react-lan as in a home network: on plain http from a host other than
// localhost, where browsers have no Web Locks. Chromium resolves `nas.lan` to this machine. Needs
// `npm ci` in the example's folder.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { anotherSecond, later, until } from './app.mjs';
import { build, enter, protectedMessage, servePages, visit } from './react-lan.mjs';
import { startChromium, startLictor, stopLictors } from './stage.mjs';

// A token that lasts an hour, and can be refreshed at any time: its end comes with the clock of the pages.
const HOUR = ['--access-lifespan', '1h', '--early-refresh', '2h'];
const HOUR_MS = 3_600_000;
const DUE_MS = HOUR_MS - 40_000;

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
    const app = await serveExample(host, ...HOUR);
    const { context, asked } = await open(t, []);
    const one = await visit(context, app);
    assert.equal(await one.evaluate(() => 'locks' in navigator), hasLocks);
    await enter(one, 'Register');
    await one.getByRole('button', { name: 'Log out' }).waitFor();
    const two = await visit(context, app);
    await two.getByRole('button', { name: 'Log out' }).waitFor();
    // A tab sees what another one writes after a moment, which the next turn allows for. On a slow machine that
    // may not be enough, and both refresh; the server gives both the same token.
    const refreshes = () => asked.filter(path => path === '/api/refresh').length;
    let once = 0;
    for (let round = 1; round <= 6 && once < 2; round += 1) {
      const before = refreshes();
      await refreshed([one, two]);
      if (refreshes() === before + 1) once += 1;
      for (const page of [one, two]) assert.equal(await protectedMessage(page), 'protected endpoint (allowed usr ada)');
    }
    assert.equal(once, 2, `${refreshes()} refreshes`);
    await one.getByRole('button', { name: 'Log out' }).click();
    for (const page of [one, two]) await page.getByText('You are logged out.').waitFor();
    assert.equal(await two.evaluate(() => JSON.stringify(localStorage).includes('eyJ')), false, 'no token is left');
    await enter(two, 'Log in');
    await one.getByRole('button', { name: 'Log out' }).waitFor();
  });
}

test('without a network it shows that, and continues when the network is back', async t => {
  const app = await serveExample('nas.lan', ...HOUR);
  const { context } = await open(t, [/ERR_INTERNET_DISCONNECTED/]);
  const page = await visit(context, app);
  await enter(page, 'Register');
  await page.getByRole('button', { name: 'Log out' }).waitFor();
  await context.setOffline(true);
  // The token has expired by then.
  await later(page, HOUR_MS + 60_000);
  await page.getByText('The server cannot be reached').waitFor();
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
  const lictor = await startLictor('web', '--web', out, '--cors-origin', 'none', ...HOUR);
  const { context } = await open(t, [/Content Security Policy/]);
  const page = await visit(context, lictor.url.replace('127.0.0.1', 'nas.lan'));
  await page.evaluate(() => document.body.insertAdjacentHTML('beforeend', '<img src="data:," onerror="document.title = 0">'));
  await enter(page, 'Register');
  await page.getByRole('button', { name: 'Log out' }).waitFor();
  await refreshed([page]);
  assert.equal(await protectedMessage(page), 'protected endpoint (allowed usr ada)');
  assert.equal(await page.title(), 'An app of your own');
});

// Moves the clock of tabs to when the token should be refreshed, and waits until there is a new one.
async function refreshed(pages) {
  const token = () => pages[0].evaluate(() => JSON.parse(localStorage.getItem('lictor.auth')).token);
  const old = await token();
  await anotherSecond(old);
  await Promise.all(pages.map(page => later(page, DUE_MS)));
  await until(async () => (await token()) !== old, 'another token');
  // Time in which a second tab would ask as well.
  if (pages.length > 1) await sleep(500);
}

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
  context.setDefaultTimeout(60_000);
  const complaints = [];
  const asked = [];
  context.on('weberror', error => complaints.push(String(error.error())));
  context.on('console', message => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  context.on('request', request => asked.push(new URL(request.url()).pathname));
  t.after(async () => {
    const all = () => expected.every(e => complaints.some(complaint => e.test(complaint)));
    await until(all, 'the messages').catch(() => {});
    await context.close();
    for (const complaint of complaints) assert.ok(expected.some(e => e.test(complaint)), complaint);
    for (const e of expected) assert.ok(complaints.some(complaint => e.test(complaint)), `no message matches ${e}`);
  });
  return { context, asked };
}
