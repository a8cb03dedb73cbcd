// Owns the tests of the administration: users, invitations, links for new passwords, the audit, and that
// only administrators see it. The real program, real Chromium.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  PASSWORD, addUser, ask, button, field, heading, idIn, inspect, logInByApi, open, refused,
} from './app.mjs';
import { startChromium, startLictor, stopLictors } from './stage.mjs';

const NEW_PASSWORD = 'nine copper kettles on the hill';
// The number of users on one page of the list.
const PAGE = 25;

let browser, lictor, token;

before(async () => {
  lictor = await startLictor('admin', '--throttle', 'off', '--registration', 'invite');
  browser = await startChromium();
  addUser(lictor, 'root', '--role', 'admin');
  for (const name of ['ada', 'bea', 'cleo']) addUser(lictor, name, '--email', `${name}@example.org`);
  token = await logInByApi(lictor, 'root');
});

after(async () => {
  await browser?.close();
  await stopLictors();
});

test('users are found by name and e-mail address, and their page leads back', async t => {
  const page = await admin(t, '/');
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Administration' }).click();
  await heading(page, 'Users').waitFor();
  await user(page, 'root').waitFor();
  const search = page.getByRole('searchbox', { name: 'Search by name or e-mail' });
  await search.fill('ada@');
  await user(page, 'cleo').waitFor({ state: 'detached' });
  await user(page, 'ada').waitFor();
  await search.fill('nobody of that name');
  await page.getByText('Nobody found.').waitFor();
  await search.fill('bea');
  await user(page, 'bea').click();
  await heading(page, 'bea').waitFor();
  await page.getByText('bea@example.org').first().waitFor();
  await inspect(page, 'user');
  await page.getByRole('link', { name: 'All users' }).click();
  await heading(page, 'Users').waitFor();
});

test('a deactivated user is logged out until activated again', async t => {
  const theirs = await logInByApi(lictor, 'ada');
  const page = await admin(t, `/admin/users/${idIn(theirs)}`);
  await page.getByText('Not logged in anywhere.').waitFor({ state: 'detached' });
  await button(page, 'Deactivate').click();
  await page.getByText('ada is inactive and logged out everywhere.').waitFor();
  await page.getByText('Not logged in anywhere.').waitFor();
  await inspect(page, 'user, inactive');
  await assert.rejects(ask(lictor, 'GET', '/api/me', theirs));
  await assert.rejects(logInByApi(lictor, 'ada'), /InvalidUserError/);
  await button(page, 'Activate').click();
  await page.getByText('ada is active.').waitFor();
  await logInByApi(lictor, 'ada');
});

test('roles are saved, and the last administrator keeps the role', async t => {
  const theirs = await logInByApi(lictor, 'ada');
  const page = await admin(t, `/admin/users/${idIn(theirs)}`, [refused(409)]);
  await field(page, 'Roles').fill('keeper, gardener');
  await save(page);
  await page.getByText('The roles are saved and count at once.').waitFor();
  const { roles } = await ask(lictor, 'GET', '/api/me', theirs);
  assert.deepEqual(roles.toSorted(), ['gardener', 'keeper']);

  await page.goto(`/admin/users/${idIn(token)}`);
  await field(page, 'Roles').fill('');
  await save(page);
  await button(page.getByRole('dialog'), 'Give up administration').click();
  await page.getByText('There must be another active administrator first, who has set a password.').waitFor();
  await inspect(page, 'roles, refused');
});

test('sessions of a user can be ended', async t => {
  const theirs = await logInByApi(lictor, 'bea');
  const page = await admin(t, `/admin/users/${idIn(theirs)}`);
  await button(page, 'Log out everywhere').click();
  await page.getByText('bea is logged out everywhere.').waitFor();
  await assert.rejects(ask(lictor, 'GET', '/api/me', theirs), /BlacklistedError/);
});

test('a link for a new password works', async t => {
  const theirs = await logInByApi(lictor, 'bea');
  const page = await admin(t, `/admin/users/${idIn(theirs)}`);
  await button(page, 'Create link').click();
  const link = page.getByRole('textbox', { name: 'Link' });
  await link.waitFor();
  await inspect(page, 'link for a new password');

  const guest = await open(t, browser, lictor, await link.inputValue());
  await field(guest, 'New password').fill(NEW_PASSWORD);
  await button(guest, 'Set password').click();
  await guest.getByText('You are logged in as bea. All other sessions and all app passwords have ended.').waitFor();
  await assert.rejects(ask(lictor, 'GET', '/api/me', theirs), /BlacklistedError/);
});

test('invitations are made, used and revoked', async t => {
  const page = await admin(t, '/admin/invitations');
  await page.getByText('There are none.').waitFor();
  await field(page, 'Roles (optional)').fill('keeper');
  await page.getByRole('combobox', { name: 'Good for' }).selectOption({ label: 'a day' });
  await button(page, 'Create invitation').click();
  const link = await page.getByRole('textbox', { name: 'Link' }).inputValue();
  await button(page, 'Close').waitFor();
  await inspect(page, 'invitation made');

  const guest = await open(t, browser, lictor, link);
  await field(guest, 'Username').fill('dora');
  await field(guest, 'Password').fill(PASSWORD);
  await button(guest, 'Register').click();
  await heading(guest, 'Hello, dora').waitFor();
  assert.deepEqual((await ask(lictor, 'GET', '/api/me', await logInByApi(lictor, 'dora'))).roles, ['keeper']);

  await button(page, 'Close').click();
  await button(page, 'Create invitation').click();
  await page.getByText('no roles').waitFor();
  await page.getByRole('button', { name: /^Revoke invitation / }).last().click();
  await page.getByText('The invitation is revoked.').waitFor();
});

test('the audit shows who did what, for all users and for one', async t => {
  const page = await admin(t, '/admin/audit');
  await page.locator('.row').getByText('Logged in').first().waitFor();
  await page.getByText('from 127.0.0.1').first().waitFor();
  const theirs = await logInByApi(lictor, 'cleo');
  await page.goto(`/admin/users/${idIn(theirs)}`);
  await page.getByRole('link', { name: 'Activity' }).click();
  await page.getByText('Only what concerns').getByRole('link', { name: 'cleo', exact: true }).waitFor();
  await page.locator('.row').getByText('Logged in').first().waitFor();
  assert.equal(await page.getByRole('listitem').filter({ hasText: 'root' }).count(), 0);
  await button(page, 'Clear filters').click();
  await page.getByRole('listitem').filter({ hasText: 'root' }).first().waitFor();
});

test('a user is deleted after a confirmation', async t => {
  addUser(lictor, 'elsa');
  const theirs = await logInByApi(lictor, 'elsa');
  const page = await admin(t, `/admin/users/${idIn(theirs)}`);
  await button(page, 'Delete account').click();
  const dialog = page.getByRole('dialog', { name: 'Delete account' });
  await inspect(page, 'delete a user, asked');
  await button(dialog, 'Cancel').click();
  await page.locator('dialog').waitFor({ state: 'detached' });
  await button(page, 'Delete account').click();
  await button(dialog, 'Delete elsa').click();
  await heading(page, 'Users').waitFor();
  await user(page, 'root').waitFor();
  assert.equal(await user(page, 'elsa').count(), 0);
  await assert.rejects(logInByApi(lictor, 'elsa'), /AuthenticationError/);
});

test('many users are shown page by page', async t => {
  for (let i = 0; i < PAGE; i += 1) addUser(lictor, `many-${i}`);
  const page = await admin(t, '/admin');
  await user(page, 'Next page').click();
  await user(page, `many-${PAGE - 1}`).waitFor();
  assert.equal(await user(page, 'root').count(), 0);
  await inspect(page, 'users, next page');
  await user(page, 'First page').click();
  await user(page, 'root').waitFor();
});

test('other users see no link to the administration, and a message on its pages', async t => {
  const page = await open(t, browser, lictor, '/', { token: await logInByApi(lictor, 'cleo') });
  await heading(page, 'Hello, cleo').waitFor();
  assert.equal(await page.getByRole('link', { name: 'Administration' }).count(), 0);
  for (const path of ['/admin', '/admin/users/1', '/admin/users/new', '/admin/invitations', '/admin/audit', '/admin/mails']) {
    await page.goto(path);
    await heading(page, 'For administrators only').waitFor();
  }
  await inspect(page, 'for administrators only');
});

function admin(t, path, expected = []) {
  return open(t, browser, lictor, path, { token, expected });
}

// The button below the field for roles.
function save(page) {
  return button(page.locator('form').filter({ has: field(page, 'Roles') }), 'Save').click();
}

function user(page, name) {
  return page.getByRole('main').getByRole('link', { name, exact: true });
}
