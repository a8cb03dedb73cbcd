// Owns the tests of the life of a session: two tabs, a restart of the server, a lost connection, tokens
// that expire or are revoked. The real program, real Chromium.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  PASSWORD, addUser, anotherSecond, ask, button, field, heading, inspect, later, logIn, logInByApi, open, refused, unreachable, until, visit,
} from './app.mjs';
import { startChromium, startLictor, stopLictors } from './stage.mjs';

// For Chromium this is another machine on plain http, which is not a secure context.
const LAN_NAME = 'lictor.lan';
const ACCESS_S = 3;
const BRIEF_S = 5;
// A token that lasts an hour, and can be refreshed at any time: its end comes with the clock of the pages.
const HOUR = ['--access-lifespan', '1h', '--early-refresh', '2h'];
const DUE_MS = 3_600_000 - 40_000;
const ENDED = 'Your session has ended. Log in to go on.';
const LOST = 'No connection to the server. Trying again …';

let browser, lictor;

before(async () => {
  lictor = await startLictor('session', '--throttle', 'off');
  browser = await startChromium(`--host-resolver-rules=MAP ${LAN_NAME} 127.0.0.1`);
  addUser(lictor, 'ada');
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

test('two tabs: when another user logs in in one, the other shows nothing of the user before', async t => {
  addUser(lictor, 'carl');
  const [adas, carls] = [await logInByApi(lictor, 'ada'), await logInByApi(lictor, 'carl')];
  const context = await visit(t, browser, lictor, { token: adas });
  const pages = [await context.newPage(), await context.newPage(), await context.newPage()];
  const [message, account, other] = pages;
  await message.goto('/protected');
  await message.getByText('protected endpoint (allowed usr ada)').waitFor();
  await account.goto('/account');
  await button(account, 'Add app password').click();
  await field(account, 'Name').fill('calendar');
  await button(account, 'Create app password').click();
  await field(account, 'New app password').waitFor();
  // As a login in that tab writes it.
  await other.goto('/');
  await other.evaluate(token => localStorage.setItem('lictor.auth', JSON.stringify({ token, offset: 0 })), carls);
  await message.getByText('protected endpoint (allowed usr carl)').waitFor();
  await account.getByText('carl', { exact: true }).waitFor();
  assert.equal(await field(account, 'New app password').count(), 0);
  assert.equal(await account.getByText('calendar', { exact: true }).count(), 0);
});

test('two tabs: each token is refreshed once, before it expires', async t => {
  const server = await startLictor('tabs', '--throttle', 'off', ...HOUR);
  addUser(server, 'ada');
  const context = await visit(t, browser, server, { token: await logInByApi(server, 'ada') });
  const pages = [await context.newPage(), await context.newPage()];
  const exchanged = refreshesIn(context);
  for (const page of pages) await page.goto('/protected');
  for (const page of pages) await page.getByText('protected endpoint (allowed usr ada)').waitFor();
  // A tab sees what another one writes after a moment, which the next turn allows for. On a slow machine that may
  // not be enough, and both refresh; the server gives both the same token.
  let once = 0;
  for (let round = 1; round <= 6 && once < 2; round += 1) {
    const before = exchanged.length;
    await makeDue(pages, exchanged);
    if (exchanged.length === before + 1) once += 1;
  }
  assert.equal(once, 2, `${exchanged.length} refreshes`);
  await readAccount(pages);
});

test('two tabs on plain http in a LAN, without Web Locks: the same', async t => {
  const server = await startLictor('lan', '--throttle', 'off', ...HOUR);
  addUser(server, 'ada');
  const lan = { ...server, url: server.url.replace('127.0.0.1', LAN_NAME) };
  const context = await visit(t, browser, lan, { token: await logInByApi(server, 'ada') });
  const pages = [await context.newPage(), await context.newPage()];
  const exchanged = refreshesIn(context);
  for (const page of pages) await page.goto('/protected');
  assert.equal(await pages[0].evaluate(() => isSecureContext), false);
  for (const page of pages) await page.getByText('protected endpoint (allowed usr ada)').waitFor();
  for (let round = 1; round <= 2; round += 1) await makeDue(pages, exchanged);
  await readAccount(pages);
  await button(pages[0], 'Log out').click();
  await heading(pages[1], 'Log in').waitFor();
});

// The tokens that pages have sent to be refreshed.
function refreshesIn(context) {
  const exchanged = [];
  context.on('request', request => {
    if (request.url().endsWith('/api/refresh')) exchanged.push(request.postData());
  });
  return exchanged;
}

// Moves the clock of the pages to when the token should be refreshed, and waits until all have a new one.
async function makeDue(pages, exchanged) {
  const before = exchanged.length;
  const old = await tokenIn(pages[0]);
  await anotherSecond(old);
  await Promise.all(pages.map(page => later(page, DUE_MS)));
  await until(() => exchanged.length > before, 'a refresh');
  for (const page of pages) await until(async () => (await tokenIn(page)) !== old, 'another token');
  // Time in which a second tab would ask as well.
  await sleep(500);
}

function tokenIn(page) {
  return page.evaluate(() => JSON.parse(localStorage.getItem('lictor.auth')).token);
}

async function readAccount(pages) {
  for (const page of pages) {
    await page.getByRole('link', { name: 'Account' }).click();
    await page.getByRole('heading', { name: 'Where you are logged in' }).waitFor();
  }
}

test('on return, an expired token is refreshed', async t => {
  const server = await startLictor('brief', '--throttle', 'off', '--access-lifespan', `${ACCESS_S}s`);
  addUser(server, 'ada');
  const token = await logInByApi(server, 'ada');
  await sleep((ACCESS_S + 1) * 1000);
  const page = await visited(t, server, token, { possible: [refused(401)] });
  const renewed = page.waitForResponse('**/api/refresh');
  await page.goto('/protected');
  assert.equal((await renewed).status(), 200);
  await page.getByText('protected endpoint (allowed usr ada)').waitFor();
});

test('an expired session ends', async t => {
  const server = await startLictor('ending', '--throttle', 'off', '--access-lifespan', `${BRIEF_S}s`, '--refresh-lifespan', `${BRIEF_S}s`);
  addUser(server, 'ada');
  const page = await visited(t, server, await logInByApi(server, 'ada'), { expected: [refused(401)] });
  await page.goto('/protected');
  await page.getByText(ENDED).waitFor();
  await inspect(page, 'login, after the session has ended');
});

async function visited(t, server, token, options) {
  const context = await visit(t, browser, server, { token, ...options });
  return context.newPage();
}

test('a revoked session ends at the next request with a message', async t => {
  const [token, other] = [await logInByApi(lictor, 'ada'), await logInByApi(lictor, 'ada')];
  const page = await open(t, browser, lictor, '/', { token, expected: [refused(403)] });
  await heading(page, 'Hello, ada').waitFor();
  const { sessions } = await ask(lictor, 'GET', '/api/sessions', token);
  await ask(lictor, 'DELETE', `/api/sessions/${sessions.find(each => each.current).id}`, other);

  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Account' }).click();
  await page.getByText(ENDED).waitFor();
  assert.equal(await button(page, 'Log out').count(), 0);
});

test('a deactivated user is logged out, and the login says why', async t => {
  addUser(lictor, 'bea');
  const token = await logInByApi(lictor, 'bea');
  const page = await open(t, browser, lictor, '/', { token, expected: [refused(403)] });
  await heading(page, 'Hello, bea').waitFor();
  lictor.run('', 'user', 'deactivate', 'bea');
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Account' }).click();
  await page.getByText(ENDED).waitFor();
});

test('a restart of the server shows a message, and the session continues', async t => {
  const server = await startLictor('restart', '--throttle', 'off');
  addUser(server, 'ada');
  const page = await open(t, browser, server, '/', { token: await logInByApi(server, 'ada'), expected: [unreachable] });
  await heading(page, 'Hello, ada').waitFor();
  await server.stop();
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Account' }).click();
  await page.getByText(LOST).waitFor();
  await server.start();
  // The page asks more rarely the longer the server was gone.
  await page.getByText('This one').waitFor({ timeout: 150_000 });
  assert.equal(await page.getByText(LOST).count(), 0);
});

// What a proxy answers while the server behind it restarts.
const gateway = status => ({ status, contentType: 'text/html', body: `<h1>${status} Bad Gateway</h1>` });

test('a page that a proxy answers, because no server is behind it, loads as soon as there is one', async t => {
  for (const status of [502, 503, 504]) {
    const token = await logInByApi(lictor, 'ada');
    const page = await open(t, browser, lictor, '/', { token, expected: [refused(status)] });
    await heading(page, 'Hello, ada').waitFor();
    let gone = true;
    await page.route('**/api/**', route => (gone ? route.fulfill(gateway(status)) : route.continue()));
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Account' }).click();
    await page.getByText(LOST).waitFor();
    gone = false;
    await page.getByText('This one').waitFor();
    assert.equal(await page.getByText(LOST).count(), 0);
  }
});

test('a form that a proxy answers keeps the typed text, and a busy server is something else', async t => {
  const page = await open(t, browser, lictor, '/login', { expected: [502, 503, 504].map(refused) });
  const busy = { error: 'Unavailable', message: 'busy', status_code: 503 };
  await page.getByLabel('Username or e-mail').fill('ada');
  await field(page, 'Password').fill(PASSWORD);
  for (const [answer, words] of [
    ...[502, 503, 504].map(status => [gateway(status), 'The server cannot be reached. What you entered is still here.']),
    [{ status: 503, json: busy }, 'The server is busy. Please try again shortly.'],
  ]) {
    await page.route('**/api/login', route => route.fulfill(answer), { times: 1 });
    const answered = page.waitForResponse('**/api/login');
    await button(page, 'Log in').click();
    await answered;
    await page.getByRole('alert').filter({ hasText: words }).waitFor();
  }
  await button(page, 'Log in').click();
  await heading(page, 'Hello, ada').waitFor();
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

test('a logout without a connection ends the session later, also without a cookie', async t => {
  const token = await logInByApi(lictor, 'ada');
  const page = await open(t, browser, lictor, '/', { token, expected: [unreachable] });
  await heading(page, 'Hello, ada').waitFor();
  await page.context().setOffline(true);
  await button(page, 'Log out').click();
  const pending = page.getByText('The server does not answer, so you may still be logged in to the apps.');
  await pending.waitFor();
  await page.context().setOffline(false);
  await pending.waitFor({ state: 'detached' });
  await assert.rejects(ask(lictor, 'GET', '/api/me', token), /BlacklistedError/);
});

test('a login that is not kept is there in a new tab, and not in another browser', async t => {
  const context = await visit(t, browser, lictor);
  const page = await context.newPage();
  await page.goto('/account');
  await page.getByRole('checkbox', { name: 'Stay logged in' }).uncheck();
  await logIn(page, 'ada');
  await heading(page, 'Account').waitFor();
  const opened = context.waitForEvent('page');
  await page.getByRole('link', { name: 'lictor' }).first().click({ button: 'middle' });
  const second = await opened;
  await joined(second, 'Hello, ada');
  const third = await context.newPage();
  await third.goto('/account');
  await joined(third, 'Account');
  assert.equal(await third.evaluate(() => JSON.stringify(localStorage).includes('eyJ')), false);
  await third.reload();
  await heading(third, 'Account').waitFor();
  await button(third, 'Log out').click();
  for (const each of [page, second]) await button(each, 'Log in').waitFor();

  const other = await open(t, browser, lictor, '/account');
  await button(other, 'Log in').waitFor();
});

// Waits until a new tab is logged in. It takes the session of another tab that answers within a second, so on a
// slow machine it may have to ask again.
async function joined(page, title) {
  for (let tries = 1; tries < 3; tries += 1) {
    if (await heading(page, title).waitFor({ timeout: 10_000 }).then(() => true, () => false)) return;
    await page.reload();
  }
  await heading(page, title).waitFor();
}
