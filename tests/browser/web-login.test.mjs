// Owns the tests of login and logout: username and password, the second factor, the keyboard, the wait
// after too many attempts. The real program, real Chromium.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  PASSWORD, addUser, button, codeOf, enrol, field, hasFocus, heading, inspect, isFocused, logIn, open, refused, until,
} from './app.mjs';
import { startChromium, startLictor, stopLictors } from './stage.mjs';

let browser, lictor;

before(async () => {
  lictor = await startLictor('login', '--throttle', 'off');
  browser = await startChromium();
  addUser(lictor, 'ada', '--email', 'ada@example.org');
});

after(async () => {
  await browser?.close();
  await stopLictors();
});

test('a page that requires a login shows the login page, and appears after the login', async t => {
  const page = await open(t, browser, lictor, '/protected', { expected: [refused(401)] });
  await page.getByText('Log in to see this page.').waitFor();
  await logIn(page, 'ada', `${PASSWORD}!`);
  await page.getByRole('alert').filter({ hasText: 'The username or the password is wrong.' }).waitFor();
  await logIn(page, 'ada@example.org');
  await page.getByText('protected endpoint (allowed usr ada)').waitFor();
  assert.equal(new URL(page.url()).pathname, '/protected');

  await page.reload();
  await page.getByText('protected endpoint (allowed usr ada)').waitFor();
  await button(page, 'Log out').click();
  await page.goBack();
  await page.getByText('Log in to see this page.').waitFor();
});

test('a space after the name, as keyboards of phones add it, does no harm', async t => {
  const page = await open(t, browser, lictor, '/login');
  await logIn(page, 'ada ');
  await heading(page, 'Hello, ada').waitFor();
});

test('with the keyboard alone: log in, open the account, log out', async t => {
  const page = await open(t, browser, lictor, '/no-such-page');
  await heading(page, 'Page not found').waitFor();
  await page.keyboard.press('Tab');
  assert.equal(await isFocused(page.getByRole('link', { name: 'Skip to content' })), true, 'the first way is past the navigation');
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('main').getByRole('link', { name: 'To the start page' }));
  await page.keyboard.press('Enter');

  await heading(page, 'Welcome to lictor').waitFor();
  assert.equal(await isFocused(field(page, 'Username or e-mail')), true, 'the name can be typed at once');
  await page.keyboard.type('ada');
  await tabTo(page, field(page, 'Password'));
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Tab');
  assert.equal(await isFocused(button(page, 'Show password')), true);
  await page.keyboard.press('Space');
  assert.equal(await page.getByRole('textbox', { name: 'Password' }).inputValue(), PASSWORD);
  await tabTo(page, button(page, 'Log in'));
  await page.keyboard.press('Enter');

  await heading(page, 'Hello, ada').waitFor();
  assert.equal(await isFocused(heading(page, 'Hello, ada')), true, 'a page without a form begins at its heading');
  await tabTo(page, page.getByRole('main').getByRole('link', { name: 'Account' }));
  await page.keyboard.press('Enter');
  await heading(page, 'Account').waitFor();
  await tabTo(page, button(page, 'Log out'), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await heading(page, 'Welcome to lictor').waitFor();
});

test('the second factor: a code of the app, or a recovery code once', async t => {
  addUser(lictor, 'bea');
  const { secret, codes } = await enrol(lictor, 'bea');
  const page = await open(t, browser, lictor, '/login', { expected: [refused(401)] });
  await logIn(page, 'bea');
  await heading(page, 'Second factor').waitFor();
  assert.equal(await isFocused(field(page, 'Code')), true, 'the code can be typed at once');
  await inspect(page, 'second factor');
  await field(page, 'Code').fill('000000');
  await button(page, 'Log in').click();
  await page.getByText('The code is wrong, too old, or has been used.').waitFor();
  assert.equal(await field(page, 'Code').getAttribute('aria-invalid'), 'true');
  await inspect(page, 'second factor, refused');
  await field(page, 'Code').fill(codeOf(secret, 1));
  await button(page, 'Log in').click();
  await heading(page, 'Hello, bea').waitFor();
  await button(page, 'Log out').click();

  for (const [code, good] of [[codes[0], true], [codes[0], false], [codes[1], true]]) {
    await page.goto('/login');
    await logIn(page, 'bea');
    await button(page, 'Use a recovery code instead').click();
    await field(page, 'Recovery code').fill(code);
    await button(page, 'Log in').click();
    if (!good) {
      await page.getByText('The code is wrong, too old, or has been used.').waitFor();
      await button(page, 'Cancel').click();
      await field(page, 'Username or e-mail').waitFor();
      continue;
    }
    await heading(page, 'Hello, bea').waitFor();
    await button(page, 'Log out').click();
  }
});

test('the device secret is kept after a logout, until the account is deleted', async t => {
  addUser(lictor, 'dora');
  const page = await open(t, browser, lictor, '/login');
  const [sent, answered] = [[], []];
  page.on('response', async response => {
    if (!response.url().endsWith('/api/login')) return;
    sent.push(response.request().postDataJSON().device);
    answered.push((await response.json()).device);
  });
  for (const [n, name] of ['dora', 'ada', 'dora'].entries()) {
    await page.goto('/login');
    await logIn(page, name);
    await heading(page, `Hello, ${name}`).waitFor();
    // Its body is gone when another document is loaded.
    await until(() => answered.length > n, 'the answer');
    if (n < 2) await button(page, 'Log out').click();
  }
  assert.deepEqual(sent, ['', answered[0], answered[1]]);
  assert.equal(answered[1].split('.').length, 2, 'one value for each of the two users');
  const kept = await page.evaluate(() => Object.values(localStorage).join());
  for (const value of answered[2].split('.')) assert.ok(kept.includes(value));

  await page.goto('/account');
  await button(page, 'Delete account').click();
  const dialog = page.getByRole('dialog', { name: 'Delete account' });
  await field(dialog, 'Current password').fill(PASSWORD);
  await button(dialog, 'Delete my account').click();
  await heading(page, 'Welcome to lictor').waitFor();
  await page.goto('/login');
  await logIn(page, 'ada');
  await heading(page, 'Hello, ada').waitFor();
  await until(() => answered.length === 4, 'the answer');
  assert.equal(sent.at(-1), answered[2].split('.')[1], 'the value of the other user is kept');
});

test('a throttled login sends nothing meanwhile', async t => {
  const page = await open(t, browser, lictor, '/login', { expected: [refused(429)] });
  const asked = [];
  page.on('request', request => request.url().endsWith('/api/login') && asked.push(request.method()));
  // A wait that lasts longer than the test, however slow that is.
  await page.route('**/api/login', route => route.fulfill({
    status: 429,
    headers: { 'Retry-After': '3600' },
    json: { error: 'TooManyRequests', message: 'x', status_code: 429 },
  }));
  await logIn(page, 'ada', `${PASSWORD}!`);
  const waiting = page.getByRole('button', { name: /^Try again in \d+ minutes$/ });
  await waiting.waitFor();
  assert.equal(await waiting.getAttribute('aria-disabled'), 'true');
  await page.getByText('Too many attempts. Please wait a little.').waitFor();
  await inspect(page, 'login, throttled');
  await waiting.click({ force: true });
  await page.keyboard.press('Enter');
  assert.equal(asked.length, 1, 'nothing is sent meanwhile');
});

test('a throttled login counts down, and succeeds afterwards', async t => {
  const strict = await startLictor('strict');
  addUser(strict, 'cleo');
  await failUntilItWaits(strict, 'cleo', 2);
  const page = await open(t, browser, strict, '/login', { expected: [refused(429)], possible: [refused(401)] });

  // What the button says meanwhile, which is over soon.
  await button(page, 'Log in').waitFor();
  await page.evaluate(() => {
    globalThis.labels = [];
    const look = () => globalThis.labels.push(document.querySelector('button[type=submit]')?.textContent);
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
  });
  // A wait that is over before the page asks is followed by a longer one.
  const answers = [];
  page.on('response', answer => answer.url().endsWith('/api/login') && answers.push(answer.status()));
  for (let times = 1; times <= 10 && answers.at(-1) !== 429; times += 1) {
    await logIn(page, 'cleo', `${PASSWORD}!`);
    await until(() => answers.length === times, 'an answer');
  }
  await page.getByText('You can try again now.').waitFor();
  const labels = await page.evaluate(() => globalThis.labels);
  assert.ok(labels.some(text => /^Try again in \d+ seconds?$/.test(text)), labels.join());
  await logIn(page, 'cleo');
  await heading(page, 'Hello, cleo').waitFor();
});

// Guesses as soon as each guess is allowed, until the next one must wait this number of seconds.
async function failUntilItWaits(server, username, seconds) {
  for (let wait = 0; wait < seconds; ) {
    await sleep(wait * 1000);
    const body = JSON.stringify({ username, password: 'wrong' });
    const answer = await fetch(`${server.url}/api/login`, { method: 'POST', body });
    wait = Number(answer.headers.get('Retry-After') ?? 0);
  }
}

async function tabTo(page, target, key = 'Tab') {
  for (let i = 0; i < 15; i += 1) {
    if (await hasFocus(target)) return;
    await page.keyboard.press(key);
  }
  assert.fail(`${key} does not lead to ${target}`);
}

test('after a cancelled second step, the name and the choice not to stay logged in are still there', async t => {
  addUser(lictor, 'gil');
  await enrol(lictor, 'gil');
  const page = await open(t, browser, lictor, '/login', { expected: [refused(401)] });
  const stay = page.getByRole('checkbox', { name: 'Stay logged in' });
  await stay.uncheck();
  await logIn(page, 'gil');
  await field(page, 'Code').waitFor();
  await button(page, 'Cancel').click();
  assert.equal(await field(page, 'Username or e-mail').inputValue(), 'gil');
  assert.equal(await field(page, 'Password').inputValue(), '');
  assert.equal(await stay.isChecked(), false);
});
