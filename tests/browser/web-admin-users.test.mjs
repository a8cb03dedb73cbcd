// Owns the tests of the list of users with 500 of them: search, filters, order and pages in the address,
// states, the total, and that the rows stay while the next ones load. The real program, real Chromium.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { addUser, anotherSecond, button, field, heading, inspect, isFocused, logInByApi, open, until } from './app.mjs';
import { addManyUsers, manyName } from './many.mjs';
import { mailTo, startChromium, startLictor, stopLictors } from './stage.mjs';

const MANY = 500;
// The number of users on one page of the list.
const PAGE = 25;

let browser, lictor, token;

before(async () => {
  lictor = await startLictor('users', '--throttle', 'off', '--registration', 'email', ...mailTo('users'));
  browser = await startChromium();
  addUser(lictor, 'root', '--role', 'admin', '--email', 'root@example.org');
  addManyUsers(lictor, 'root', MANY);
  token = await logInByApi(lictor, 'root');
  const waiting = { username: 'willow', password: 'ten wooden lanterns by the ford', email: 'willow@example.org' };
  await fetch(`${lictor.url}/api/registration`, { method: 'POST', body: JSON.stringify(waiting) });
});

after(async () => {
  await browser?.close();
  await stopLictors();
});

test('pages follow one another, back and forth, and the address leads to the same rows', async t => {
  const page = await admin(t, '/admin');
  await page.getByText(`${MANY + 2} users`).waitFor();
  assert.equal(await names(page).count(), PAGE);
  const [first] = await names(page).allTextContents();
  await link(page, 'Next page').click();
  await page.waitForURL(/after=/);
  await other(page, first);
  const [second] = await names(page).allTextContents();
  await focusOn(page, 'H1');
  await link(page, 'Next page').click();
  await other(page, second);
  const third = await names(page).allTextContents();
  await inspect(page, 'users, third page');
  await page.reload();
  await user(page, third[0]).waitFor();
  assert.deepEqual(await names(page).allTextContents(), third);
  await link(page, 'Previous page').click();
  await user(page, second).waitFor();
  await link(page, 'Previous page').click();
  await user(page, first).waitFor();
  assert.equal(await link(page, 'Previous page').count(), 0);
  await page.goBack();
  await user(page, second).waitFor();
  await until(() => page.evaluate(() => document.activeElement !== document.body), 'the focus');
  await link(page, 'First page').click();
  await user(page, first).waitFor();
  assert.equal(new URL(page.url()).search, '');
});

test('a search is in the address, finds letters with accents, and comes back with Back', async t => {
  const page = await admin(t, '/admin');
  await names(page).first().waitFor();
  const search = page.getByRole('searchbox', { name: 'Search by name or e-mail' });
  await search.pressSequentially('jose', { delay: 20 });
  await page.getByText(`${MANY / 10} users`).waitFor();
  await page.waitForURL(/\?search=jose$/);
  await focusOn(page, 'INPUT');
  await user(page, manyName(10)).click();
  await heading(page, manyName(10)).waitFor();
  await page.goBack();
  await user(page, manyName(10)).waitFor();
  assert.equal(await search.inputValue(), 'jose');
  // Typing left no steps to go back through.
  await page.goBack();
  assert.equal(page.url(), 'about:blank');
});

test('filters narrow the list, each a step to go back from', async t => {
  const page = await admin(t, '/admin');
  await names(page).first().waitFor();
  await page.getByRole('combobox', { name: 'State' }).selectOption({ label: 'Inactive' });
  await page.getByText('72 users').waitFor();
  await page.waitForURL(/\?state=inactive$/);
  await field(page, 'Role').fill('keeper');
  await page.getByText('8 users').waitFor();
  await inspect(page, 'users, filtered');
  await page.goBack();
  await page.getByText(`${MANY + 2} users`).waitFor();
  assert.equal(await field(page, 'Role').inputValue(), '');
  await page.goForward();
  await page.getByText('8 users').waitFor();
  assert.equal(await field(page, 'Role').inputValue(), 'keeper');
  await button(page, 'Clear filters').click();
  await page.getByText(`${MANY + 2} users`).waitFor();
  await focusOn(page, 'INPUT');
  await page.getByRole('combobox', { name: 'Second factor' }).selectOption({ label: 'On' });
  await page.getByText('Nobody found.').waitFor();
});

test('the list is sorted by name and by the last login', async t => {
  // The order is by the second.
  await anotherSecond(token);
  await logInByApi(lictor, manyName(8));
  const page = await admin(t, '/admin?sort=last_login&order=desc');
  await names(page).nth(1).waitFor();
  const [latest, next] = await names(page).allTextContents();
  assert.deepEqual([latest, next], [manyName(8), 'root']);
  await page.getByText('last login').first().waitFor();
  await page.getByRole('combobox', { name: 'Order' }).selectOption({ label: 'By name, backwards' });
  await page.waitForURL(/sort=name&order=desc/);
  await other(page, latest);
  const back = await names(page).allTextContents();
  await page.getByRole('combobox', { name: 'Order' }).selectOption({ label: 'By name' });
  await other(page, back[0]);
  const forth = await names(page).allTextContents();
  assert.equal(forth.length, PAGE);
  assert.notDeepEqual(forth, back);
});

test('waiting and deactivated accounts look different, and the waiting address is shown', async t => {
  const page = await admin(t, '/admin?state=unconfirmed');
  const row = page.locator('.row.users').filter({ hasText: 'willow' });
  await row.getByText('Not confirmed yet', { exact: true }).waitFor();
  await row.getByText('willow@example.org').waitFor();
  assert.equal(await row.getByText('Inactive').count(), 0);
  await page.goto('/admin?state=inactive');
  await page.getByText('Inactive', { exact: true }).last().waitFor();
  assert.equal(await page.getByText('Not confirmed yet').filter({ visible: true }).count(), 0);
  await page.goto('/admin?search=willow');
  await user(page, 'willow').click();
  await page.getByText('willow has not followed the link in the mail yet.').waitFor();
  await page.getByText('willow@example.org').first().waitFor();
  await inspect(page, 'user, waiting');
});

test('rows stay and dim while the next ones load', async t => {
  const page = await admin(t, '/admin');
  await names(page).first().waitFor();
  let go;
  const held = new Promise(done => (go = done));
  await page.route('**/api/admin/users?*', async route => {
    await held;
    await route.continue();
  });
  const list = page.getByRole('main').getByRole('list').last();
  await link(page, 'Next page').click();
  await page.locator('.rows[aria-busy=true]').waitFor();
  assert.equal(await names(page).count(), PAGE);
  assert.equal(await page.getByText('Loading').count(), 0);
  go();
  await page.locator('.rows[aria-busy=false]').waitFor();
  assert.equal(await list.getAttribute('aria-busy'), 'false');
});

test('rows go when those of another filter are refused, and stay when the same ones are', async t => {
  const page = await admin(t, '/admin', { expected: [/status of 503/] });
  await names(page).first().waitFor();
  const busy = { status: 503, json: { error: 'Unavailable', message: 'busy', status_code: 503 } };
  const problem = page.getByText('The server is busy. Please try again shortly.');
  await page.route('**/api/admin/users?*', route => route.fulfill(busy));
  await page.getByRole('combobox', { name: 'State' }).selectOption({ label: 'Inactive' });
  await problem.waitFor();
  assert.equal(await names(page).count(), 0);
  await page.unroute('**/api/admin/users?*');
  await button(page, 'Try again').click();
  await page.getByText('72 users').waitFor();
  assert.equal(await problem.count(), 0);

  await page.route('**/api/admin/users?*', route => route.fulfill(busy));
  await names(page).first().click();
  await page.getByRole('heading', { name: 'New password' }).waitFor();
  await page.goBack();
  await problem.waitFor();
  assert.equal(await names(page).count(), PAGE);
  await page.unroute('**/api/admin/users?*');
  await button(page, 'Try again').click();
  await problem.waitFor({ state: 'detached' });
  assert.equal(await names(page).count(), PAGE);
});

function admin(t, path, options = {}) {
  return open(t, browser, lictor, path, { token, ...options });
}

const names = page => page.locator('.row.users a');
const link = (page, name) => page.getByRole('main').getByRole('link', { name, exact: true });
const user = link;
const focusOn = (page, tag) => until(() => page.evaluate(wanted => document.activeElement.tagName === wanted, tag), `the focus on ${tag}`);

// Waits until the first row is not this user.
async function other(page, name) {
  await page.waitForFunction(before => {
    const first = document.querySelector('.rows[aria-busy=false] .row.users a');
    return first && first.textContent !== before;
  }, name);
}

test('Back from a user leads to the row that was followed', async t => {
  const page = await admin(t, '/admin');
  await page.getByText(`${MANY + 2} users`).waitFor();
  const row = names(page).nth(PAGE - 1);
  const name = await row.textContent();
  await row.click();
  await heading(page, name).waitFor();
  await page.goBack();
  await page.getByText(`${MANY + 2} users`).waitFor();
  await page.waitForLoadState('networkidle');
  assert.equal(await isFocused(row), true);
  const { y } = await row.boundingBox();
  assert.ok(y >= 0 && y < page.viewportSize().height, `the row is in sight: ${y}`);
});

test('an address that the server does not understand leads to the first page or to no filters', async t => {
  const page = await open(t, browser, lictor, '/admin?after=xyz&sort=name', { token, possible: [/status of 400/] });
  for (const [path, way] of [['/admin?after=9x', 'First page'], ['/admin?state=foo', 'Clear filters'], ['/admin/audit?since=abc', 'Clear filters']]) {
    await page.goto(path);
    await page.getByText('The server did not understand this.').waitFor();
    assert.equal(await button(page, 'Try again').count(), 0);
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: way }).click();
    await page.locator('.row').first().waitFor();
  }
});
