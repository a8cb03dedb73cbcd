// Owns the tests of the first run: from a server without an administrator to one with users, by the
// pages alone; the checklist, the test mail, the list of apps, and roles that are granted meanwhile. The
// real program, real Chromium.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  PASSWORD, addUser, button, codeOf, field, heading, inspect, isFocused, later, logIn, logInByApi, open, refused, until,
} from './app.mjs';
import { copyFolder, mailTo, startChromium, startLictor, stopLictors, writeFile } from './stage.mjs';

const COMMAND = 'lictor user add NAME --role admin';
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

// The path of the link that the server has shown last, with its secret.
async function setupLink(lictor) {
  // With the end of its line, so that all of it is there.
  const links = await until(() => lictor.output().match(/\/setup#[\w-]+(?=\s)/g), 'a link to the setup');
  return links.at(-1);
}

async function become(page, name) {
  // With the space that keyboards of phones add.
  await field(page, 'Username').fill(`${name} `);
  await field(page, 'Password').fill(PASSWORD);
  await button(page, 'Make the administrator').click();
}

test('first run, administrator, invited user, second factor, by the pages alone', async t => {
  const lictor = await startLictor('first', '--registration', 'invite', '--throttle', 'off');
  const page = await open(t, browser, lictor, '/');
  await page.getByText('There is no administrator yet.').waitFor();
  await page.getByText(COMMAND, { exact: true }).waitFor();
  await page.getByText('lictor user roles NAME --add admin', { exact: true }).waitFor();
  await inspect(page, 'start without an administrator');
  await page.goto('/admin');
  await page.getByText(COMMAND, { exact: true }).waitFor();

  const link = await setupLink(lictor);
  await page.goto(link);
  await heading(page, 'Make the administrator').waitFor();
  assert.equal(new URL(page.url()).hash, '');
  assert.equal(await isFocused(field(page, 'Username')), true);
  await inspect(page, 'setup');
  // The secret outlasts a reload, and stays out of what lasts longer than the tab.
  await page.reload();
  await heading(page, 'Make the administrator').waitFor();
  const kept = await page.evaluate(() => JSON.stringify({ ...localStorage }) + document.cookie);
  assert.ok(!kept.includes(link.split('#')[1]), kept);
  await become(page, 'ada');
  await heading(page, 'First steps').waitFor();
  assert.equal(new URL(page.url()).pathname, '/admin/checklist');
  assert.equal(await isFocused(heading(page, 'First steps')), true);
  assert.deepEqual(await page.evaluate(() => ({ ...sessionStorage })), {});
  await inspect(page, 'checklist');

  await page.getByRole('link', { name: 'Invitations' }).click();
  await button(page, 'Create invitation').click();
  const invitation = await page.getByRole('textbox', { name: 'Link' }).inputValue();
  const guest = await open(t, browser, lictor, invitation);
  await field(guest, 'Username').fill('bob');
  await field(guest, 'Password').fill(PASSWORD);
  await button(guest, 'Register').click();
  await heading(guest, 'Hello, bob').waitFor();
  assert.equal(await guest.getByText('There is no administrator yet.').count(), 0);
  await enrolByPages(guest);

  // The administrator as well, from the checklist.
  await page.getByRole('link', { name: 'First steps' }).click();
  await page.getByRole('link', { name: 'Set it up in your account' }).click();
  await enrolByPages(page);
  await page.getByRole('link', { name: 'Administration' }).click();
  await page.getByRole('link', { name: 'First steps' }).click();
  await page.getByText('Your account has a second factor.').waitFor();

  await guest.goto(link);
  await heading(guest, 'There is an administrator').waitFor();
  await inspect(guest, 'setup that is done');
});

async function enrolByPages(page) {
  if (!page.url().endsWith('/account')) await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Account' }).click();
  await button(page, 'Turn on').click();
  await field(page, 'Current password').fill(PASSWORD);
  await button(page, 'Continue').click();
  const secret = await page.getByRole('textbox', { name: 'Key' }).inputValue();
  await field(page, 'Code').fill(codeOf(secret.replaceAll(' ', '')));
  await button(page, 'Turn on').click();
  await heading(page, 'Your recovery codes', 3).waitFor();
  await button(page, "I've saved them").click();
  await page.getByText('On. Logging in takes a code from your authenticator app.').waitFor();
}

test('a link from before a restart, a weak password, and the commands for a user who is logged in', async t => {
  const lictor = await startLictor('void', '--throttle', 'off');
  const old = await setupLink(lictor);
  addUser(lictor, 'bob');
  const page = await open(t, browser, lictor, old, { expected: [refused(400), refused(403), refused(409)] });
  await field(page, 'Username').fill('ada');
  await field(page, 'Password').fill('password123');
  await button(page, 'Make the administrator').click();
  await page.locator('.wrong').waitFor();
  await become(page, 'bob');
  await page.getByText('This username is taken.').waitFor();

  await lictor.stop();
  await lictor.start();
  await become(page, 'ada');
  await heading(page, 'This link does not work').waitFor();
  await page.getByText(COMMAND, { exact: true }).waitFor();
  await inspect(page, 'setup, void link');

  // The new link, in the same tab, as somebody who is logged in.
  await page.goto('/login');
  await logIn(page, 'bob');
  await heading(page, 'Hello, bob').waitFor();
  await page.getByText('lictor user roles bob --add admin', { exact: true }).waitFor();
  await page.goto('/admin');
  await heading(page, 'For administrators only').waitFor();
  await page.getByText('lictor user roles bob --add admin', { exact: true }).waitFor();
  await page.goto(await setupLink(lictor));
  await page.getByText('You are logged in as bob. This makes another account.').waitFor();
  await become(page, 'ada');
  await heading(page, 'First steps').waitFor();
});

test('with the app in a folder of one\'s own, the command makes the first administrator, and no link does', async t => {
  const folder = copyFolder('app', join(import.meta.dirname, '../../web/dist'));
  // Its documents name this file, which lictor has only with --brand.
  writeFile('app/brand.css', '');
  const lictor = await startLictor('folder', '--throttle', 'off', '--web', folder);
  const page = await open(t, browser, lictor, '/', { expected: [refused(403)] });
  await page.getByText('There is no administrator yet.').waitFor();
  await page.getByText(COMMAND, { exact: true }).waitFor();
  // Whose app is in the folder the server cannot know, so it shows a link to none of its pages.
  await until(() => lictor.output().includes('user roles NAME'), 'what a start says');
  assert.doesNotMatch(lictor.output(), /\/setup#/);
  await page.goto('/setup');
  await heading(page, 'Make the administrator').waitFor();
  await page.getByText(COMMAND, { exact: true }).waitFor();
  assert.equal(await page.locator('form').count(), 0);
  await page.goto('/setup#0123-4567-89AB-CDEF-0123-4567');
  await become(page, 'eve');
  await heading(page, 'This link does not work').waitFor();
  await page.getByText(COMMAND, { exact: true }).waitFor();
  await inspect(page, 'setup, app in a folder');

  addUser(lictor, 'ada', '--role', 'admin');
  await page.goto('/setup#0123-4567-89AB-CDEF-0123-4567');
  await heading(page, 'There is an administrator').waitFor();
  await page.goto('/login');
  await logIn(page, 'ada');
  await heading(page, 'Hello, ada').waitFor();
  assert.equal(await page.getByText('There is no administrator yet.').count(), 0);
  await page.goto('/admin/checklist');
  await heading(page, 'First steps').waitFor();
});

test('without a secret the setup page says where the link is', async t => {
  const lictor = await startLictor('none');
  const page = await open(t, browser, lictor, '/setup');
  await heading(page, 'Make the administrator').waitFor();
  await page.getByText(COMMAND, { exact: true }).waitFor();
  assert.equal(await page.locator('form').count(), 0);
  // The link, opened in this tab, changes nothing but the part behind the #.
  const secret = (await setupLink(lictor)).split('#')[1];
  await page.evaluate(hash => (location.hash = hash), secret);
  await field(page, 'Username').waitFor();
  assert.equal(new URL(page.url()).hash, '');
});

test('the checklist: what was ticked stays, mail is tried, and it can be hidden', async t => {
  const lictor = await startLictor('list', '--throttle', 'off', '--public-url', '{url}', ...mailTo('list'));
  addUser(lictor, 'ada', '--role', 'admin', '--email', 'ada@example.org');
  const token = await logInByApi(lictor, 'ada');
  const page = await open(t, browser, lictor, '/admin/checklist', { token });
  const step = name => page.getByRole('listitem').filter({ has: heading(page, name, 2) });
  await heading(page, 'First steps').waitFor();
  await page.getByText('Everybody who can reach the server.').waitFor();
  for (const name of ['Name of the service', 'Who may register', 'Mail', 'Second factor', 'Backup']) {
    await step(name).getByText('Open', { exact: true }).waitFor();
  }
  await step('Backup').getByRole('checkbox').check();
  await step('Backup').getByText('Done', { exact: true }).waitFor();

  assert.equal(await field(page, 'E-mail').inputValue(), 'ada@example.org');
  await field(page, 'E-mail').fill('ada+test@example.org');
  await button(page, 'Send a test mail').click();
  await page.getByText('The mail to ada+test@example.org is sent. Look in the mailbox.').waitFor();
  await step('Mail').getByText('Done', { exact: true }).waitFor();
  await inspect(page, 'checklist with mail');

  await page.reload();
  await step('Backup').getByText('Done', { exact: true }).waitFor();
  await button(page, 'Hide the list').click();
  await heading(page, 'Users').waitFor();
  await page.getByText('The list of first steps is hidden in this browser. It is still at /admin/checklist.').waitFor();
  await until(() => page.evaluate(() => document.activeElement.tagName !== 'BODY'), 'the focus');
  assert.equal(await page.getByRole('link', { name: 'First steps' }).count(), 0);
});

test('the checklist in two tabs: neither undoes what was ticked in the other', async t => {
  const lictor = await startLictor('ticks', '--throttle', 'off');
  addUser(lictor, 'ada', '--role', 'admin');
  const one = await open(t, browser, lictor, '/admin/checklist', { token: await logInByApi(lictor, 'ada') });
  const two = await one.context().newPage();
  await two.goto('/admin/checklist');
  const step = (page, name) => page.getByRole('listitem').filter({ has: heading(page, name, 2) });
  await step(two, 'Backup').waitFor();
  await step(one, 'Backup').getByRole('checkbox').check();
  await step(two, 'Who may register').getByRole('checkbox').check();
  await one.reload();
  for (const name of ['Backup', 'Who may register']) await step(one, name).getByText('Done', { exact: true }).waitFor();
});

test('a late answer about a test mail does not replace a newer one', async t => {
  const lictor = await startLictor('late', '--throttle', 'off', '--public-url', '{url}', ...mailTo('late'));
  addUser(lictor, 'ada', '--role', 'admin');
  const page = await open(t, browser, lictor, '/admin/checklist', { token: await logInByApi(lictor, 'ada') });
  const looks = [];
  await page.route('**/api/admin/test-mail/*', route => void looks.push(route));
  const answer = (route, state) => route.fulfill({ json: { state, failure: '', due: null } });
  const send = async email => {
    await field(page, 'E-mail').fill(email);
    await button(page, 'Send a test mail').click();
    await page.getByText(`The mail to ${email} waits to be sent.`).waitFor();
  };

  await send('one@example.org');
  await until(() => looks.length > 0, 'a look at the first mail');
  await send('two@example.org');
  const first = looks[0].request().url();
  const second = () => looks.filter(each => each.request().url() !== first);
  await until(() => second().length >= 2, 'two looks at the second mail');

  await answer(looks[0], 'sent');
  await sleep(300);
  await page.getByText('The mail to two@example.org waits to be sent.').waitFor();
  const mail = page.getByRole('listitem').filter({ has: heading(page, 'Mail', 2) });
  await mail.getByText('Open', { exact: true }).waitFor();
  const [slow, fast] = second();
  await answer(fast, 'sent');
  await page.getByText('The mail to two@example.org is sent.').waitFor();
  await answer(slow, 'waits');
  await sleep(300);
  await page.getByText('The mail to two@example.org is sent.').waitFor();
  await mail.getByText('Done', { exact: true }).waitFor();
});

test('a test mail that fails says why', async t => {
  const lictor = await startLictor('fails', '--throttle', 'off', '--public-url', '{url}', '--mail', 'sendmail:/bin/false', '--mail-from', 'login@example.org');
  addUser(lictor, 'ada', '--role', 'admin');
  const page = await open(t, browser, lictor, '/admin/checklist', { token: await logInByApi(lictor, 'ada') });
  await field(page, 'E-mail').fill('ada@example.org');
  await button(page, 'Send a test mail').click();
  await page.getByText(/The mail to ada@example\.org (waits to be sent|could not be sent)\. .*(ended|exit|false)/).waitFor();
  await inspect(page, 'checklist, mail fails');
});

test('a role that is granted or taken while a page is open shows without a reload', async t => {
  const lictor = await startLictor('granted', '--throttle', 'off');
  addUser(lictor, 'ada');
  const page = await open(t, browser, lictor, '/', { token: await logInByApi(lictor, 'ada'), expected: [refused(403)] });
  await heading(page, 'Hello, ada').waitFor();
  const administration = page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Administration' });
  assert.equal(await administration.count(), 0);
  lictor.run('', 'user', 'roles', 'ada', '--add', 'admin');
  await later(page, GLANCE_MS);
  await administration.waitFor();
  await page.getByText('There is no administrator yet.').waitFor({ state: 'detached' });

  // A refusal shows that the role is gone.
  addUser(lictor, 'root', '--role', 'admin');
  await administration.click();
  await heading(page, 'Users').waitFor();
  lictor.run('', 'user', 'roles', 'ada', '--remove', 'admin');
  await page.getByRole('link', { name: 'Audit' }).click();
  await heading(page, 'For administrators only').waitFor();
  await administration.waitFor({ state: 'detached' });
});

test('home lists the apps that the user may open', async t => {
  const rules = writeFile('apps-rules', 'wiki.example.org role family\nphotos.example.org users\n*.example.org users\n');
  const lictor = await startLictor('apps', '--access', rules, '--cookie-domain', 'example.org', '--public-url', 'https://login.example.org');
  addUser(lictor, 'root', '--role', 'admin');
  addUser(lictor, 'ada');
  const page = await open(t, browser, lictor, '/', { token: await logInByApi(lictor, 'ada') });
  await heading(page, 'Your apps', 2).waitFor();
  const app = page.getByRole('link', { name: 'photos.example.org' });
  assert.equal(await app.getAttribute('href'), 'https://photos.example.org/');
  assert.equal(await page.getByRole('link', { name: 'wiki.example.org' }).count(), 0);
  await inspect(page, 'home with apps');
  lictor.run('', 'user', 'roles', 'ada', '--add', 'family');
  await later(page, GLANCE_MS);
  await page.getByRole('link', { name: 'wiki.example.org' }).waitFor();
});
