// Owns the tests of registration in each mode of the server, of mailed links, and of forgotten passwords.
// The real program, real Chromium.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  PASSWORD, addUser, ask, button, enrol, field, heading, inspect, isFocused, logIn, mailedLink, open, refused,
  unreachable,
} from './app.mjs';
import { mailTo, startChromium, startLictor, stopLictors } from './stage.mjs';

const NEW_PASSWORD = 'nine copper kettles on the hill';

let browser, byMail;

before(async () => {
  byMail = await startLictor('by-mail', '--registration', 'email', '--throttle', 'off', ...mailTo('by-mail'));
  browser = await startChromium();
});

after(async () => {
  await browser?.close();
  await stopLictors();
});

test('the first minute: register, read the protected page, log out, log in', async t => {
  const server = await startLictor('open', '--throttle', 'off');
  const page = await open(t, browser, server, '/', { expected: [refused(409)] });
  await page.getByRole('main').getByRole('link', { name: 'Register' }).click();
  await heading(page, 'Register').waitFor();
  await register(page, 'ada');

  await heading(page, 'Hello, ada').waitFor();
  await page.goto('/protected');
  await heading(page, 'Protected message').waitFor();
  await page.getByText('protected endpoint (allowed usr ada)').waitFor();

  await button(page, 'Log out').click();
  await heading(page, 'Welcome to lictor').waitFor();

  await page.goto('/register');
  await register(page, 'ada');
  await page.getByText('This username is taken.').waitFor();
  assert.equal(await isFocused(field(page, 'Username')), true, 'the field is at hand');
  await inspect(page, 'register, refused');

  await page.getByRole('main').getByRole('link', { name: 'Log in' }).click();
  await logIn(page, 'ada');
  await heading(page, 'Hello, ada').waitFor();
});

test('fields show their problems, and nothing is sent', async t => {
  const page = await open(t, browser, byMail, '/register', {});
  const asked = [];
  page.on('request', request => request.method() === 'POST' && asked.push(request.url()));
  await button(page, 'Register').click();
  await page.getByText('Please fill this in.').first().waitFor();
  assert.equal(await page.getByText('Please fill this in.').count(), 3, 'all at once');
  await field(page, 'Username').fill('bea');
  await field(page, 'E-mail').fill('no address');
  await field(page, 'Password').fill('short');
  await button(page, 'Register').click();
  await page.getByText('This is not an e-mail address.').waitFor();

  await field(page, 'E-mail').fill('bea@example.org');
  await button(page, 'Register').click();
  await page.getByText('At least 8 characters.', { exact: true }).waitFor();
  assert.deepEqual(asked, []);
  assert.equal(await field(page, 'Password').getAttribute('aria-invalid'), 'true');
  await field(page, 'Password').fill(PASSWORD);
  await button(page, 'Show password').click();
  assert.equal(await page.getByRole('textbox', { name: 'Password' }).inputValue(), PASSWORD);
});

test('by mail: the page of the link finishes the registration, once, and only with its button', async t => {
  const page = await open(t, browser, byMail, '/register', { expected: [refused(403), refused(401)] });
  await field(page, 'Username').fill('cleo');
  await field(page, 'E-mail').fill('cleo@example.org');
  await field(page, 'Password').fill(PASSWORD);
  await button(page, 'Register').click();
  await heading(page, 'Check your mail').waitFor();
  await page.getByText('We have sent a link to cleo@example.org.').waitFor();
  await inspect(page, 'check your mail');

  await page.getByRole('link', { name: 'Back to login' }).click();
  await logIn(page, 'cleo');
  await page.getByText('This account is not active.').waitFor();
  await inspect(page, 'login, not yet active');

  const link = await mailedLink(byMail, 'cleo@example.org', 'finalize');
  // Like a program that scans mail: it opens the link and runs the scripts of the page.
  const scanner = await open(t, browser, byMail, link);
  await button(scanner, 'Confirm address').waitFor();
  await scanner.waitForLoadState('networkidle');

  await page.goto(link);
  await heading(page, 'Confirm your address').waitFor();
  assert.equal(new URL(page.url()).search, '', 'the secret is out of the address bar');
  await inspect(page, 'finalize, asked');
  await button(page, 'Confirm address').click();
  await heading(page, 'Welcome, cleo').waitFor();
  await inspect(page, 'finalize');
  await page.getByRole('link', { name: 'To the start page' }).click();
  await heading(page, 'Hello, cleo').waitFor();

  await page.goto(link);
  await heading(page, 'This link does not work').waitFor();
});

test('a confirmation without an answer can be repeated', async t => {
  await ask(byMail, 'POST', '/api/registration', undefined, { username: 'gus', email: 'gus@example.org', password: PASSWORD });
  const page = await open(t, browser, byMail, await mailedLink(byMail, 'gus@example.org', 'finalize'), { expected: [unreachable, refused(503)] });
  await button(page, 'Confirm address').waitFor();
  await page.context().setOffline(true);
  await button(page, 'Confirm address').click();
  await page.getByRole('alert').filter({ hasText: 'The server cannot be reached.' }).waitFor();
  await page.context().setOffline(false);
  const overloaded = { error: 'Overloaded', message: 'too many requests wait', status_code: 503 };
  await page.route('**/api/finalize', route => route.fulfill({ status: 503, json: overloaded }), { times: 1 });
  await button(page, 'Confirm address').click();
  await page.getByRole('alert').filter({ hasText: 'too many requests wait' }).waitFor();
  await button(page, 'Confirm address').click();
  await heading(page, 'Welcome, gus').waitFor();
});

test('the minimum length of a password is that of the server', async t => {
  addUser(byMail, 'min', '--email', 'min@example.org');
  await ask(byMail, 'POST', '/api/reset', undefined, { email: 'min@example.org' });
  const link = await mailedLink(byMail, 'min@example.org', 'reset-finalize');
  const page = await open(t, browser, byMail, '/forgot');
  await page.route('**/api/config', async route => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), min_password_length: 15 } });
  });
  await page.goto(link);
  await page.getByText('At least 15 characters. A few unrelated words').waitFor();
  await field(page, 'New password').fill('fourteen chars');
  await button(page, 'Set password').click();
  await page.getByText('At least 15 characters.', { exact: true }).waitFor();
});

test('by invitation: the link fills in its code, which works once', async t => {
  const server = await startLictor('invite', '--registration', 'invite', '--throttle', 'off');
  addUser(server, 'root', '--role', 'admin');
  const code = /code\s+(\S+)/.exec(server.run('', 'invite', 'add', '--role', 'keeper'))[1];
  const page = await open(t, browser, server, '/', { expected: [refused(403)] });
  await page.getByText('You need an invitation to register.').waitFor();
  await page.goto(`/register?invitation=${code}`);
  assert.equal(await field(page, 'Invitation code').inputValue(), code);
  assert.equal(new URL(page.url()).search, '', 'the secret is out of the address bar');
  await inspect(page, 'register by invitation');
  await register(page, 'dora');
  await heading(page, 'Hello, dora').waitFor();
  await page.getByRole('link', { name: 'Account' }).first().click();
  await page.getByText('keeper').waitFor();

  await button(page, 'Log out').click();
  await page.goto(`/register?invitation=${code}`);
  await register(page, 'dora-again');
  await page.getByText('The invitation is wrong, used or expired.').waitFor();
});

test('closed: the page offers no registration and says who makes accounts', async t => {
  const server = await startLictor('closed', '--registration', 'closed', '--throttle', 'off');
  addUser(server, 'root', '--role', 'admin');
  const page = await open(t, browser, server, '/');
  await page.getByText('The administrator of lictor can give you one.').waitFor();
  assert.equal(await page.getByRole('link', { name: 'Register' }).count(), 0);
  await page.goto('/register');
  await heading(page, 'Registration is closed').waitFor();
  await inspect(page, 'register, closed');
  await page.goto('/login');
  await page.getByText('Ask the administrator for a link to set a new one.').waitFor();
  await page.goto('/forgot');
  await page.getByText('This server sends no mail.').waitFor();
  await inspect(page, 'forgot, without mail');
});

test('a forgotten password: the mailed link sets a new one, once', async t => {
  addUser(byMail, 'elsa', '--email', 'elsa@example.org');
  const page = await open(t, browser, byMail, '/login', { expected: [refused(401)] });
  await page.getByRole('link', { name: 'Forgot your password?' }).click();
  await heading(page, 'Forgot your password?').waitFor();
  await field(page, 'E-mail').fill('elsa@example.org');
  await button(page, 'Send the link').click();
  await heading(page, 'Check your mail').waitFor();
  await page.getByText('If elsa@example.org belongs to an account').waitFor();

  const link = await mailedLink(byMail, 'elsa@example.org', 'reset-finalize');
  await page.goto(link);
  await heading(page, 'Set a new password').waitFor();
  assert.equal(new URL(page.url()).search, '', 'the secret is out of the address bar');
  // Opened again, as by a program that scans mail: that does not use up the link.
  await page.goto(link);
  await heading(page, 'Set a new password').waitFor();
  await page.waitForLoadState('networkidle');
  await field(page, 'New password').fill(NEW_PASSWORD);
  await button(page, 'Set password').click();
  await heading(page, 'Your password is set').waitFor();

  await button(page, 'Log out').click();
  await page.goto('/login');
  await logIn(page, 'elsa');
  await page.getByText('The username or the password is wrong.').waitFor();
  await logIn(page, 'elsa@example.org', NEW_PASSWORD);
  await heading(page, 'Hello, elsa').waitFor();

  await page.goto(link);
  await heading(page, 'This link does not work').waitFor();
});

test('a forgotten password needs the second factor too', async t => {
  addUser(byMail, 'fay', '--email', 'fay@example.org');
  const { codes } = await enrol(byMail, 'fay');
  await ask(byMail, 'POST', '/api/reset', undefined, { email: 'fay@example.org' });
  const link = await mailedLink(byMail, 'fay@example.org', 'reset-finalize');
  const page = await open(t, browser, byMail, link, { expected: [refused(401), refused(403)] });
  await field(page, 'New password').fill(NEW_PASSWORD);
  await button(page, 'Continue').click();
  await heading(page, 'Second factor').waitFor();
  for (const [code, message] of [
    ['000000', page.getByText('The code is wrong, too old, or has been used.')],
    [codes[0], heading(page, 'Your password is set')],
  ]) {
    await field(page, 'Code').fill(code);
    if (code !== codes[0]) await inspect(page, 'new password, second factor');
    await button(page, 'Set password').click();
    await message.waitFor();
  }
});

async function register(page, name) {
  // With the space that keyboards of phones add.
  await field(page, 'Username').fill(`${name} `);
  await field(page, 'Password').fill(PASSWORD);
  await button(page, 'Register').click();
}
