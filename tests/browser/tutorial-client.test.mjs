// Owns the tests of a client like that of the flask-praetorian tutorial (tutorial-client), through all of its
// pages: on another origin than the API, and on its origin, behind the proxy of Vite. The real program, real
// Chromium. Needs `npm ci` in tutorial-client.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  PASSWORD, addUser, anotherSecond, ask, button, field, heading, later, mailedLink, refused, until, visit,
} from './app.mjs';
import { servePages } from './react-lan.mjs';
import { freePort, mailTo, startChromium, startLictor, stopLictors } from './stage.mjs';
import { buildClient, serveClient, stopClients } from './tutorial-client/serve.mjs';

// The client's own rules want all four kinds of characters, and at most 30 of them.
const NEW_PASSWORD = 'Nine-copper-kettles-1!';
const KEPT = 'REACT_TOKEN_AUTH_KEY';
const LIFESPAN_S = 3;
const LIFESPAN = ['--access-lifespan', `${LIFESPAN_S}s`];
// Longer than a token lasts by default.
const EARLY = ['--early-refresh', '25h'];
const LATER_MS = 25 * 3_600_000;

let browser;

before(async () => {
  browser = await startChromium();
});

after(async () => {
  await browser?.close();
  await stopClients();
  await stopLictors();
});

// The proxy has nothing to do with the database, so another database is tried without it.
const places = { 'another origin': elsewhere, ...(process.env.LICTOR_TEST_DATABASE ? {} : { 'behind the proxy of Vite': proxied }) };

for (const [where, serve] of Object.entries(places)) {
  const slug = where.replaceAll(' ', '-');
  let shared;
  // The site of the tests that need nothing else; the first of them starts it.
  const byMail = () => (shared ??= serve(`mail-${slug}`, 'later', '--registration', 'email'));

  test(`${where}: registration with a mail, its link, the secret, logout and logins`, async t => {
    const { lictor, origin } = await byMail();
    const { page, answers } = await arrive(t, origin, [refused(401), refused(403)]);
    await page.goto('/');
    await page.getByText('Hello World', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'To the registration' }).click();
    await register(page, 'ada', 'ada@example.org');
    await says(page, 'Look for a mail to ada@example.org.');
    await page.getByText('Hello World', { exact: true }).waitFor();

    await logIn(page, 'ada', PASSWORD);
    await page.getByText('Name and password do not fit.').waitFor();
    assert.deepEqual(answers('/api/login'), [403], 'the account waits for its link');

    const link = await mailedLink(lictor, 'ada@example.org', '#/finalize');
    assert.ok(link.startsWith(`${origin}/#/finalize?token=eyJ`), link);
    await follow(page, link);
    await heading(page, 'Good to see you, ada').waitFor();
    await until(() => answers('/api/finalize').length === 2, 'two answers');
    assert.deepEqual(answers('/api/finalize'), [200, 401], 'the page asks twice, and is right with the first answer');
    await heading(page, 'Good to see you, ada').waitFor();
    await page.getByRole('link', { name: 'Go in' }).click();
    await readsSecret(page, 'ada');
    assert.deepEqual(Object.keys(await kept(page)).sort(), ['access_token', 'user']);

    await button(page, 'Log out').click();
    await heading(page, 'Login').waitFor();
    assert.equal(await kept(page), null);
    await logIn(page, 'ada', 'nine paper lanterns');
    await page.getByText('Name and password do not fit.').waitFor();
    await logIn(page, 'ada', PASSWORD);
    await readsSecret(page, 'ada');
    await page.reload();
    await readsSecret(page, 'ada');

    const { page: other, answers: others } = await arrive(t, origin, [refused(401)]);
    await follow(other, link);
    await until(() => others('/api/finalize').length === 1, 'an answer');
    await heading(other, 'A moment …').waitFor();
    assert.deepEqual([others('/api/finalize'), await kept(other)], [[401], null], 'a used link logs nobody in');
  });

  test(`${where}: what is wrong at a registration`, async t => {
    const { lictor, origin } = await byMail();
    addUser(lictor, 'wanda', '--email', 'wanda@example.org');
    const { page, answers } = await arrive(t, origin, [refused(400), refused(409)]);
    await turnTo(page, 'To the registration');
    for (const [name, email, password, status] of [
      ['wanda', 'other@example.org', PASSWORD, 409],
      ['WANDA', 'other@example.org', PASSWORD, 409],
      ['', 'other@example.org', PASSWORD, 400],
      ['walt', '', PASSWORD, 400],
      ['walt', 'walt', PASSWORD, 400],
      ['walt', 'walt@example.org', 'Aa1!', 400],
      ['walt', 'walt@example.org', 'P@ssw0rd', 400],
    ]) {
      const before = answers('/api/registration').length;
      await register(page, name, email, password);
      await until(() => answers('/api/registration').length > before, 'an answer');
      // The client has the same words for every refusal.
      await page.getByText('Somebody has this name.').waitFor();
      assert.equal(answers('/api/registration').at(-1), status, `${name} ${email} ${password}`);
    }
    // Who asks does not learn that an address has an account; its owner does.
    await register(page, 'walt', 'wanda@example.org');
    await says(page, 'Look for a mail to wanda@example.org.');
    assert.equal(answers('/api/registration').at(-1), 201);
  });

  test(`${where}: a forgotten password, the page of the link, and the new password`, async t => {
    const { lictor, origin } = await byMail();
    addUser(lictor, 'rob', '--email', 'rob@example.org');
    const { page, answers } = await arrive(t, origin, [refused(400), refused(401)]);
    for (const email of ['nobody@example.org', 'rob@example.org']) {
      await turnTo(page, 'To the login');
      await page.getByRole('link', { name: 'No password any more?' }).click();
      await field(page, 'E-mail').fill(email);
      await button(page, 'Ask for a link').click();
      await says(page, `Look for a mail to ${email}.`);
    }
    assert.deepEqual(answers('/api/reset'), [200, 200]);

    const link = await mailedLink(lictor, 'rob@example.org', '#/new_password');
    assert.ok(link.startsWith(`${origin}/#/new_password?token=eyJ`), link);
    await follow(page, link);
    await setPassword(page, NEW_PASSWORD, 'something else');
    await page.getByText('The two differ.').waitFor();
    assert.deepEqual(answers('/api/reset_finalize'), []);
    await setPassword(page, 'Aa1!');
    await says(page, 'The password stays as it was.');
    await setPassword(page, NEW_PASSWORD);
    await says(page, 'The new password counts.');
    await readsSecret(page, 'rob');
    assert.deepEqual(answers('/api/reset_finalize'), [400, 200], 'a refused password leaves the link good');

    await button(page, 'Log out').click();
    await logIn(page, 'rob', PASSWORD);
    await page.getByText('Name and password do not fit.').waitFor();
    await logIn(page, 'rob@example.org', NEW_PASSWORD);
    await readsSecret(page, 'rob');
    await follow(page, link);
    await setPassword(page, PASSWORD);
    await says(page, 'The password stays as it was.');
    assert.deepEqual(answers('/api/reset_finalize'), [400, 200, 401], 'a link works once');
  });

  test(`${where}: react-token-auth refreshes an expired token`, async t => {
    const { lictor, origin } = await serve(`expired-${slug}`, 'later');
    addUser(lictor, 'ada');
    const { page, answers } = await arrive(t, origin, [], [refused(401)]);
    await restart(lictor, ...LIFESPAN);
    await logIn(page, 'ada', PASSWORD);
    await until(async () => (await kept(page)) !== null, 'a token');
    // Its page has asked for the secret, in vain if the token has expired by then.
    await page.getByRole('status').filter({ hasText: /\w/ }).waitFor();
    await expire();
    // The next tokens last until they are used, however slow the machine is. They expire with the clock of the page.
    await restart(lictor, ...EARLY);
    for (const again of [() => page.reload(), () => page.goto('/#/'), () => page.reload()]) {
      const { access_token: last } = await kept(page);
      await anotherSecond(last);
      await again();
      await until(async () => (await kept(page)).access_token !== last, 'another token');
      await readsSecret(page, 'ada');
      await page.addInitScript(ms => {
        const now = Date.now;
        Date.now = () => now() + ms;
      }, LATER_MS);
      await later(page, LATER_MS);
    }
    assert.deepEqual([answers('/api/login'), [...new Set(answers('/api/refresh'))]], [[200], [200]]);
  });

  test(`${where}: a session that can be refreshed no more, until the next login`, async t => {
    const { lictor, origin } = await serve(`over-${slug}`, 'later');
    addUser(lictor, 'ada');
    const { page, answers } = await arrive(t, origin, [refused(401)]);
    await restart(lictor, ...LIFESPAN, '--refresh-lifespan', `${LIFESPAN_S}s`);
    await logIn(page, 'ada', PASSWORD);
    await until(async () => (await kept(page)) !== null, 'a token');
    // Its page has asked for the secret, in vain if the token has expired by then.
    await page.getByRole('status').filter({ hasText: /\w/ }).waitFor();
    await expire();
    await restart(lictor);
    await page.reload();
    // The client keeps whatever answers a refresh, and so has no token to show.
    await page.getByText('You may not.').waitFor();
    assert.deepEqual([[...new Set(answers('/api/refresh'))], (await kept(page)).error], [[401], 'ExpiredRefreshError']);
    await button(page, 'Log out').click();
    await logIn(page, 'ada', PASSWORD);
    await readsSecret(page, 'ada');
  });

  test(`${where}: a session that was ended elsewhere, until the next login`, async t => {
    const { lictor, origin } = await byMail();
    addUser(lictor, 'eda');
    const { page, answers } = await arrive(t, origin, [refused(403)]);
    await logIn(page, 'eda', PASSWORD);
    await readsSecret(page, 'eda');
    await ask(lictor, 'POST', '/api/logout', (await kept(page)).access_token);
    await page.reload();
    await page.getByRole('status').filter({ hasText: /\w/ }).waitFor();
    assert.deepEqual(answers('/api/protected'), [200, 403], 'the message of the server is shown');
    await button(page, 'Log out').click();
    await logIn(page, 'eda', PASSWORD);
    await readsSecret(page, 'eda');
  });

  test(`${where}: the first edition registers without a mail, and is logged in`, async t => {
    const { origin } = await serve(`first-${slug}`, 'first', '--registration', 'open');
    const { page, answers } = await arrive(t, origin, [refused(409)]);
    await turnTo(page, 'To the registration');
    await register(page, 'ada', 'ada@example.org');
    await readsSecret(page, 'ada');
    await button(page, 'Log out').click();
    await turnTo(page, 'To the registration');
    await register(page, 'ada', 'ada@example.org');
    await page.getByText('Somebody has this name.').waitFor();
    await logIn(page, 'ada', PASSWORD);
    await readsSecret(page, 'ada');
    assert.deepEqual([answers('/api/registration'), answers('/api/login')], [[200, 409], [200]]);
  });

  // As docs/from-flask.md says.
  test(`${where}: the later edition takes a registration without a mail for a refusal`, async t => {
    const { origin } = await serve(`open-${slug}`, 'later', '--registration', 'open');
    const { page, answers } = await arrive(t, origin, []);
    await turnTo(page, 'To the registration');
    await register(page, 'ada', 'ada@example.org');
    await page.getByText('Somebody has this name.').waitFor();
    assert.deepEqual([answers('/api/registration'), await kept(page)], [[200], null]);
    await logIn(page, 'ada', PASSWORD);
    await readsSecret(page, 'ada');
  });
}

// A token is valid until the end of the second of its `exp`.
function expire() {
  return sleep(LIFESPAN_S * 1_000 + 1_100);
}

// Restarts the server with other lifespans of tokens.
async function restart(lictor, ...flags) {
  await lictor.stop();
  await lictor.start(...flags);
}

// A lictor, and the client on another port.
async function elsewhere(name, edition, ...flags) {
  const pages = await servePages('127.0.0.1');
  const lictor = await startLictor(name, ...mailTo(name), ...linksTo(pages.origin), ...flags);
  pages.folder = await buildClient(lictor.url, edition);
  return { lictor, origin: pages.origin };
}

// A lictor behind the server of the client.
async function proxied(name, edition, ...flags) {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const lictor = await startLictor(name, ...mailTo(name), ...linksTo(origin), ...flags);
  await serveClient(port, lictor.url, edition);
  return { lictor, origin };
}

function linksTo(origin) {
  return ['--confirmation-url', `${origin}/#/finalize`, '--reset-url', `${origin}/#/new_password`];
}

// A page in a new browser profile, and the statuses that a path of the API has answered to it.
async function arrive(t, origin, expected, possible = []) {
  const context = await visit(t, browser, { url: origin }, { expected, possible });
  const seen = [];
  context.on('response', answer => {
    if (answer.request().method() !== 'OPTIONS') seen.push([new URL(answer.url()).pathname, answer.status()]);
  });
  const answers = path => seen.filter(([each]) => each === path).map(([, status]) => status);
  return { page: await context.newPage(), answers };
}

// Like a link from a mail program, which loads the document again.
async function follow(page, link) {
  await page.goto('about:blank');
  await page.goto(link);
}

async function register(page, name, email, password = PASSWORD) {
  await field(page, 'Username').fill(name);
  await field(page, 'E-mail').fill(email);
  await field(page, 'Password').fill(password);
  await button(page, 'Register').click();
}

// By the start page: where a page with a form is loaded first, react-token-auth tells it of a token before the
// guarded page hears of it, and the two send the browser to each other for ever.
async function turnTo(page, link) {
  await page.goto('/#/');
  await page.getByRole('link', { name: link }).click();
}

async function logIn(page, name, password) {
  await turnTo(page, 'To the login');
  await field(page, 'Username').fill(name);
  await field(page, 'Password').fill(password);
  await button(page, 'Log in').click();
}

async function setPassword(page, password, again = password) {
  await field(page, 'New password').fill(password);
  await field(page, 'The same again').fill(again);
  await button(page, 'Set it').click();
}

// The dialog with this text, which is then closed.
async function says(page, text) {
  const dialog = page.getByRole('dialog').filter({ hasText: text });
  await dialog.waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
}

function readsSecret(page, name) {
  return page.getByText(`protected endpoint (allowed usr ${name})`, { exact: true }).waitFor();
}

// What react-token-auth keeps in this browser: the whole answer with the token.
function kept(page) {
  return page.evaluate(key => JSON.parse(localStorage.getItem(key)), KEPT);
}
