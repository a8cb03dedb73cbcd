// Owns the tests of the pages that log people in to apps behind a proxy, without a proxy: the login and the
// way back, another account, a browser without cookies, app passwords. The app is a page at another port
// of the same host, which gets the same cookies. The real program, real Chromium.

import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import { after, before, test } from 'node:test';
import {
  PASSWORD, addUser, ask, button, codeOf, enrol, field, heading, inspect, logIn, logInByApi, open, refused,
  unreachable, until,
} from './app.mjs';
import { listen, startChromium, startLictor, stopLictors, writeFile } from './stage.mjs';

const NEW_PASSWORD = 'seven copper kettles in a row';
const APP_PAGE = 'the page of the app';

let browser, lictor, app;

before(async () => {
  browser = await startChromium();
  app = await startApp();
  const rules = writeFile('access', '127.0.0.1 users\n127.0.0.1/family role family\n');
  lictor = await startLictor('apps', '--throttle', 'off', '--public-url', '{url}', '--access', rules);
});

after(async () => {
  await browser?.close();
  await stopLictors();
});

test('the first visit: the app asks, the login, and back to the page; then a click is enough', async t => {
  addUser(lictor, 'ada');
  const page = await open(t, browser, lictor, loginFor('/page?a=1&b=2'), { expected: [refused(401)] });
  await page.getByText('127.0.0.1 asks you to log in.').waitFor();
  await inspect(page, 'login for an app');
  await logIn(page, 'ada', `${PASSWORD}!`);
  await page.getByText('The username or the password is wrong.').waitFor();
  await logIn(page, 'ada');
  await page.getByText(APP_PAGE).waitFor();
  assert.equal(page.url(), `${app.url}/page?a=1&b=2`);
  const [cookie, ...others] = await page.context().cookies();
  assert.deepEqual(others, []);
  assert.deepEqual([cookie.name, cookie.httpOnly, cookie.sameSite, cookie.path], ['lictor', true, 'Lax', '/']);
  assert.ok(app.cookies().includes(cookie.value), 'the app got the cookie');

  await page.goto(loginFor('/page'));
  await heading(page, 'Continue to 127.0.0.1').waitFor();
  await page.getByText('You are logged in as ada.').waitFor();
  await inspect(page, 'continue to the app');
  await page.waitForLoadState('networkidle');
  assert.equal(new URL(page.url()).pathname, '/login', 'nothing happens without a click');
  await page.getByRole('link', { name: 'Continue', exact: true }).click();
  await page.getByText(APP_PAGE).waitFor();
});

test('logging out ends the cookie and its session, and the app asks again', async t => {
  addUser(lictor, 'bea');
  const page = await open(t, browser, lictor, loginFor('/'));
  await logIn(page, 'bea');
  await page.getByText(APP_PAGE).waitFor();
  const [cookie] = await page.context().cookies();
  await page.goto('/');
  await button(page, 'Log out').click();
  await heading(page, 'Welcome to lictor').waitFor();
  await withoutCookie(page);
  await page.context().addCookies([cookie]);
  await page.goto(loginFor('/'));
  await page.getByText('127.0.0.1 asks you to log in.').waitFor();
});

test('a logout without a connection says that the apps are open, and ends at the server later', async t => {
  addUser(lictor, 'rui');
  const page = await open(t, browser, lictor, loginFor('/'), { expected: [unreachable] });
  const context = page.context();
  await logIn(page, 'rui');
  await page.getByText(APP_PAGE).waitFor();
  const [cookie] = await context.cookies();
  const pending = page.getByText('The server does not answer, so you may still be logged in to the apps.');

  await page.goto('/account');
  await heading(page, 'Where you are logged in', 2).waitFor();
  await context.setOffline(true);
  await button(page, 'Log out').click();
  await heading(page, 'Welcome to lictor').waitFor();
  await pending.waitFor();
  await inspect(page, 'logout without a connection');
  await page.getByRole('navigation').getByRole('link', { name: 'Log in' }).click();
  await heading(page, 'Log in').waitFor();
  await pending.waitFor();
  await button(page, 'Try again').click();
  await pending.waitFor();
  assert.equal((await context.cookies()).length, 1);

  await context.setOffline(false);
  await pending.waitFor({ state: 'detached' });
  await withoutCookie(page);
  await context.addCookies([cookie]);
  await page.goto(loginFor('/'));
  await page.getByText('127.0.0.1 asks you to log in.').waitFor();
});

test('a browser with the cookie alone can log out', async t => {
  addUser(lictor, 'sia');
  const page = await open(t, browser, lictor, loginFor('/'), { expected: [unreachable] });
  await logIn(page, 'sia');
  await page.getByText(APP_PAGE).waitFor();
  await page.goto('/');
  await page.evaluate(() => localStorage.clear());
  const still = page.getByText('sia is still logged in to the apps.');
  for (const path of ['/', '/login', '/account']) {
    await page.goto(path);
    await still.waitFor();
    await inspect(page, `the cookie alone, ${path}`);
  }
  await page.context().setOffline(true);
  await button(page, 'Log out').click();
  await page.getByText('The server does not answer, so you may still be logged in to the apps.').waitFor();
  await page.context().setOffline(false);
  await button(page, 'Try again').waitFor({ state: 'detached' });
  await withoutCookie(page);
  await page.reload();
  await field(page, 'Password').waitFor();
  await page.waitForLoadState('networkidle');
  assert.equal(await still.count(), 0);
});

test('a login ends a pending logout', async t => {
  addUser(lictor, 'tom');
  const page = await open(t, browser, lictor, loginFor('/'), { expected: [unreachable, refused(403)] });
  await logIn(page, 'tom');
  await page.getByText(APP_PAGE).waitFor();
  await page.goto('/');
  await heading(page, 'Hello, tom').waitFor();
  const ended = [];
  page.on('request', asked => asked.method() === 'DELETE' && ended.push(asked.url()));
  await page.context().setOffline(true);
  await button(page, 'Log out').click();
  await button(page, 'Try again').waitFor();
  assert.equal(ended.length, 1);
  const other = await page.context().newPage();
  await page.route('**/api/**', route => route.abort('connectionrefused'));
  await page.context().setOffline(false);
  await other.goto('/login');
  await logIn(other, 'tom');
  await heading(other, 'Hello, tom').waitFor();
  await button(page, 'Log out').waitFor();
  await page.unroute('**/api/**');
  // After many attempts, the next one might be a minute away.
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await heading(page, 'Hello, tom').waitFor();
  assert.equal((await page.context().cookies()).length, 1);
  await other.goto(loginFor('/page'));
  await other.getByText('You are logged in as tom.').waitFor();

  const before = ended.length;
  await ask(lictor, 'POST', '/api/logout/all', await logInByApi(lictor, 'tom'));
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Account' }).click();
  await page.getByText('Your session has ended.').waitFor();
  await page.waitForLoadState('networkidle');
  assert.equal(ended.length, before);
});

test('the fragment of the first page is kept, also by a registration', async t => {
  addUser(lictor, 'uli');
  const page = await open(t, browser, lictor, `${app.url}/asks#/a?b=1`);
  await logIn(page, 'uli');
  await page.getByText(APP_PAGE).waitFor();
  assert.equal(page.url(), `${app.url}/page?x=1#/a?b=1`);
  await page.goto(`${app.url}/asks#other`);
  await page.getByRole('link', { name: 'Continue', exact: true }).click();
  await page.getByText(APP_PAGE).waitFor();
  assert.equal(page.url(), `${app.url}/page?x=1#other`);

  const next = await open(t, browser, lictor, `${app.url}/asks#frag`);
  await next.getByRole('main').getByRole('link', { name: 'Register' }).click();
  await field(next, 'Username').fill('vera');
  await field(next, 'Password').fill(PASSWORD);
  await button(next, 'Register').click();
  await next.getByText(APP_PAGE).waitFor();
  assert.equal(next.url(), `${app.url}/page?x=1#frag`);
});

test('without a page to return to, the login is an ordinary one', async t => {
  addUser(lictor, 'wim');
  const page = await open(t, browser, lictor, '/');
  for (const to of ['', '/login', '/', lictor.url, `${lictor.url}/login?return=x`]) {
    await page.goto(`/login?return=${encodeURIComponent(to)}`);
    await field(page, 'Password').waitFor();
    assert.equal(await page.getByText(/asks you|does not belong/).count(), 0, to);
  }
  await logIn(page, 'wim');
  await heading(page, 'Hello, wim').waitFor();
  await page.goto('/login?return=%2Flogin');
  await heading(page, 'Hello, wim').waitFor();
});

test('a session that was ended elsewhere leads to the login', async t => {
  addUser(lictor, 'cleo');
  const page = await open(t, browser, lictor, loginFor('/'), { expected: [refused(403)] });
  await logIn(page, 'cleo');
  await page.getByText(APP_PAGE).waitFor();
  await ask(lictor, 'POST', '/api/logout/all', await logInByApi(lictor, 'cleo'));
  await page.goto(loginFor('/'));
  await field(page, 'Password').waitFor();
  await logIn(page, 'cleo');
  await page.getByText(APP_PAGE).waitFor();
});

test('whoever is logged in to lictor alone goes to the app at once', async t => {
  addUser(lictor, 'dora');
  const page = await open(t, browser, lictor, loginFor('/page'), { token: await logInByApi(lictor, 'dora') });
  await page.getByText(APP_PAGE).waitFor();
  const { sessions } = await ask(lictor, 'GET', '/api/sessions', await logInByApi(lictor, 'dora'));
  assert.deepEqual(sessions.map(each => each.browser).sort(), [false, true], 'its session has the cookie');
});

test('a second factor, and one that must be set up first', async t => {
  addUser(lictor, 'elsa');
  const { secret } = await enrol(lictor, 'elsa');
  const page = await open(t, browser, lictor, loginFor('/page'), { expected: [refused(401)] });
  await logIn(page, 'elsa');
  await field(page, 'Code').fill(codeOf(secret, 1));
  await button(page, 'Log in').click();
  await page.getByText(APP_PAGE).waitFor();

  const strict = await startLictor('strict', '--throttle', 'off', '--public-url', '{url}', '--require-second-factor', 'all');
  addUser(strict, 'fay');
  const other = await open(t, browser, strict, loginFor('/page'));
  await logIn(other, 'fay');
  await heading(other, 'Set up your second factor').waitFor();
  // The cookie alone is not enough to set it up.
  await other.evaluate(() => localStorage.clear());
  await other.reload();
  await other.getByText('127.0.0.1 asks you to log in.').waitFor();
  await logIn(other, 'fay');
  await heading(other, 'Set up your second factor').waitFor();
  await field(other, 'Current password').fill(PASSWORD);
  await button(other, 'Continue').click();
  const key = await other.getByRole('textbox', { name: 'Key' }).inputValue();
  await field(other, 'Code').fill(codeOf(key));
  await button(other, 'Turn on').click();
  await button(other, "I've saved them").click();
  await other.getByText(APP_PAGE).waitFor();
});

test('a missing role is said, and another account goes on', async t => {
  addUser(lictor, 'gil');
  addUser(lictor, 'hal', '--role', 'family');
  const page = await open(t, browser, lictor, loginFor('/family/album'));
  await logIn(page, 'gil');
  await heading(page, 'gil may not open this page of 127.0.0.1').waitFor();
  await inspect(page, 'a missing role');
  await page.getByRole('link', { name: 'My account' }).click();
  await heading(page, 'Account').waitFor();
  await page.goBack();
  await button(page, 'Use another account').click();
  await page.getByText('127.0.0.1 asks you to log in.').waitFor();
  await withoutCookie(page);
  await logIn(page, 'hal');
  await page.getByText(APP_PAGE).waitFor();
  assert.equal(page.url(), `${app.url}/family/album`);
});

test('an app that sends people back is named, and nothing goes around in circles', async t => {
  addUser(lictor, 'qua');
  const page = await open(t, browser, lictor, loginFor('/never'));
  // At once is within ten seconds, so the clock stands still for a slow machine.
  await page.context().addInitScript(now => (Date.now = () => now), Date.now());
  await page.reload();
  await logIn(page, 'qua');
  await page.getByText('127.0.0.1 has sent you back. Either qua may not open it').waitFor();
  await inspect(page, 'sent back');
  assert.equal(app.visits('/never'), 1);
  await page.getByRole('link', { name: 'Continue', exact: true }).click();
  await page.waitForURL(`${lictor.url}/login*`);
  await page.getByText('127.0.0.1 has sent you back.').waitFor();
  assert.equal(app.visits('/never'), 2);
  await page.goto(loginFor('/page'));
  await heading(page, 'Continue to 127.0.0.1').waitFor();
  assert.equal(await page.getByText('127.0.0.1 has sent you back.').count(), 0, 'the other page has not');
});

test('nobody is sent to an address that is none of this site', async t => {
  addUser(lictor, 'ivy');
  const page = await open(t, browser, lictor, '/');
  for (const to of [
    'https://evil.example/',
    'https://127.0.0.1.evil.example/',
    'https://127.0.0.1@evil.example/',
    '//evil.example/',
    '/\\evil.example/',
    '\\\\evil.example/',
    'javascript:alert(1)',
    'data:text/html,x',
    `${app.url}/${'x'.repeat(2100)}`,
  ]) {
    await page.goto(`/login?return=${encodeURIComponent(to)}`);
    await page.getByText('The address that you came from does not belong to this site').waitFor();
    await field(page, 'Password').waitFor();
  }
  await inspect(page, 'login, unknown address');
  await logIn(page, 'ivy');
  await heading(page, 'Hello, ivy').waitFor();
  assert.equal(new URL(page.url()).origin, lictor.url);

  await page.goto('/login?return=https%3A%2F%2Fevil.example%2F');
  await heading(page, 'Unknown address').waitFor();
  await inspect(page, 'unknown address');
  await page.getByRole('link', { name: 'To the start page' }).click();
  await heading(page, 'Hello, ivy').waitFor();
});

test('the way back may be a page of lictor, or unencoded as nginx writes it', async t => {
  addUser(lictor, 'jan');
  const page = await open(t, browser, lictor, `/login?return=${app.url}/page?token=x&invitation=y&c=%20`);
  await logIn(page, 'jan');
  await page.getByText(APP_PAGE).waitFor();
  assert.equal(page.url(), `${app.url}/page?token=x&invitation=y&c=%20`);
  await page.goto('/login?return=%2Faccount');
  await page.getByRole('link', { name: 'Continue', exact: true }).click();
  await heading(page, 'Account').waitFor();
});

test('a registration on the way is followed by the app', async t => {
  const page = await open(t, browser, lictor, loginFor('/page'));
  await page.getByRole('main').getByRole('link', { name: 'Register' }).click();
  await heading(page, 'Register').waitFor();
  await field(page, 'Username').fill('kim');
  await field(page, 'Password').fill(PASSWORD);
  await button(page, 'Register').click();
  await page.getByText(APP_PAGE).waitFor();
});

test('a browser that keeps no cookie is told so', async t => {
  addUser(lictor, 'lea');
  const url = await withoutCookies(lictor);
  const page = await open(t, browser, { ...lictor, url }, loginFor('/page'));
  await logIn(page, 'lea');
  await heading(page, 'Your browser does not keep the login').waitFor();
  await inspect(page, 'no cookie');
  await button(page, 'Try again').click();
  await heading(page, 'Your browser does not keep the login').waitFor();
});

test('the account page marks the browsers of the apps, and a new password keeps them', async t => {
  addUser(lictor, 'max');
  const page = await open(t, browser, lictor, '/login');
  await logIn(page, 'max');
  await heading(page, 'Hello, max').waitFor();
  const [before] = await page.context().cookies();
  assert.equal(before.name, 'lictor', 'with access rules, every login is one for the apps');
  await logInByApi(lictor, 'max');
  await page.goto('/account');
  const rows = page.getByRole('listitem').filter({ hasText: '127.0.0.1' });
  await rows.nth(1).waitFor();
  assert.equal(await rows.filter({ hasText: 'Also logged in to apps' }).filter({ hasText: 'This one' }).count(), 1);
  assert.equal(await rows.filter({ hasText: 'Also logged in to apps' }).count(), 1);
  await inspect(page, 'account, a browser of the apps');

  await button(page, 'Change password').click();
  assert.equal(await page.getByLabel('Keep my app passwords').count(), 0, 'there are none');
  await field(page, 'Current password').fill(PASSWORD);
  await field(page, 'New password').fill(NEW_PASSWORD);
  await button(page, 'Change password').click();
  await page.getByText('Your password is changed.').waitFor();
  await page.goto(loginFor('/'));
  await page.getByText('You are logged in as max.').waitFor();
  const [renewed] = await page.context().cookies();
  assert.notEqual(renewed.value, before.value);
});

test('app passwords: made, shown once, kept or not by a new password, deleted', async t => {
  addUser(lictor, 'nia');
  const page = await open(t, browser, lictor, '/account', { token: await logInByApi(lictor, 'nia'), expected: [refused(400)] });
  const rows = page.getByRole('listitem').filter({ has: page.getByRole('button', { name: /^Delete app password/ }) });
  await button(page, 'Add app password').click();
  await field(page, 'Name').fill('Phone');
  await field(page, 'Only for these hosts (optional)').fill('https://cal.example.org/');
  await button(page, 'Create app password').click();
  await page.getByText('This is not a host.').waitFor();
  await inspect(page, 'app password, refused');
  await field(page, 'Only for these hosts (optional)').fill('cal.example.org, *.home.example.org');
  await field(page, 'Good for').selectOption('a year');
  await page.getByLabel('It may also read from the API of lictor').check();
  await button(page, 'Create app password').click();
  const secret = await page.getByRole('textbox', { name: 'New app password' }).inputValue();
  assert.match(secret, /^lap_[0-9a-z]{24}$/);
  await page.getByText('Use it with the username nia. It is shown only now.').waitFor();
  await inspect(page, 'app password, made');
  await button(page, 'Close').click();
  assert.equal(await page.getByText(secret).count(), 0);
  await rows.filter({ hasText: /Phone.*cal\.example\.org, \*\.home\.example\.org.*until.*never used/ }).waitFor();

  await button(page, 'Add app password').click();
  await field(page, 'Name').fill('Script');
  await button(page, 'Create app password').click();
  await button(page, 'Close').click();
  await rows.nth(1).waitFor();
  await button(page, 'Delete app password Phone').click();
  await page.getByText('The app password is deleted.').waitFor();
  assert.equal(await rows.count(), 1);

  for (const [current, next, keep] of [[PASSWORD, NEW_PASSWORD, true], [NEW_PASSWORD, PASSWORD, false]]) {
    await button(page, 'Change password').click();
    await field(page, 'Current password').fill(current);
    await field(page, 'New password').fill(next);
    await page.getByLabel('Keep my app passwords').setChecked(keep);
    if (keep) await inspect(page, 'change password, with app passwords');
    await button(page, 'Change password').click();
    await page.getByText('Your password is changed.').waitFor();
    await page.reload();
    await button(page, 'Add app password').waitFor();
    await page.getByRole('main').getByText(/^Loading/).first().waitFor({ state: 'detached' });
    assert.equal(await rows.count(), keep ? 1 : 0);
  }
});

test('a fresh login, which a new app password needs, keeps the browser in the apps', async t => {
  const strict = await startLictor('again', '--throttle', 'off', '--public-url', '{url}', '--reauthenticate', '1h');
  addUser(strict, 'pia');
  const page = await open(t, browser, strict, loginFor('/page'), { expected: [refused(403)] });
  await logIn(page, 'pia');
  await page.getByText(APP_PAGE).waitFor();
  await page.goto('/account');
  strict.sql('UPDATE sessions SET created = created - 7200');
  await button(page, 'Add app password').click();
  await field(page, 'Name').fill('Phone');
  await button(page, 'Create app password').click();
  const dialog = page.getByRole('dialog', { name: 'Log in again' });
  await field(dialog, 'Password').fill(PASSWORD);
  await button(dialog, 'Log in').click();
  await page.getByRole('textbox', { name: 'New app password' }).waitFor();
  await page.goto(loginFor('/page'));
  await page.getByText('You are logged in as pia.').waitFor();
});

test('the pages in Portuguese', async t => {
  addUser(lictor, 'olga');
  const page = await open(t, browser, lictor, loginFor('/family/'), { locale: 'pt-PT' });
  await page.getByText('127.0.0.1 pede-lhe que inicie sessão.').waitFor();
  await inspect(page, 'login for an app, pt');
  await field(page, 'Nome de utilizador ou e-mail').fill('olga');
  await field(page, 'Palavra-passe').fill(PASSWORD);
  await button(page, 'Iniciar sessão').click();
  await heading(page, 'olga não pode abrir esta página de 127.0.0.1').waitFor();
  await inspect(page, 'a missing role, pt');
  await page.goto(loginFor('/'));
  await heading(page, 'Continuar para 127.0.0.1').waitFor();
  await inspect(page, 'continue, pt');
  await page.goto('/login?return=https%3A%2F%2Fevil.example%2F');
  await heading(page, 'Endereço desconhecido').waitFor();
  await inspect(page, 'unknown address, pt');
  await page.goto('/account');
  await button(page, 'Adicionar palavra-passe de aplicação').click();
  await inspect(page, 'add app password, pt');
  await page.evaluate(() => localStorage.clear());
  await page.goto('/');
  await page.getByText('A sessão de olga continua aberta nas aplicações.').waitFor();
  await inspect(page, 'the cookie alone, pt');
});

// Waits until the browser has no cookie; a logout goes on after the page has shown it.
function withoutCookie(page) {
  return until(async () => (await page.context().cookies()).length === 0, 'no cookie is left');
}

function loginFor(path) {
  return `/login?return=${encodeURIComponent(app.url + path)}`;
}

// An app without a login, which remembers its requests. It sends everybody to the login page from the
// paths /never and /asks, from the latter to come back to another one.
async function startApp() {
  const requests = [];
  const server = createServer((asked, answer) => {
    requests.push(asked);
    const next = { '/never': '/never', '/asks': '/page?x=1' }[asked.url];
    if (next) return answer.writeHead(302, { Location: lictor.url + loginFor(next) }).end();
    answer.setHeader('Content-Type', 'text/html; charset=utf-8');
    answer.end(`<!doctype html><html lang="en"><title>App</title><link rel="icon" href="data:,"><p>${APP_PAGE}</p>`);
  });
  server.unref();
  return {
    url: `http://127.0.0.1:${await listen(server)}`,
    cookies: () => requests.at(-1).headers.cookie ?? '',
    visits: path => requests.filter(({ url }) => url === path).length,
  };
}

// A way to a server on which every cookie of it is lost; returns its URL.
async function withoutCookies({ url }) {
  const server = createServer((asked, answer) => {
    const { method, headers } = asked;
    const onward = request(new URL(asked.url, url), { method, headers }, found => {
      const { 'set-cookie': _, ...kept } = found.headers;
      answer.writeHead(found.statusCode, kept);
      found.pipe(answer);
    });
    asked.pipe(onward);
  });
  server.unref();
  return `http://127.0.0.1:${await listen(server)}`;
}
