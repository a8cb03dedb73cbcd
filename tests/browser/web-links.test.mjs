// Owns the tests of mailed links and of the page that sends them again: a link is refused before anybody
// types, a page of a link can be loaded again, a lost mail comes again. The real program, real Chromium.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  PASSWORD, addUser, ask, button, enrol, field, heading, inspect, isFocused, isTo, logIn, logInByApi, mailed,
  mailedLink, open, refused, until,
} from './app.mjs';
import { mailTo, startChromium, startLictor, stopLictors } from './stage.mjs';

const NEW_PASSWORD = 'nine copper kettles on the hill';
const USELESS = 'This link does not work';

let browser, lictor;

before(async () => {
  lictor = await startLictor('links', '--registration', 'email', '--throttle', 'off', ...mailTo('links'));
  browser = await startChromium();
});

after(async () => {
  await browser?.close();
  await stopLictors();
});

test('a lost mail is sent again, and a wrong address is corrected', async t => {
  const page = await open(t, browser, lictor, '/register', { expected: [refused(401)] });
  await register(page, 'ada', 'ada@wrong.example');
  const lost = await mailedLink(lictor, 'ada@wrong.example', 'finalize');
  assert.deepEqual(await stored(page), [], 'neither the password nor the address is in a storage');

  await button(page, 'Send again').click();
  await page.getByText('Sent again. Use the link in the newest mail.').waitFor();
  assert.equal(await isFocused(button(page, 'Send again')), true);
  await inspect(page, 'check your mail, sent again');

  await button(page, 'Wrong address?').click();
  const corrected = field(page, 'E-mail');
  assert.equal(await isFocused(corrected), true);
  assert.equal(await corrected.inputValue(), 'ada@wrong.example');
  await inspect(page, 'check your mail, another address');
  await button(page, 'Cancel').click();
  assert.equal(await isFocused(button(page, 'Wrong address?')), true, 'the focus is where it was');
  await button(page, 'Wrong address?').click();
  await corrected.fill('ada@right.example');
  await button(page, 'Send to this address').click();
  await page.getByText('We have sent a link to ada@right.example.').waitFor();
  assert.equal(await isFocused(button(page, 'Wrong address?')), true);

  const other = await open(t, browser, lictor, lost, { expected: [refused(401)] });
  await heading(other, USELESS).waitFor();
  const link = await mailedLink(lictor, 'ada@right.example', 'finalize');
  await other.goto(link);
  await other.getByText('Confirm that ada@right.example is your address. It then belongs to the account ada on lictor.').waitFor();
  await button(other, 'Confirm address').click();
  await heading(other, 'Welcome, ada').waitFor();
  // Then there is nothing to send any more.
  await page.goto(link);
  await heading(page, USELESS).waitFor();
});

test('when the account is there already, the page says so', async t => {
  const page = await open(t, browser, lictor, '/register', { expected: [refused(409)] });
  await register(page, 'bea', 'bea@mail.example');
  const link = await mailedLink(lictor, 'bea@mail.example', 'finalize');
  const token = new URL(link).searchParams.get('token');
  await ask(lictor, 'GET', '/api/finalize', token);
  await button(page, 'Send again').click();
  await page.getByRole('alert').filter({ hasText: 'This name belongs to an account now.' }).waitFor();
});

test('after a reload the page leads to the registration', async t => {
  const page = await open(t, browser, lictor, '/register');
  await register(page, 'cleo', 'cleo@mail.example');
  await page.reload();
  await page.getByText('If you asked for a mail, it is on its way.').waitFor();
  await page.getByRole('link', { name: 'Register again with the same name and password' }).click();
  await register(page, 'cleo', 'cleo@mail.example');
});

test('sending again has to wait after some mails', async t => {
  const server = await startLictor('slow', '--registration', 'email', ...mailTo('slow'));
  const page = await open(t, browser, server, '/register', { expected: [refused(429)] });
  await register(page, 'dora', 'dora@mail.example');
  const waiting = page.getByRole('button', { name: /^Try again in \d+ (seconds|minutes?)$/ });
  for (let times = 0; times < 10 && (await waiting.count()) === 0; times += 1) {
    await button(page, 'Send again').click();
    await Promise.race([button(page, 'Send again').waitFor(), waiting.waitFor()]);
  }
  await waiting.waitFor();
  await page.getByText('Too many attempts. Please wait a little.').waitFor();
  await inspect(page, 'check your mail, throttled');
});

test('a mail about a forgotten password is sent again too, and the address comes from the login', async t => {
  addUser(lictor, 'elsa', '--email', 'elsa@mail.example');
  const page = await open(t, browser, lictor, '/login');
  await field(page, 'Username or e-mail').fill('elsa@mail.example');
  await page.getByRole('link', { name: 'Forgot your password?' }).click();
  assert.equal(await field(page, 'E-mail').inputValue(), 'elsa@mail.example');
  assert.equal(new URL(page.url()).search, '');
  await button(page, 'Send the link').click();
  await button(page, 'Send again').click();
  await page.getByText('If elsa@mail.example belongs to an account, another link is on its way. Use the newest one.').waitFor();
  await mailed(lictor, mails => mails.filter(mail => isTo(mail, 'elsa@mail.example')).length === 2, 'two mails to elsa');
  await page.goto(await mailedLink(lictor, 'elsa@mail.example', 'reset-finalize'));
  await heading(page, 'Set a new password').waitFor();

  await page.goto('/login');
  await field(page, 'Username or e-mail').fill('elsa');
  await page.getByRole('link', { name: 'Forgot your password?' }).click();
  assert.equal(await field(page, 'E-mail').inputValue(), '', 'a name is no address');
});

test('the page of a link names the account, and can be loaded again until the link is used', async t => {
  const link = await resetLink('fay');
  const page = await open(t, browser, lictor, link, { expected: [refused(401)] });
  const name = field(page, 'Username');
  await name.waitFor();
  assert.equal(await name.inputValue(), 'fay');
  assert.equal(await name.getAttribute('autocomplete'), 'username');
  assert.equal(await name.getAttribute('readonly'), '');
  assert.equal(await isFocused(field(page, 'New password')), true);
  await inspect(page, 'a new password, by link');

  await page.reload();
  await field(page, 'New password').fill(NEW_PASSWORD);
  assert.equal(new URL(page.url()).search, '', 'the secret is out of the address bar');
  assert.equal((await stored(page, 'localStorage')).length, 0);
  assert.equal((await stored(page)).length, 1, 'it is kept for this tab');
  await button(page, 'Set password').click();
  await heading(page, 'Your password is set').waitFor();
  assert.deepEqual((await stored(page)).filter(text => text.startsWith('eyJ')), [], 'and no longer');

  await page.goto(link);
  await heading(page, USELESS).waitFor();
  assert.equal(await field(page, 'New password').count(), 0, 'nobody types in vain');
  assert.deepEqual((await stored(page)).filter(text => text.startsWith('eyJ')), []);
  await page.reload();
  await heading(page, USELESS).waitFor();
});

test('a confirmation can be loaded again as well', async t => {
  const page = await open(t, browser, lictor, '/register', { expected: [refused(401)] });
  await register(page, 'gus', 'gus@mail.example');
  const link = await mailedLink(lictor, 'gus@mail.example', 'finalize');
  await page.goto(link);
  await button(page, 'Confirm address').waitFor();
  await page.reload();
  await button(page, 'Confirm address').waitFor();
  await inspect(page, 'confirm an address');
  await button(page, 'Confirm address').click();
  await heading(page, 'Welcome, gus').waitFor();
  await page.goto(link);
  await heading(page, USELESS).waitFor();
  // A new address of the same account.
  const { access_token: token } = await ask(lictor, 'POST', '/api/login', undefined, { username: 'gus', password: PASSWORD });
  await ask(lictor, 'PUT', '/api/email', token, { email: 'gus@new.example', password: PASSWORD });
  await page.goto(await mailedLink(lictor, 'gus@new.example', 'finalize'));
  await page.getByText('Confirm that gus@new.example is your address.').waitFor();
});

test('an invitation is kept for a reload, and not after it was used', async t => {
  const server = await startLictor('invited', '--registration', 'invite', '--throttle', 'off');
  const code = /code\s+(\S+)/.exec(server.run('', 'invite', 'add'))[1];
  const page = await open(t, browser, server, `/register?invitation=${code}`);
  await page.reload();
  assert.equal(await field(page, 'Invitation code').inputValue(), code);
  await field(page, 'Username').fill('hal');
  await field(page, 'Password').fill(PASSWORD);
  await button(page, 'Register').click();
  await heading(page, 'Hello, hal').waitFor();
  assert.deepEqual((await stored(page)).filter(text => text.includes(code)), []);
});

test('the second factor is a step of the reset, not an error', async t => {
  const link = await resetLink('ivy', true);
  const page = await open(t, browser, lictor, link.url, { expected: [refused(401), refused(403), refused(400)] });
  await field(page, 'New password').fill('password');
  await button(page, 'Continue').click();
  await page.getByText('It is one of the most common passwords, which are tried first.').waitFor();
  await field(page, 'New password').fill(NEW_PASSWORD);
  await button(page, 'Continue').click();
  await heading(page, 'Second factor').waitFor();
  assert.equal(await page.getByRole('alert').count(), 0);
  const code = field(page, 'Code');
  assert.equal(await isFocused(code), true);
  assert.equal(await code.getAttribute('aria-invalid'), null);
  await inspect(page, 'reset, second factor');

  await button(page, 'Back').click();
  await heading(page, 'Set a new password').waitFor();
  assert.equal(await isFocused(field(page, 'New password')), true);
  await field(page, 'New password').fill(NEW_PASSWORD);
  await button(page, 'Continue').click();
  await code.fill('000000');
  await button(page, 'Set password').click();
  await page.getByText('The code is wrong, too old, or has been used.').waitFor();
  await button(page, 'Use a recovery code instead').click();
  assert.equal(await isFocused(field(page, 'Recovery code')), true);
  await field(page, 'Recovery code').fill(link.codes[0]);
  await button(page, 'Set password').click();
  await heading(page, 'Your password is set').waitFor();
});

test('a server that cannot say whether a link is good is asked again', async t => {
  const link = await resetLink('jo');
  const page = await open(t, browser, lictor, '/login', { expected: [refused(503)] });
  const busy = { error: 'Unavailable', message: 'busy', status_code: 503 };
  await page.route('**/api/reset_finalize', route => route.fulfill({ status: 503, json: busy }));
  await page.goto(link);
  await page.getByText('The server is busy. Please try again shortly.').waitFor();
  await page.unroute('**/api/reset_finalize');
  await button(page, 'Try again').click();
  await field(page, 'New password').waitFor();
});

async function register(page, name, email) {
  await field(page, 'Username').fill(name);
  await field(page, 'E-mail').fill(email);
  await field(page, 'Password').fill(PASSWORD);
  await button(page, 'Register').click();
  await heading(page, 'Check your mail').waitFor();
}

// Makes a user who has forgotten the password; returns the mailed link.
async function resetLink(name, withFactor = false) {
  const email = `${name}@mail.example`;
  addUser(lictor, name, '--email', email);
  const { codes } = withFactor ? await enrol(lictor, name) : {};
  await ask(lictor, 'POST', '/api/reset', undefined, { email });
  const url = await mailedLink(lictor, email, 'reset-finalize');
  return withFactor ? { url, codes } : url;
}

// The values in a storage of the page.
function stored(page, area = 'sessionStorage') {
  return page.evaluate(each => Object.values(window[each]), area);
}

test('a link for another account says so, and ends the session that was here', async t => {
  addUser(lictor, 'pia');
  addUser(lictor, 'rob', '--email', 'rob@mail.example');
  for (const [username, page, password] of [['rob', 'reset-finalize', NEW_PASSWORD], ['sid', 'finalize', null]]) {
    const email = `${username}@mail.example`;
    if (password) await ask(lictor, 'POST', '/api/reset', undefined, { email });
    else await ask(lictor, 'POST', '/api/registration', undefined, { username, email, password: PASSWORD });
    const token = await logInByApi(lictor, 'pia');
    const tab = await open(t, browser, lictor, await mailedLink(lictor, email, page), { token });
    await tab.getByText(`You are logged in as pia. This link logs you in as ${username} instead.`).waitFor();
    await inspect(tab, `${page}, logged in as another`);
    if (password) await field(tab, 'New password').fill(password);
    await button(tab, password ? 'Set password' : 'Confirm address').click();
    await tab.getByRole('link', { name: 'To the start page' }).click();
    await heading(tab, `Hello, ${username}`).waitFor();
    const asked = () => fetch(`${lictor.url}/api/me`, { headers: { Authorization: `Bearer ${token}` } });
    await until(async () => [401, 403].includes((await asked()).status), `the end of the session before ${page}`);
  }
});

test('a logout, and the login of another, forget the link', async t => {
  addUser(lictor, 'tess', '--email', 'tess@mail.example');
  addUser(lictor, 'uwe');
  await ask(lictor, 'POST', '/api/reset', undefined, { email: 'tess@mail.example' });
  const link = await mailedLink(lictor, 'tess@mail.example', 'reset-finalize');

  const page = await open(t, browser, lictor, link, { token: await logInByApi(lictor, 'tess') });
  await heading(page, 'Set a new password').waitFor();
  await page.getByRole('navigation').getByRole('link', { name: 'Account' }).click();
  await heading(page, 'Account').waitFor();
  await button(page, 'Log out').click();
  await heading(page, 'Welcome to lictor').waitFor();
  await page.goBack();
  await page.goBack();
  await heading(page, USELESS).waitFor();

  await page.goto(link);
  await heading(page, 'Set a new password').waitFor();
  await page.getByRole('navigation').getByRole('link', { name: 'Log in' }).click();
  await logIn(page, 'uwe');
  await heading(page, 'Hello, uwe').waitFor();
  await page.goto('/reset-finalize');
  await heading(page, USELESS).waitFor();
});
