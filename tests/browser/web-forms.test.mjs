// Owns the tests of forms and of the keyboard: all faults at once, where the focus goes after each action,
// how strong a new password is, a login that is not remembered. The real program, real Chromium.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  PASSWORD, addUser, button, codeOf, enrol, field, heading, inspect, isFocused, logIn, logInByApi, open,
  refused, until,
} from './app.mjs';
import { mailTo, startChromium, startLictor, stopLictors, writeFile } from './stage.mjs';

const NEW_PASSWORD = 'nine copper kettles on the hill';

let browser, lictor;

before(async () => {
  lictor = await startLictor('forms', '--registration', 'email', '--throttle', 'off', ...mailTo('forms'));
  browser = await startChromium();
});

after(async () => {
  await browser?.close();
  await stopLictors();
});

test('all faults of a form are shown at once, and each goes when its field is corrected', async t => {
  const page = await open(t, browser, lictor, '/register');
  const [name, email, password] = ['Username', 'E-mail', 'Password'].map(label => field(page, label));
  await email.fill('no address');
  await password.fill('short');
  await button(page, 'Register').click();
  await page.getByText('At least 8 characters.', { exact: true }).waitFor();
  assert.deepEqual(await page.locator('.wrong').allTextContents(), [
    'Please fill this in.', 'This is not an e-mail address.', 'At least 8 characters.',
  ]);
  assert.equal(await isFocused(name), true, 'the first one has the focus');
  for (const each of [name, email, password]) {
    assert.equal(await each.getAttribute('aria-invalid'), 'true');
    assert.match(await described(each), /^(Please fill this in|This is not|At least 8 characters)\S*[^.]*\.$/, 'the hint is not said again');
  }
  await inspect(page, 'register, three faults');

  // A focused field that is wrong looks wrong.
  const colour = each => each.evaluate(input => getComputedStyle(input).outlineColor);
  const wrong = await colour(name);
  await page.keyboard.type('a');
  assert.equal(await name.getAttribute('aria-invalid'), null);
  assert.notEqual(await colour(name), wrong);
  assert.equal(await page.locator('.wrong').count(), 2);
  await email.fill('ada@');
  assert.equal(await page.locator('.wrong').count(), 2, 'not yet');
  await email.fill('ada@mail.example');
  assert.equal(await page.locator('.wrong').count(), 1);
  await password.fill('no longer short');
  assert.equal(await page.locator('.wrong').count(), 0);
  assert.match(await described(password), /^At least 8 characters\. A few/, 'the hint is back');
});

test('a problem that the server found goes with the next change of its field', async t => {
  addUser(lictor, 'bob');
  const page = await open(t, browser, lictor, '/register', { expected: [refused(409)] });
  await field(page, 'Username').fill('bob');
  await field(page, 'E-mail').fill('bob@mail.example');
  await field(page, 'Password').fill(PASSWORD);
  await button(page, 'Register').click();
  await page.getByText('This username is taken.').waitFor();
  assert.equal(await isFocused(field(page, 'Username')), true);
  await field(page, 'Username').press('End');
  await field(page, 'Username').press('2');
  assert.equal(await page.getByText('This username is taken.').count(), 0);
  assert.equal(await field(page, 'Username').getAttribute('aria-invalid'), null);
});

test('a login is typed at once, and its field has the focus again after a failure', async t => {
  const page = await open(t, browser, lictor, '/login', { expected: [refused(401)] });
  await field(page, 'Username or e-mail').waitFor();
  await page.keyboard.type('nobody');
  await page.keyboard.press('Tab');
  await page.keyboard.type('not this one');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'The username or the password is wrong.' }).waitFor();
  assert.equal(await isFocused(field(page, 'Password')), true);
});

test('after each action of the account page the focus is somewhere useful', async t => {
  addUser(lictor, 'cleo', '--email', 'cleo@mail.example');
  await logInByApi(lictor, 'cleo');
  const page = await open(t, browser, lictor, '/account', { token: await logInByApi(lictor, 'cleo') });
  await page.getByRole('button', { name: /^Log out .*127/ }).first().waitFor();
  await page.keyboard.press('Tab');

  const steps = [
    ['Change e-mail', () => opened(page, 'Change e-mail', 'New e-mail')],
    ['e-mail cancelled', () => press(page, 'Cancel'), 'Change e-mail'],
    ['Change e-mail', () => opened(page, 'Change e-mail', 'New e-mail')],
    ['e-mail sent', async () => {
      await field(page, 'New e-mail').fill('cleo@new.example');
      await field(page, 'Current password').fill(PASSWORD);
      await press(page, 'Send confirmation');
      await page.getByText('We have sent a link to cleo@new.example.').waitFor();
    }, 'Change e-mail'],
    ['Change password', () => opened(page, 'Change password', 'Current password')],
    ['password cancelled', () => press(page, 'Cancel'), 'Change password'],
    ['Turn on', () => opened(page, 'Turn on', 'Current password')],
    ['second factor cancelled', () => press(page, 'Cancel'), 'Turn on'],
    ['one session ended', async () => {
      await page.getByRole('button', { name: /^Log out .*127/ }).first().press('Enter');
      await page.getByText('That session has ended.').waitFor();
    }],
    ['Add app password', () => opened(page, 'Add app password', 'Name')],
    ['app password cancelled', () => press(page, 'Cancel'), 'Add app password'],
    ['Add app password', () => opened(page, 'Add app password', 'Name')],
    ['app password made', async () => {
      await field(page, 'Name').fill('calendar');
      await press(page, 'Create app password');
      await field(page, 'New app password').waitFor();
    }],
    ['app password closed', () => press(page, 'Close'), 'Add app password'],
    ['app password deleted', async () => {
      await button(page, 'Delete app password calendar').press('Enter');
      await page.getByText('The app password is deleted.').waitFor();
    }],
    ['deletion cancelled', async () => {
      await button(page, 'Delete account').press('Enter');
      await page.getByRole('dialog').waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    }, 'Delete account'],
  ];
  for (const [what, act, expected] of steps) {
    await act();
    await focusWhere(page, there => there.place !== 'body' && there.visible && (!expected || there.text === expected), what);
  }
});

test('each new page begins at its first field or at its heading', async t => {
  addUser(lictor, 'ben', '--email', 'ben@mail.example');
  const page = await open(t, browser, lictor, '/');
  await field(page, 'Username or e-mail').waitFor();
  const check = (what, text) =>
    focusWhere(page, there => (there.place === 'input' ? there.label === text : there.place === 'h1' && there.text === text), what);
  await check('logged out', 'Username or e-mail');
  await page.getByRole('link', { name: 'Forgot your password?' }).press('Enter');
  await check('forgot', 'E-mail');
  await field(page, 'E-mail').fill('nobody@mail.example');
  await press(page, 'Send the link');
  await heading(page, 'Check your mail').waitFor();
  await check('check your mail', 'Check your mail');
  await page.getByRole('link', { name: 'Back to login' }).press('Enter');
  await check('login', 'Username or e-mail');
  await page.keyboard.type('ben');
  await field(page, 'Password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await heading(page, 'Hello, ben').waitFor();
  await check('home', 'Hello, ben');
  await page.getByRole('navigation').getByRole('link', { name: 'Account' }).press('Enter');
  await button(page, 'Change password').waitFor();
  await check('account', 'Account');
  await press(page, 'Log out everywhere');
  await button(page.getByRole('dialog'), 'Log out everywhere').press('Enter');
  await field(page, 'Username or e-mail').waitFor();
  await check('logged out everywhere', 'Username or e-mail');
  await page.goBack();
  await page.waitForTimeout(300);
  await focusWhere(page, somewhere, 'back');
});

test('the second factor is set up on the phone itself; its recovery codes are short', async t => {
  addUser(lictor, 'dora');
  const page = await open(t, browser, lictor, '/account', {
    token: await logInByApi(lictor, 'dora'),
    viewport: { width: 320, height: 640 },
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  await opened(page, 'Turn on', 'Current password');
  await field(page, 'Current password').fill(PASSWORD);
  await press(page, 'Continue');
  const key = page.getByRole('textbox', { name: 'Key' });
  await key.waitFor();
  assert.equal(await isFocused(field(page, 'Code')), true);
  const shown = await key.inputValue();
  assert.match(shown, /^([A-Z2-7]{4} ){7}[A-Z2-7]{4}$/, 'groups of four');
  assert.equal(await key.evaluate(each => each.scrollHeight <= each.clientHeight && each.scrollWidth <= each.clientWidth), true, 'all of it is there to read');
  await button(page, 'Copy').click();
  await page.getByText('Copied.').waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, shown.replaceAll(' ', ''), 'without spaces');
  const link = await page.getByRole('link', { name: 'On this phone: open in the authenticator app' }).getAttribute('href');
  assert.ok(link.startsWith('otpauth://totp/lictor:dora?') && link.includes(copied), link);
  await inspect(page, 'second factor, on a phone');

  await field(page, 'Code').fill(codeOf(copied));
  await press(page, 'Turn on');
  await heading(page, 'Your recovery codes', 3).waitFor();
  const codes = await page.getByRole('listitem').filter({ hasText: /^\w+(-\w+)+$/ }).allTextContents();
  assert.equal(codes.length, 10);
  for (const code of codes) assert.match(code, /^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$/);
  await press(page, "I've saved them");
  await focusWhere(page, somewhere, 'saved');
});

test('after a new password no other session is listed, and its message is that of the truth', async t => {
  addUser(lictor, 'elsa');
  const { codes } = await enrol(lictor, 'elsa');
  const token = await logInWithCode('elsa', codes[0]);
  for (const code of codes.slice(1, 4)) await logInWithCode('elsa', code);
  const page = await open(t, browser, lictor, '/account', { token });
  const rows = page.getByRole('listitem').filter({ hasText: '127.0.0.1' });
  await rows.nth(4).waitFor();
  await opened(page, 'Change password', 'Current password');
  await field(page, 'Current password').fill(PASSWORD);
  await field(page, 'New password').fill(NEW_PASSWORD);
  await field(page, 'Code').fill(codes[4]);
  // The list is not older than the message.
  const listed = page.evaluate(() => new Promise(done => {
    new MutationObserver(() => {
      if (!document.body.textContent.includes('All other sessions have ended.')) return;
      done([...document.querySelectorAll('li')].filter(each => each.textContent.includes('127.0.0.1')).length);
    }).observe(document.body, { childList: true, subtree: true, characterData: true });
  }));
  await press(page, 'Change password');
  assert.ok((await listed) <= 1, `${await listed} sessions`);
  await rows.filter({ hasText: 'This' }).waitFor();
  assert.equal(await rows.count(), 1);
  await focusWhere(page, there => there.text === 'Change password', 'a new password');
});

test('deleting the account is confirmed on the page that follows', async t => {
  addUser(lictor, 'fay');
  const page = await open(t, browser, lictor, '/account', { token: await logInByApi(lictor, 'fay') });
  await press(page, 'Delete account');
  const dialog = page.getByRole('dialog', { name: 'Delete account' });
  await field(dialog, 'Current password').fill(PASSWORD);
  await button(dialog, 'Delete my account').press('Enter');
  await page.getByText('Your account is deleted.').waitFor();
  await focusWhere(page, somewhere, 'deleted');
});

test('a hint says how strong a new password is, and stops nobody', async t => {
  const page = await open(t, browser, lictor, '/register');
  await field(page, 'Username').fill('gilberto');
  await field(page, 'E-mail').fill('gil.braga@mail.example');
  const hint = page.locator('.strength');
  assert.equal(await hint.getAttribute('role'), 'status');
  const before = await button(page, 'Register').boundingBox();
  for (const [password, words] of [
    ['abc', 'Still too short.'],
    ['gilberto1', 'It is little more than the username.'],
    ['gil.braga99', 'It is little more than the e-mail address.'],
    ['Lictor2024', 'It is little more than the name of this program.'],
    ['password1', 'Easy to guess. Better: a few unrelated words.'],
    ['Passw0rd2024!', 'Easy to guess. Better: a few unrelated words.'],
    ['qwertyuiop', 'Easy to guess. Better: a few unrelated words.'],
    ['aaaaaaaaaaaa', 'Easy to guess. Better: a few unrelated words.'],
    ['copper kettle', 'Could be harder to guess: add another word.'],
    [PASSWORD, 'Hard to guess.'],
    ['x7Kp-2vQ9-mWd4', 'Hard to guess.'],
  ]) {
    await field(page, 'Password').fill(password);
    await hint.filter({ hasText: words }).waitFor().catch(async () => assert.fail(`${password}: ${await hint.textContent()}`));
  }
  const after = await button(page, 'Register').boundingBox();
  assert.equal(after.y, before.y, 'nothing moves');
  await inspect(page, 'register, strength of the password');
  await field(page, 'Password').fill('');
  await page.waitForFunction(() => document.querySelector('.strength').textContent === '');

  // What is easy to guess is taken, unless the server knows better.
  await field(page, 'Password').fill('copper99');
  await hint.filter({ hasText: 'Easy to guess.' }).waitFor();
  await button(page, 'Register').click();
  await heading(page, 'Check your mail').waitFor();
});

test('a login that is not remembered ends with the browser, here and in the apps', async t => {
  const rules = writeFile('access', 'wiki.example.org everyone\n');
  const server = await startLictor('apps', '--throttle', 'off', '--access', rules);
  addUser(server, 'hal');
  const page = await open(t, browser, server, '/login');
  const cookie = async () => (await page.context().cookies()).find(each => each.name === 'lictor');
  const tokens = () => page.evaluate(() => [localStorage, sessionStorage].map(each => (each.getItem('lictor.auth') ?? '').includes('token')));
  const remember = page.getByRole('checkbox', { name: 'Stay logged in' });
  assert.equal(await remember.isChecked(), true, 'as before');
  await logIn(page, 'hal');
  await heading(page, 'Hello, hal').waitFor();
  assert.deepEqual(await tokens(), [true, false]);
  assert.ok((await cookie()).expires > Date.now() / 1000);
  await button(page, 'Log out').click();

  await page.goto('/login');
  await remember.uncheck();
  await inspect(page, 'login, not remembered');
  await logIn(page, 'hal');
  await heading(page, 'Hello, hal').waitFor();
  assert.deepEqual(await tokens(), [false, true]);
  assert.equal((await cookie()).expires, -1, 'the cookie goes with the browser');
  await page.reload();
  await heading(page, 'Hello, hal').waitFor();

  // Neither does a change of the password make it last.
  await page.goto('/account');
  await opened(page, 'Change password', 'Current password');
  await field(page, 'Current password').fill(PASSWORD);
  await field(page, 'New password').fill(NEW_PASSWORD);
  await press(page, 'Change password');
  await page.getByText('Your password is changed.').waitFor();
  assert.deepEqual(await tokens(), [false, true]);
  assert.equal((await cookie()).expires, -1);
});

async function logInWithCode(username, otp) {
  const body = JSON.stringify({ username, password: PASSWORD, otp });
  const answer = await fetch(`${lictor.url}/api/login`, { method: 'POST', body });
  return (await answer.json()).access_token;
}

// Presses a button of the page that opens a form, in whose first field the focus is then.
async function opened(page, name, first) {
  await press(page, name);
  await field(page, first).waitFor();
  assert.equal(await isFocused(field(page, first)), true, `${name}: ${first}`);
}

async function press(page, name) {
  await button(page, name).press('Enter');
}

const somewhere = there => there.place !== 'body';

// Waits until the element that has the focus is such a one. The page may settle before, so that a focus which
// does not stay is none.
async function focusWhere(page, isSuch, what) {
  await page.waitForTimeout(150);
  let there;
  await until(async () => isSuch((there = await focused(page))), what).catch(() => assert.fail(`${what}: ${JSON.stringify(there)}`));
}

// Describes the element that has the focus.
function focused(page) {
  return page.evaluate(() => {
    const there = document.activeElement ?? document.body;
    const { localName: place, textContent, labels } = there;
    return { place, text: textContent.slice(0, 40), label: labels?.[0]?.textContent, visible: there.checkVisibility() };
  });
}

function described(target) {
  return target.evaluate(each => (each.getAttribute('aria-describedby') ?? '').split(' ').map(id => document.getElementById(id)?.textContent).join(' '));
}
