// Owns the tests of an app that routes behind the `#`: the mailed link opens the configured page, which
// finds the token where flask-praetorian puts it.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { mailedLink, PASSWORD, refused, visit } from './app.mjs';
import { mailTo, startChromium, startLictor, stopLictors } from './stage.mjs';

const APP = join(import.meta.dirname, 'hash-router');
const OTHER_PASSWORD = 'eleven paper boats on the moat';

let browser, lictor;

before(async () => {
  browser = await startChromium();
  const pages = ['--confirmation-url', '{url}/#/finalize', '--reset-url', '{url}/#/new_password'];
  lictor = await startLictor('hash', '--web', APP, '--registration', 'email', ...mailTo('hash'), ...pages);
});

after(async () => {
  await browser?.close();
  await stopLictors();
});

test('an app behind a fragment got no link that confirms an address', async t => {
  const { page, sent } = await arrive(t, [refused(401)]);
  await submit(page, 'registration', { Username: 'ada', 'E-mail': 'ada@example.org', Password: PASSWORD }, 'Register');
  await says(page, 'successfully sent registration email to user ada');

  const link = await mailedLink(lictor, 'ada@example.org', '#/finalize');
  assert.ok(link.startsWith(`${lictor.url}/#/finalize?token=eyJ`), link);
  await follow(page, link);
  await says(page, 'welcome ada');
  await submit(page, 'secret', {}, 'Read the secret');
  await says(page, 'protected endpoint (allowed usr ada)');
  assert.ok(!sent.some(url => url.includes('eyJ')), 'the fragment is not sent to a server');

  await follow(page, link);
  await says(page, 'InvalidRegistrationToken');
});

test('an app behind a fragment got no link that resets a password', async t => {
  lictor.run(`${PASSWORD}\n`, 'user', 'add', 'bob', '--email', 'bob@example.org');
  const { page, sent } = await arrive(t, [refused(401)]);
  await submit(page, 'reset', { 'E-mail': 'bob@example.org' }, 'Ask for a link');
  await says(page, 'successfully sent password reset email to bob@example.org');

  const link = await mailedLink(lictor, 'bob@example.org', '#/new_password');
  assert.ok(link.startsWith(`${lictor.url}/#/new_password?token=eyJ`), link);
  await follow(page, link);
  await page.getByLabel('New password').fill(OTHER_PASSWORD);
  await page.getByRole('button', { name: 'Set it' }).click();
  await says(page, 'welcome bob');
  await submit(page, 'secret', {}, 'Read the secret');
  await says(page, 'protected endpoint (allowed usr bob)');
  assert.ok(!sent.some(url => url.includes('eyJ')), 'the fragment is not sent to a server');

  await submit(page, 'login', { Username: 'bob', Password: PASSWORD }, 'Log in');
  await says(page, 'AuthenticationError');
  await submit(page, 'login', { Username: 'bob', Password: OTHER_PASSWORD }, 'Log in');
  await says(page, 'welcome');
});

// A page in a new browser profile, and the URLs that it requested.
async function arrive(t, expected) {
  const context = await visit(t, browser, lictor, { expected });
  const sent = [];
  context.on('request', request => sent.push(request.url().split('#')[0]));
  return { page: await context.newPage(), sent };
}

// Like a link from a mail program, which loads the document again.
async function follow(page, link) {
  await page.goto('about:blank');
  await page.goto(link);
}

async function submit(page, name, fields, button) {
  await page.goto(`/#/${name}`);
  for (const [label, value] of Object.entries(fields)) {
    await page.locator('form:visible').getByLabel(label, { exact: true }).fill(value);
  }
  await page.getByRole('button', { name: button, exact: true }).click();
}

function says(page, text) {
  return page.locator('#shown').getByText(text, { exact: true }).waitFor();
}
