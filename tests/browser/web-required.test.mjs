// Owns the tests of a required second factor: the app leads its users to set it up, and shows nothing else
// before. The real program, real Chromium.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  PASSWORD, addUser, ask, button, codeOf, field, heading, inspect, later, logIn, logInByApi, open, refused,
} from './app.mjs';
import { startChromium, startLictor, stopLictors } from './stage.mjs';

const TITLE = 'Set up your second factor';
// The app does not ask for the account again sooner when somebody looks at the page.
const GLANCE_MS = 5_200;

let browser;

before(async () => {
  browser = await startChromium();
});

after(async () => {
  await browser?.close();
  await stopLictors();
});

test('after the login there is only setting it up and logging out', async t => {
  const server = await startLictor('required', '--throttle', 'off', '--require-second-factor', 'all');
  addUser(server, 'ada');
  const page = await open(t, browser, server, '/login', { possible: [refused(403)] });
  await logIn(page, 'ada');
  await heading(page, TITLE).waitFor();
  await inspect(page, 'required second factor, password first');
  assert.deepEqual(await page.getByRole('navigation', { name: 'Main' }).getByRole('link').allTextContents(), []);
  for (const path of ['/', '/account', '/protected', '/register', '/admin']) {
    await page.goto(path);
    await heading(page, TITLE).waitFor();
  }
  await button(page, 'Log out').click();
  await heading(page, 'Welcome to lictor').waitFor();

  await page.goto('/protected');
  await logIn(page, 'ada');
  await heading(page, TITLE).waitFor();
  const secret = await scan(page);
  await inspect(page, 'required second factor, QR code');
  // Back to the first step, and again.
  await button(page, 'Cancel').click();
  const other = await scan(page);
  assert.notEqual(other, secret);
  await field(page, 'Code').fill(codeOf(other));
  await button(page, 'Turn on').click();
  await heading(page, 'Your recovery codes', 2).waitFor();
  await inspect(page, 'required second factor, recovery codes');
  // Navigation to another page does not skip the recovery codes.
  await page.getByRole('link', { name: 'lictor' }).click();
  await heading(page, 'Your recovery codes', 2).waitFor();
  await page.goBack();
  await button(page, "I've saved them").click();
  await page.getByText('protected endpoint (allowed usr ada)').waitFor();

  await page.getByRole('link', { name: 'Account' }).click();
  await page.getByText('It is required for your account, so it cannot be turned off.').waitFor();
  assert.equal(await button(page, 'Turn off').count(), 0);
  await inspect(page, 'account, required second factor');
});

test('the recovery codes stay until they are kept, whatever the server says of the account meanwhile', async t => {
  const server = await startLictor('kept', '--throttle', 'off', '--require-second-factor', 'all');
  addUser(server, 'dora');
  const page = await open(t, browser, server, '/protected', { token: await logInByApi(server, 'dora'), possible: [refused(403), refused(503)] });
  await heading(page, TITLE).waitFor();
  await field(page, 'Code').fill(codeOf(await scan(page)));
  await button(page, 'Turn on').click();
  const codes = heading(page, 'Your recovery codes', 2);
  await codes.waitFor();
  const links = page.getByRole('navigation', { name: 'Main' }).getByRole('link');
  assert.equal(await links.count(), 0);
  await later(page, GLANCE_MS);
  // The page has the account as it is now.
  await links.first().waitFor();
  assert.equal(await codes.count(), 1);
  // Nor does a page that the account may always open take them away.
  await page.evaluate(() => {
    history.pushState(null, '', '/finalize');
    dispatchEvent(new PopStateEvent('popstate'));
  });
  await page.goBack();
  assert.equal(await codes.count(), 1);

  const busy = { error: 'Unavailable', message: 'busy', status_code: 503 };
  await page.route('**/api/me', route => route.fulfill({ status: 503, json: busy }));
  await button(page, "I've saved them").click();
  await page.getByText('protected endpoint (allowed usr dora)').waitFor();
});

test('when it becomes required, the open page leads the user there', async t => {
  const server = await startLictor('admins', '--throttle', 'off', '--require-second-factor', 'admin');
  addUser(server, 'bea');
  const page = await open(t, browser, server, '/', { token: await logInByApi(server, 'bea'), expected: [refused(403)] });
  await heading(page, 'Hello, bea').waitFor();
  await page.getByRole('link', { name: 'Account' }).first().click();
  await button(page, 'Turn on').waitFor();
  server.run('', 'user', 'roles', 'bea', '--add', 'admin');
  await page.goBack();
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Account' }).click();
  await heading(page, TITLE).waitFor();
  await field(page, 'Code').fill(codeOf(await scan(page)));
  await button(page, 'Turn on').click();
  await button(page, "I've saved them").click();
  await heading(page, 'Account').waitFor();
});

test('a mailed link can be opened anyway', async t => {
  const server = await startLictor('links', '--throttle', 'off', '--require-second-factor', 'all');
  addUser(server, 'cleo');
  const token = await logInByApi(server, 'cleo');
  assert.equal((await ask(server, 'GET', '/api/me', token)).second_factor_required, true);
  const page = await open(t, browser, server, '/', { token, expected: [refused(401)] });
  await heading(page, TITLE).waitFor();
  for (const path of ['/finalize?token=x', '/reset-finalize?token=x']) {
    await page.goto(path);
    await heading(page, 'This link does not work').waitFor();
  }
});

// Goes from the password to the QR code; returns the secret in it.
async function scan(page) {
  await field(page, 'Current password').fill(PASSWORD);
  await button(page, 'Continue').click();
  await page.getByRole('img', { name: 'QR code for an authenticator app' }).waitFor();
  return page.getByRole('textbox', { name: 'Key' }).inputValue();
}
