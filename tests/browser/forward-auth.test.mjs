// Owns the tests of one login for several apps behind a proxy: the way to the login page and back, other
// names, logging out, who may open what, where nobody is sent, and forms of other sites. The real program,
// real Caddy, real Chromium.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PASSWORD, addUser, ask, button, field, heading, idIn, inspect, logIn, logInByApi, refused, visit } from './app.mjs';
import { CAL, HOME, LOGIN, WIKI, startSite } from './proxied.mjs';
import { stopLictors } from './stage.mjs';

const COOKIE = '__Secure-lictor';

let browser, lictor, seen, site;

before(async () => {
  ({ browser, lictor, seen, site } = await startSite('--throttle', 'off'));
  addUser(lictor, 'ada');
  addUser(lictor, 'fay', '--role', 'family');
  addUser(lictor, 'root', '--role', 'admin');
});

after(async () => {
  await browser?.close();
  await stopLictors();
});

// A new browser profile, in which no page leads anywhere but to our names.
async function profile(t, options) {
  const context = await visit(t, browser, site, { ...options, ignoreHTTPSErrors: true });
  const elsewhere = [];
  context.on('request', request => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol.startsWith('http') && !hostname.endsWith('.example.org')) elsewhere.push(request.url());
  });
  t.after(() => assert.deepEqual(elsewhere, [], 'requests to other sites'));
  return context;
}

// A page of a new profile, which has logged in at the wiki as this user.
async function loggedIn(t, name, options) {
  const context = await profile(t, options);
  const page = await context.newPage();
  await page.goto(`${WIKI}/`);
  await logIn(page, name);
  await heading(page, `GET by ${name}`).waitFor();
  return page;
}

// Also waits for the answer, which deletes the cookie: the web app does not.
async function logOut(page) {
  const ended = page.waitForResponse(`${LOGIN}/api/logout`);
  await button(page, 'Log out').click();
  await heading(page, 'Welcome to lictor').waitFor();
  await (await ended).finished();
}

const cookieOf = async page => (await page.context().cookies()).find(({ name }) => name === COOKIE);

test('the first visit leads to the login page and back; another app knows the user already', async t => {
  const context = await profile(t);
  const page = await context.newPage();
  const wanted = `${WIKI}/a/b?x=1&return=https%3A%2F%2Fother.example%2F&y=%C3%A4+b#part`;
  await page.goto(wanted);
  assert.equal(new URL(page.url()).origin, LOGIN);
  await page.getByText('wiki.example.org asks you to log in.').waitFor();
  await inspect(page, 'login for an app');
  await logIn(page, 'ada');
  await heading(page, 'GET by ada').waitFor();
  assert.equal(page.url().split('#')[0], wanted.split('#')[0]);

  const { value, ...attributes } = await cookieOf(page);
  const { domain, path, httpOnly, secure, sameSite, expires } = attributes;
  assert.deepEqual({ domain, path, httpOnly, secure, sameSite }, { domain: '.example.org', path: '/', httpOnly: true, secure: true, sameSite: 'Lax' });
  assert.ok(expires > Date.now() / 1000 + 3600, 'it outlives the browser');
  assert.equal(await page.evaluate(() => document.cookie), '', 'no script reads it');
  assert.ok(!JSON.stringify(seen).includes(value), 'no app receives it');

  await page.goto(`${CAL}/`);
  await heading(page, 'GET by ada').waitFor();
  await page.goto(`${WIKI}/public/x`);
  await heading(page, 'GET by ada').waitFor();
});

test('logging out on the login page ends it everywhere', async t => {
  const page = await loggedIn(t, 'ada');
  const other = await page.context().newPage();
  await other.goto(`${CAL}/`);
  await heading(other, 'GET by ada').waitFor();
  await page.goto(`${LOGIN}/`);
  await logOut(page);
  assert.equal(await cookieOf(page), undefined);
  for (const [each, url] of [[other, `${CAL}/`], [page, `${WIKI}/x`]]) {
    await each.goto(url);
    assert.equal(new URL(each.url()).origin, LOGIN);
    await each.getByText(`${new URL(url).host} asks you to log in.`).waitFor();
  }
});

test('the administrator ends the session: the next click is the login page', async t => {
  // The web app tries its token.
  const page = await loggedIn(t, 'ada', { expected: [refused(403)] });
  const root = await logInByApi(lictor, 'root');
  const ada = idIn(await logInByApi(lictor, 'ada'));
  await ask(lictor, 'DELETE', `/api/admin/users/${ada}/sessions`, root);
  await page.goto(`${WIKI}/next`);
  assert.equal(new URL(page.url()).origin, LOGIN);
  await logIn(page, 'ada');
  await heading(page, 'GET by ada').waitFor();
  assert.equal(page.url(), `${WIKI}/next`);
});

test('who may not open an app can use another account', async t => {
  // The icon of a host where only one path may be opened; a browser without windows does not ask for it.
  const page = await loggedIn(t, 'ada', { possible: [refused(403)] });
  await page.goto(`${HOME}/files/`);
  await heading(page, 'ada may not open this page of home.example.org').waitFor();
  await inspect(page, 'a missing role');
  await button(page, 'Use another account').click();
  await page.getByText('home.example.org asks you to log in.').waitFor();
  await logIn(page, 'fay');
  await heading(page, 'GET by fay').waitFor();
  assert.equal(page.url(), `${HOME}/files/`);
});

// None of these is an address of this site.
const ELSEWHERE = [
  'https://other.example/',
  'HTTPS://OTHER.EXAMPLE/',
  '//other.example/',
  '/\\other.example/',
  '\\\\other.example/',
  '///other.example/',
  'https:other.example/',
  'https:/other.example/',
  'https:\\\\other.example/',
  'https://wiki.example.org@other.example/',
  'https://wiki.example.org:x@other.example/',
  'https://other.example\\@wiki.example.org/',
  'https://other.example#@wiki.example.org/',
  'https://other.example?wiki.example.org/',
  'https://wiki.example.org.other.example/',
  'https://otherexample.org/',
  'https://example.org.other/',
  'https://wiki.example.org%2eother.example/',
  'https://wiki.example.org%00.other.example/',
  'https://other.example%2f.example.org/',
  'https://unknown.example.org/',
  'http://wiki.example.org/',
  'ftp://wiki.example.org/',
  'javascript:alert(1)//wiki.example.org/',
  'java\nscript:alert(1)',
  ' javascript:alert(1)',
  'data:text/html,<h1>other</h1>',
  'https://wiki.example.org\t.other.example/',
  'https://wiki.example.org /',
];

test('an address that is none of this site is no way back, logged in or not', async t => {
  const page = await loggedIn(t, 'ada');
  for (const to of ELSEWHERE) {
    await page.goto(`${LOGIN}/login?return=${encodeURIComponent(to)}`);
    await heading(page, 'Unknown address').waitFor().catch(error => assert.fail(`${JSON.stringify(to)}: ${error}`));
    assert.equal(await page.getByRole('link', { name: 'Continue', exact: true }).count(), 0);
  }
  const context = await profile(t);
  const stranger = await context.newPage();
  for (const to of ELSEWHERE.slice(0, 3)) {
    await stranger.goto(`${LOGIN}/login?return=${encodeURIComponent(to)}`);
    await stranger.getByText('The address that you came from does not belong to this site').waitFor();
    await logIn(stranger, 'ada');
    await heading(stranger, 'Hello, ada').waitFor();
    await logOut(stranger);
  }
});

test('with a login on arrival nobody is sent on without a click', async t => {
  const page = await loggedIn(t, 'ada');
  await page.goto(`${LOGIN}/login?return=${encodeURIComponent(`${CAL}/x?y=1&z=2`)}`);
  await heading(page, 'Continue to cal.example.org').waitFor();
  await inspect(page, 'continue');
  await page.getByRole('link', { name: 'Continue', exact: true }).click();
  await heading(page, 'GET by ada').waitFor();
  assert.equal(page.url(), `${CAL}/x?y=1&z=2`);
});

test('a form of the app itself is taken, one of another app is not', async t => {
  const page = await loggedIn(t, 'ada', { expected: [refused(403)] });
  await button(page, 'Save here').click();
  await heading(page, 'POST by ada').waitFor();
  await page.goto(`${CAL}/`);
  const taken = () => seen.filter(({ method }) => method === 'POST').length;
  const before = taken();
  const [answer] = await Promise.all([
    page.waitForResponse(`${WIKI}/saved`),
    page.waitForEvent('console'),
    button(page, 'Save in the wiki').click(),
  ]);
  assert.equal(answer.status(), 403);
  assert.equal(taken(), before, 'the wiki has seen nothing');
});

test('a wrong password stays on the login page, a right one leads back', async t => {
  const context = await profile(t, { expected: [refused(401)] });
  const page = await context.newPage();
  await page.goto(`${WIKI}/w`);
  await logIn(page, 'ada', `${PASSWORD}!`);
  await page.getByRole('alert').filter({ hasText: 'The username or the password is wrong.' }).waitFor();
  assert.equal(new URL(page.url()).origin, LOGIN);
  await field(page, 'Password').fill(PASSWORD);
  await button(page, 'Log in').click();
  await heading(page, 'GET by ada').waitFor();
  assert.equal(page.url(), `${WIKI}/w`);
});
