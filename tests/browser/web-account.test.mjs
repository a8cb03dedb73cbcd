// Owns the tests of the account page: users see and change everything about their account. The real
// program, real Chromium.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  PASSWORD, addUser, ask, button, codeOf, enrol, field, heading, idIn, inspect, isFocused, logIn, logInByApi,
  mailedLink, open, refused,
} from './app.mjs';
import { mailTo, startChromium, startLictor, stopLictors } from './stage.mjs';

const NEW_PASSWORD = 'nine copper kettles on the hill';
// The answer of a server that is busy.
const BUSY = { status: 503, json: { error: 'Unavailable', message: 'busy', status_code: 503 } };

let browser, lictor;

before(async () => {
  lictor = await startLictor('account', '--throttle', 'off', ...mailTo('account'));
  browser = await startChromium();
});

after(async () => {
  await browser?.close();
  await stopLictors();
});

test('a new e-mail address counts after the confirmation on the page of its link', async t => {
  const page = await account(t, 'ada', [refused(403)], '--email', 'ada@example.org');
  await button(page, 'Change e-mail').click();
  await field(page, 'New e-mail').fill('ada@example.net');
  await field(page, 'Current password').fill('not this one');
  await button(page, 'Send confirmation').click();
  await page.getByText('The password is wrong.').waitFor();
  await inspect(page, 'change e-mail, refused');
  await field(page, 'Current password').fill(PASSWORD);
  await button(page, 'Send confirmation').click();
  await page.getByText('We have sent a link to ada@example.net.').waitFor();
  await page.getByText('ada@example.org', { exact: true }).waitFor();

  await page.goto(await mailedLink(lictor, 'ada@example.net', 'finalize'));
  await button(page, 'Confirm address').click();
  await heading(page, 'Address confirmed').waitFor();
  await inspect(page, 'finalize, another address');
  await page.goto('/account');
  await page.getByText('ada@example.net', { exact: true }).waitFor();
});

test('a new password ends all sessions and begins a new one for all tabs', async t => {
  const page = await account(t, 'bea', [refused(400), refused(403)]);
  const [mine, other] = [await tokenIn(page), await logInByApi(lictor, 'bea')];
  const tab = await page.context().newPage();
  await tab.goto('/');
  await heading(tab, 'Hello, bea').waitFor();
  await page.reload();
  await rows(page).nth(1).waitFor();
  await button(page, 'Change password').click();
  await inspect(page, 'change password');
  for (const [current, next, message] of [
    ['not this one', NEW_PASSWORD, 'The password is wrong.'],
    [PASSWORD, 'password', 'It is one of the most common passwords, which are tried first.'],
    [PASSWORD, NEW_PASSWORD, 'Your password is changed. All other sessions have ended.'],
  ]) {
    await field(page, 'Current password').fill(current);
    await field(page, 'New password').fill(next);
    await button(page, 'Change password').click();
    await page.getByText(message).waitFor();
  }
  await inspect(page, 'password changed');
  await rows(page).nth(1).waitFor({ state: 'detached' });
  await rows(page).filter({ hasText: 'This one' }).waitFor();
  for (const token of [mine, other]) await assert.rejects(ask(lictor, 'GET', '/api/me', token), /BlacklistedError/);
  await tab.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Account' }).click();
  await rows(tab).filter({ hasText: 'This one' }).waitFor();

  await page.reload();
  await heading(page, 'Account').waitFor();
  await button(page, 'Log out').click();
  await page.goto('/login');
  await logIn(page, 'bea', NEW_PASSWORD);
  await heading(page, 'Hello, bea').waitFor();
});

test('sessions can be ended one by one and all at once', async t => {
  const page = await account(t, 'cleo', []);
  const other = await logInByApi(lictor, 'cleo');
  await page.reload();
  await rows(page).nth(1).waitFor();
  assert.equal(await rows(page).count(), 2);
  await rows(page).filter({ hasText: 'This one' }).waitFor();
  let go;
  const held = new Promise(done => (go = done));
  await page.route('**/api/sessions/*', async route => {
    await held;
    await route.continue();
  });
  const end = page.getByRole('button', { name: /^Log out .*127\.0\.0\.1$/ });
  await end.click();
  // Its name is what it shows.
  await button(page, 'One moment …').waitFor();
  assert.equal(await end.count(), 0);
  go();
  await page.getByText('That session has ended.').waitFor();
  assert.equal(await rows(page).count(), 1);
  await assert.rejects(ask(lictor, 'GET', '/api/me', other), /BlacklistedError/);

  const third = await logInByApi(lictor, 'cleo');
  await button(page, 'Log out everywhere').click();
  const dialog = page.getByRole('dialog', { name: 'Log out everywhere' });
  await dialog.waitFor();
  await inspect(page, 'log out everywhere, asked');
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  assert.equal(await isFocused(button(page, 'Log out everywhere')), true, 'the focus is back');

  await button(page, 'Log out everywhere').click();
  await button(dialog, 'Log out everywhere').click();
  await heading(page, 'Welcome to lictor').waitFor();
  await page.getByText('You are logged out.').waitFor();
  await assert.rejects(ask(lictor, 'GET', '/api/me', third), /BlacklistedError/);
});

test('the second factor: on, new recovery codes, off', async t => {
  const page = await account(t, 'dora', [refused(403)]);
  await button(page, 'Turn on').click();
  await inspect(page, 'second factor, password first');
  await field(page, 'Current password').fill(PASSWORD);
  await button(page, 'Continue').click();
  const picture = page.getByRole('img', { name: 'QR code for an authenticator app' });
  await picture.waitFor();
  assert.ok(await picture.evaluate(each => each.decode().then(() => each.naturalWidth > 0)), 'the QR code can be drawn');
  const secret = await page.getByRole('textbox', { name: 'Key' }).inputValue();
  await inspect(page, 'second factor, QR code');
  await field(page, 'Code').fill('000000');
  await button(page, 'Turn on').click();
  await page.getByText('The code is wrong, too old, or has been used.').waitFor();
  await field(page, 'Code').fill(codeOf(secret));
  await button(page, 'Turn on').click();

  await heading(page, 'Your recovery codes', 3).waitFor();
  await inspect(page, 'recovery codes');
  const first = await recoveryCodes(page);
  const saving = page.waitForEvent('download');
  await button(page, 'Save as file').click();
  assert.equal((await saving).suggestedFilename(), 'lictor-dora.txt');
  await button(page, "I've saved them").click();
  await page.getByText(`On. Logging in takes a code from your authenticator app. ${first.length} recovery codes are left.`).waitFor();

  await button(page, 'New recovery codes').click();
  await field(page, 'Current password').fill(PASSWORD);
  await field(page, 'Code').fill(codeOf(secret, 1));
  await button(page, 'New recovery codes').click();
  await heading(page, 'Your recovery codes', 3).waitFor();
  const second = await recoveryCodes(page);
  assert.equal(new Set([...first, ...second]).size, first.length + second.length, 'all of them are new');
  await button(page, "I've saved them").click();

  await button(page, 'Turn off').click();
  await inspect(page, 'second factor, turning off');
  await field(page, 'Current password').fill(PASSWORD);
  await field(page, 'Code').fill(second[0]);
  await button(page, 'Turn off').click();
  await page.getByText('The second factor is turned off.').waitFor();
  await button(page, 'Turn on').waitFor();
  assert.equal((await ask(lictor, 'GET', '/api/me', await logInByApi(lictor, 'dora'))).second_factor, false);
});

test('new recovery codes stay when the account cannot be loaded again', async t => {
  const page = await account(t, 'fay', [refused(503)]);
  await button(page, 'Turn on').click();
  await field(page, 'Current password').fill(PASSWORD);
  await button(page, 'Continue').click();
  await page.getByRole('img', { name: 'QR code for an authenticator app' }).waitFor();
  const secret = await page.getByRole('textbox', { name: 'Key' }).inputValue();
  await page.route('**/api/me', route => route.fulfill(BUSY));
  await field(page, 'Code').fill(codeOf(secret));
  const refusal = page.waitForResponse('**/api/me');
  await button(page, 'Turn on').click();
  await refusal;
  await heading(page, 'Your recovery codes', 3).waitFor();
  // What the page does after the refusal.
  await page.unroute('**/api/me');
  await button(page, 'Add app password').click();
  await field(page, 'Name').fill('calendar');
  await button(page, 'Create app password').click();
  await field(page, 'New app password').waitFor();
  await recoveryCodes(page);
});

test('a list that cannot be loaded again stays, and says so', async t => {
  const page = await account(t, 'jon', [refused(503)]);
  await logInByApi(lictor, 'jon');
  await page.reload();
  await rows(page).nth(1).waitFor();
  await page.route('**/api/sessions', route => route.fulfill(BUSY));
  await page.getByRole('button', { name: /^Log out .*127\.0\.0\.1$/ }).click();
  await page.getByText('The server is busy. Please try again shortly.').waitFor();
  await page.getByText('That session has ended.').waitFor();
  assert.equal(await rows(page).count(), 1);
  await page.unroute('**/api/sessions');
  await button(page, 'Try again').click();
  await page.getByText('The server is busy. Please try again shortly.').waitFor({ state: 'detached' });
  assert.equal(await rows(page).count(), 1);
});

test('with a second factor, a new e-mail address, a new password and deleting need its code', async t => {
  const page = await account(t, 'gil', [refused(403)], '--email', 'gil@example.org');
  await button(page, 'Change e-mail').click();
  await field(page, 'New e-mail').fill('gil@example.net');
  await field(page, 'Current password').fill(PASSWORD);
  // The second factor is turned on elsewhere while the form is open.
  const { codes } = await enrol(lictor, 'gil');
  await button(page, 'Send confirmation').click();
  await page.getByText('A code of your second factor is needed as well.').waitFor();
  assert.equal(await isFocused(field(page, 'Code')), true, 'the code is asked for');
  await inspect(page, 'change e-mail, the code is missing');
  for (const [code, message] of [
    ['000000', 'The code is wrong, too old, or has been used.'],
    [codes[0], 'We have sent a link to gil@example.net.'],
  ]) {
    await field(page, 'Code').fill(code);
    await button(page, 'Send confirmation').click();
    await page.getByText(message).waitFor();
  }

  await button(page, 'Change password').click();
  for (const [code, message] of [
    [codes[0], 'The code is wrong, too old, or has been used.'],
    [codes[1], 'Your password is changed. All other sessions have ended.'],
  ]) {
    await field(page, 'Current password').fill(PASSWORD);
    await field(page, 'New password').fill(NEW_PASSWORD);
    await field(page, 'Code').fill(code);
    await button(page, 'Change password').click();
    await page.getByText(message).waitFor();
  }

  await button(page, 'Delete account').click();
  const dialog = page.getByRole('dialog', { name: 'Delete account' });
  await field(dialog, 'Current password').fill(NEW_PASSWORD);
  await button(dialog, 'Delete my account').click();
  await dialog.getByText('Please fill this in.').waitFor();
  await inspect(page, 'delete account, the code is missing');
  await field(dialog, 'Code').fill(codes[2]);
  await button(dialog, 'Delete my account').click();
  await heading(page, 'Welcome to lictor').waitFor();
});

test('deleting the account needs the password', async t => {
  const page = await account(t, 'elsa', [refused(403), refused(401)]);
  await button(page, 'Delete account').click();
  const dialog = page.getByRole('dialog', { name: 'Delete account' });
  await field(dialog, 'Current password').fill('not this one');
  await button(dialog, 'Delete my account').click();
  await dialog.getByText('The password is wrong.').waitFor();
  await inspect(page, 'delete account, refused');
  await field(dialog, 'Current password').fill(PASSWORD);
  await button(dialog, 'Delete my account').click();
  await heading(page, 'Welcome to lictor').waitFor();
  await page.goto('/login');
  await logIn(page, 'elsa');
  await page.getByText('The username or the password is wrong.').waitFor();
});

test('an old login is renewed in a dialog, and then the request is done', async t => {
  const server = await startLictor('again', '--throttle', 'off', '--reauthenticate', '1h');
  const makeOld = () => server.sql('UPDATE sessions SET created = created - 7200');
  addUser(server, 'hal');
  addUser(server, 'ivy', '--role', 'admin');
  const { codes } = await enrol(server, 'ivy');
  const ofHal = idIn(await logInByApi(server, 'hal'));
  const page = await open(t, browser, server, '/account', { token: await logInByApi(server, 'hal'), expected: [refused(403), refused(401)] });
  await rows(page).nth(1).waitFor();
  makeOld();
  const end = page.getByRole('button', { name: /^Log out .*127\.0\.0\.1$/ });
  const dialog = page.getByRole('dialog', { name: 'Log in again' });
  await end.click();
  await dialog.getByText('This needs a recent login.').waitFor();
  assert.equal(await field(dialog, 'Username').inputValue(), 'hal');
  assert.equal(await isFocused(field(dialog, 'Password')), true, 'the password can be typed at once');
  await inspect(page, 'log in again');
  await button(dialog, 'Cancel').click();
  await page.getByText('This needs a recent login.').waitFor();
  assert.equal(await rows(page).count(), 2, 'nothing has ended');

  await end.click();
  for (const password of ['not this one', PASSWORD]) {
    await field(dialog, 'Password').fill(password);
    await button(dialog, 'Log in').click();
    if (password !== PASSWORD) await dialog.getByText('The password is wrong.').waitFor();
  }
  await page.getByText('That session has ended.').waitFor();
  await rows(page).nth(1).waitFor({ state: 'detached' });
  await rows(page).filter({ hasText: 'This one' }).waitFor();

  // The same for an administrator with a second factor.
  const { access_token: token } = await ask(server, 'POST', '/api/login', undefined, { username: 'ivy', password: PASSWORD, otp: codes[0] });
  makeOld();
  const admin = await open(t, browser, server, `/admin/users/${ofHal}`, { token, expected: [refused(403)] });
  await button(admin, 'Deactivate').click();
  const again = admin.getByRole('dialog', { name: 'Log in again' });
  await field(again, 'Password').fill(PASSWORD);
  await field(again, 'Code').fill(codes[1]);
  await inspect(admin, 'log in again, second factor');
  await button(again, 'Log in').click();
  await admin.getByText('hal is inactive and logged out everywhere.').waitFor();
});

async function account(t, name, expected, ...flags) {
  addUser(lictor, name, ...flags);
  const page = await open(t, browser, lictor, '/account', { token: await logInByApi(lictor, name), expected });
  await heading(page, 'Account').waitFor();
  await button(page, 'Change password').waitFor();
  return page;
}

// The rows of the list of sessions.
function rows(page) {
  return page.getByRole('listitem').filter({ hasText: '127.0.0.1' });
}

function tokenIn(page) {
  return page.evaluate(() => JSON.parse(localStorage.getItem('lictor.auth')).token);
}

async function recoveryCodes(page) {
  const codes = await page.getByRole('listitem').filter({ hasText: /^\w+(-\w+)+$/ }).allTextContents();
  assert.ok(codes.length >= 8, `${codes.length} codes`);
  return codes;
}
