// Owns the tests of the page of one user, of adding a user, and of invitations: what an administrator does,
// and where it is said. The real program, real Chromium.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  addUser, ask, button, enrol, field, heading, idIn, inspect, isFocused, logInByApi, mailed, mailedLink, open,
  refused, until,
} from './app.mjs';
import { mailTo, startChromium, startLictor, stopLictors } from './stage.mjs';

const NEW_PASSWORD = 'nine copper kettles on the hill';

let browser, lictor, token;

before(async () => {
  lictor = await startLictor(
    'user', '--throttle', 'off', '--registration', 'invite', '--public-url', '{url}', ...mailTo('user'),
  );
  browser = await startChromium();
  addUser(lictor, 'root', '--role', 'admin', '--email', 'root@example.org');
  for (const name of ['ada', 'bea', 'cleo']) addUser(lictor, name, '--email', `${name}@example.org`);
  token = await logInByApi(lictor, 'root');
});

after(async () => {
  await browser?.close();
  await stopLictors();
});

test('the page tells the last login and where from', async t => {
  const page = await admin(t, await pathOf('ada'));
  await page.getByText('127.0.0.1').first().waitFor();
  await page.getByText('Last login', { exact: true }).waitFor();
  addUser(lictor, 'never');
  await page.goto('/admin?search=never');
  await page.getByRole('link', { name: 'never', exact: true }).click();
  await page.getByText('Never', { exact: true }).waitFor();
});

test('a second factor is taken away after a question', async t => {
  await enrol(lictor, 'bea');
  const page = await admin(t, await pathOf('bea', 0));
  await button(page, 'Reset second factor').click();
  const dialog = page.getByRole('dialog', { name: 'Reset second factor' });
  await inspect(page, 'reset second factor, asked');
  await button(dialog, 'Reset second factor').click();
  await page.getByText('bea has no second factor any more.').waitFor();
  await focusIn(page, 'bea has no second factor any more.');
  await logInByApi(lictor, 'bea');
});

test('the e-mail address is changed, and taken ones are refused at the field', async t => {
  const page = await admin(t, await pathOf('cleo'), [refused(400)]);
  await field(page, 'E-mail').fill('ada@example.org');
  await button(page, 'Save').first().click();
  await page.getByText('This address belongs to another account.').waitFor();
  assert.equal(await isFocused(field(page, 'E-mail')), true);
  await field(page, 'E-mail').fill('cleo@example.net');
  await button(page, 'Save').first().click();
  await page.getByText('The address is now cleo@example.net.').waitFor();
  await page.getByText('cleo@example.net', { exact: true }).waitFor();
  await inspect(page, 'address changed');
});

test('one session is ended in its place, the current one comes first, and more are shown on demand', async t => {
  for (let n = 0; n < 12; n += 1) await logInByApi(lictor, 'root');
  const page = await admin(t, await pathOf('root', 0));
  const rows = page.locator('.rows .row');
  await rows.nth(9).waitFor();
  assert.equal(await rows.count(), 10);
  await rows.first().getByText('This one').waitFor();
  await page.getByRole('button', { name: /^Show more \(\d+\)$/ }).click();
  await rows.nth(12).waitFor();
  assert.ok(await isFocused(rows.nth(10)), 'the first new row has the focus');
  await rows.nth(3).getByRole('button').click();
  await rows.nth(3).getByText('That session has ended.').waitFor();
  assert.ok(await isFocused(rows.nth(3)));
  await inspect(page, 'session ended');
});

test('failed logins are told and forgotten', async t => {
  // Failed logins count only with the throttle.
  const server = await startLictor('failed');
  addUser(server, 'root', '--role', 'admin');
  addUser(server, 'cleo');
  const body = JSON.stringify({ username: 'cleo', password: 'wrong wrong wrong' });
  assert.equal((await fetch(`${server.url}/api/login`, { method: 'POST', body })).status, 401);
  const page = await open(t, browser, server, '/admin/users/2', { token: await logInByApi(server, 'root') });
  await page.getByText('1 failed login since the last one that worked.').waitFor();
  await inspect(page, 'user with a failed login');
  await button(page, 'Unlock').click();
  await focusIn(page, 'The failed logins of cleo are forgotten.');
  assert.equal(await button(page, 'Unlock').count(), 0);
});

test('the account shows its sessions in the same way', async t => {
  const theirs = await logInByApi(lictor, 'cleo');
  for (let n = 0; n < 11; n += 1) await logInByApi(lictor, 'cleo');
  const page = await open(t, browser, lictor, '/account', { token: theirs });
  const rows = page.locator('.rows').first().locator('.row');
  await rows.nth(9).waitFor();
  await rows.first().getByText('This one').waitFor();
  await page.getByRole('button', { name: /^Show more/ }).click();
  await rows.nth(11).waitFor();
  await rows.nth(4).getByRole('button').click();
  await rows.nth(4).getByText('That session has ended.').waitFor();
  assert.ok(await isFocused(rows.nth(4)));
  await inspect(page, 'account, session ended');
});

test('deactivating oneself and giving up the role are asked first, and the rule is named', async t => {
  const page = await admin(t, await pathOf('root', 0), [refused(409), refused(400)]);
  await button(page, 'Deactivate').click();
  const dialog = page.getByRole('dialog', { name: 'Deactivate your own account' });
  await inspect(page, 'deactivate oneself');
  await button(dialog, 'Deactivate').click();
  await dialog.getByText('There must be another active administrator first, who has set a password.').waitFor();
  await button(dialog, 'Cancel').click();
  await dialog.waitFor({ state: 'detached' });
  assert.equal(await isFocused(button(page, 'Deactivate')), true);
  await field(page, 'Roles').fill('user');
  await button(page, 'Save').last().click();
  const giveUp = page.getByRole('dialog', { name: 'Give up administration' });
  await button(giveUp, 'Give up administration').click();
  await giveUp.getByText('There must be another active administrator first, who has set a password.').waitFor();
  await button(giveUp, 'Cancel').click();
  // The field then shows the roles of the user again.
  await page.locator('dialog').waitFor({ state: 'detached' });
  await field(page, 'Roles').fill('ad min');
  await button(page, 'Save').last().click();
  await button(giveUp, 'Give up administration').click();
  await giveUp.getByText('A role has 1 to 64 letters, digits, or _ . : -').waitFor();
});

test('another administrator who gives up the role sees these pages no longer', async t => {
  addUser(lictor, 'second', '--role', 'admin');
  const theirs = await logInByApi(lictor, 'second');
  const page = await open(t, browser, lictor, `/admin/users/${idIn(theirs)}`, { token: theirs, expected: [refused(403)] });
  await field(page, 'Roles').fill('');
  await button(page, 'Save').last().click();
  await button(page.getByRole('dialog'), 'Give up administration').click();
  await heading(page, 'For administrators only').waitFor();
});

test('a link for a new password is mailed, and one that is shown goes when it is void', async t => {
  const page = await admin(t, await pathOf('ada'));
  await button(page, 'Send by mail').click();
  await page.getByText('A link is on its way to ada@example.org.').waitFor();
  const link = await mailedLink(lictor, 'ada@example.org', 'reset-finalize');
  const guest = await open(t, browser, lictor, link);
  await field(guest, 'New password').waitFor();
  await button(page, 'Create link').click();
  await page.getByRole('textbox', { name: 'Link' }).waitFor();
  await button(page, 'Deactivate').click();
  await page.getByText('ada is inactive and logged out everywhere.').waitFor();
  await page.getByRole('textbox', { name: 'Link' }).waitFor({ state: 'detached' });
  await button(page, 'Activate').click();
  await page.getByText('ada is active.').waitFor();
});

test('a link that was used goes from the page, which says so', async t => {
  addUser(lictor, 'ida');
  const page = await admin(t, await pathOf('ida'), [refused(401)]);
  const look = () => page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await button(page, 'Create link').click();
  const link = page.getByRole('textbox', { name: 'Link' });
  const reset = new URL(await link.inputValue()).searchParams.get('token');
  // The page looks for it once it has drawn the link.
  const checks = [];
  page.on('response', answer => answer.url().endsWith('/api/reset_finalize') && checks.push(answer.status()));
  await until(async () => {
    await look();
    return checks.length > 0;
  }, 'a check of the link');
  assert.equal(checks[0], 200);
  assert.equal(await link.count(), 1);
  await ask(lictor, 'POST', '/api/reset_finalize', reset, { password: NEW_PASSWORD });
  await look();
  await page.getByText('The link was used or no longer works.').waitFor();
  assert.equal(await link.count(), 0);
  await inspect(page, 'a link that was used');
  await button(page, 'Create link').waitFor();
});

test('a link stays when the user cannot be loaded again, and the page says so', async t => {
  addUser(lictor, 'hugo');
  const path = await pathOf('hugo');
  const page = await admin(t, path, [refused(503)]);
  await button(page, 'Create link').click();
  const link = page.getByRole('textbox', { name: 'Link' });
  const shown = await link.inputValue();
  const busy = { error: 'Unavailable', message: 'busy', status_code: 503 };
  await page.route(`**/api${path}`, route => route.fulfill({ status: 503, json: busy }));
  await field(page, 'Roles').fill('user, keeper');
  await button(page, 'Save').last().click();
  const problem = page.getByText('The server is busy. Please try again shortly.');
  await problem.waitFor();
  assert.equal(await link.inputValue(), shown);
  await page.unroute(`**/api${path}`);
  await button(page, 'Try again').click();
  await problem.waitFor({ state: 'detached' });
  assert.equal(await link.inputValue(), shown);
});

test('a user is added and sets the password with the link', async t => {
  const page = await admin(t, '/admin', [refused(409)]);
  await page.getByRole('link', { name: 'Add user' }).click();
  await heading(page, 'Add user').waitFor();
  assert.equal(await isFocused(field(page, 'Username')), true);
  await inspect(page, 'add user');
  await field(page, 'Username').fill('ada');
  await button(page, 'Add user').click();
  await page.getByText('This username is taken.').waitFor();
  // With the space that keyboards of phones add.
  await field(page, 'Username').fill('dora ');
  await field(page, 'E-mail (optional)').fill('dora@example.org');
  await field(page, 'Roles (optional)').fill('user, keeper');
  await button(page, 'Add user').click();
  await focusIn(page, 'The account dora is created.');
  await inspect(page, 'user added');
  const link = await page.getByRole('textbox', { name: 'Link' }).inputValue();
  const guest = await open(t, browser, lictor, link);
  await field(guest, 'New password').fill(NEW_PASSWORD);
  await button(guest, 'Set password').click();
  await heading(guest, 'Your password is set').waitFor();
  const answer = await ask(lictor, 'POST', '/api/login', undefined, { username: 'dora', password: NEW_PASSWORD });
  const me = await ask(lictor, 'GET', '/api/me', answer.access_token);
  assert.deepEqual([me.email, me.roles.toSorted()], ['dora@example.org', ['keeper', 'user']]);
  await page.getByRole('link', { name: 'Open dora' }).click();
  await heading(page, 'dora').waitFor();
});

test('an invitation is mailed with a note, and its code goes when it is revoked', async t => {
  const page = await admin(t, '/admin/invitations');
  await field(page, 'Roles (optional)').fill('user');
  await field(page, 'E-mail (optional)').fill('elsa@example.org');
  const note = 'Welcome to the choir, Elsa <3';
  await field(page, 'Note (optional)').fill(note);
  await page.locator('form button[type=submit]').click();
  await page.getByText('The invitation is on its way to elsa@example.org.').waitFor();
  await inspect(page, 'invitation mailed');
  const shown = await page.getByRole('textbox', { name: 'Link' }).inputValue();
  assert.match(shown, /\/register\?invitation=/);
  const mail = await mailed(lictor, mails => mails.find(each => each.includes(note)), 'the mail with the note');
  assert.match(mail, /^To: elsa@example\.org$/m);
  assert.ok(mail.includes(shown), 'the link of the page is that of the mail');
  await page.locator('.rows .row').first().getByRole('button').click();
  await focusIn(page, 'The invitation is revoked.');
  await page.getByRole('textbox', { name: 'Link' }).waitFor({ state: 'detached' });
});

test('the code of an invitation goes when it is used', async t => {
  const page = await admin(t, '/admin/invitations');
  await page.locator('form button[type=submit]').click();
  await page.getByRole('textbox', { name: 'Code' }).waitFor();
  const invitation = await page.getByRole('textbox', { name: 'Code' }).inputValue();
  const account = { username: 'fritz', password: NEW_PASSWORD, email: 'fritz@example.org', invitation };
  await ask(lictor, 'POST', '/api/registration', undefined, account);
  // The page looks for it once it has drawn the code.
  await until(async () => {
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    return (await page.getByText('The invitation was used or has expired.').count()) > 0;
  }, 'what became of it');
  await focusIn(page, 'The invitation was used or has expired.');
  assert.equal(await page.getByRole('textbox', { name: 'Code' }).count(), 0);
});

test('a deleted user is told of on the list', async t => {
  addUser(lictor, 'gone');
  const page = await admin(t, await pathOf('gone'));
  await button(page, 'Delete account').click();
  await button(page.getByRole('dialog'), 'Delete gone').click();
  await heading(page, 'Users').waitFor();
  await page.getByText('The account of gone is deleted.').waitFor();
});

// The path of the page of a user; with a login before, unless it is `0`.
async function pathOf(name, logIns = 1) {
  if (logIns > 0) return `/admin/users/${idIn(await logInByApi(lictor, name))}`;
  const { users } = await ask(lictor, 'GET', `/api/admin/users?search=${name}`, token);
  return `/admin/users/${users.find(each => each.username === name).id}`;
}

async function focusIn(page, text) {
  await page.waitForFunction(wanted => document.activeElement.textContent.includes(wanted) && document.activeElement !== document.body, text);
}

function admin(t, path, expected = []) {
  return open(t, browser, lictor, path, { token, expected });
}
