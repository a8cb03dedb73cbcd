// Owns the tests of the audit with 3,500 entries: filters and pages in the address, names that lead to their
// users, what strangers typed, and the files. The real program, real Chromium.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { addUser, ask, button, field, heading, inspect, logInByApi, open, refused, until } from './app.mjs';
import { addManyEntries, addManyUsers, manyName } from './many.mjs';
import { startChromium, startLictor, stopLictors } from './stage.mjs';

// Four pages of what is saved.
const ENTRIES = 3_500;
const PAGE = 50;
const TYPED = 'my-secret-typed-as-a-name';

let browser, lictor, token;

before(async () => {
  lictor = await startLictor('audit', '--throttle', 'off');
  browser = await startChromium();
  addUser(lictor, 'root', '--role', 'admin');
  addManyUsers(lictor, 'root', 20);
  token = await logInByApi(lictor, 'root');
  await addManyEntries(lictor, token, Array.from({ length: 20 }, (_, n) => 1001 + n), ENTRIES);
  for (const username of [TYPED, manyName(8)]) {
    const body = JSON.stringify({ username, password: 'wrong wrong wrong' });
    assert.equal((await fetch(`${lictor.url}/api/login`, { method: 'POST', body })).status, 401);
  }
  // A role cannot begin like a formula, but a name can.
  addUser(lictor, '=cmd()');
});

after(async () => {
  await browser?.close();
  await stopLictors();
});

test('entries tell seconds, and names that lead to the users', async t => {
  const page = await admin(t, '/admin/audit?event=roles-changed');
  await entries(page).nth(PAGE - 1).waitFor();
  const first = entries(page).first();
  assert.match(await first.getByRole('time').textContent(), /\d{1,2}:\d{2}:\d{2}/);
  await first.getByText('by ').getByRole('link', { name: 'root', exact: true }).waitFor();
  await inspect(page, 'audit');
  const who = first.getByRole('link').first();
  const name = await who.textContent();
  await who.click();
  await heading(page, name).waitFor();
  await page.getByRole('link', { name: 'Activity' }).click();
  await page.getByText('Only what concerns').getByRole('link', { name, exact: true }).waitFor();
  await field(page, 'Username').fill('root');
  await page.waitForURL(/\?name=root$/);
  await page.getByText('Only what concerns').waitFor({ state: 'detached' });
  await button(page, 'Clear filters').click();
  await entries(page).filter({ hasText: 'root' }).first().waitFor();
});

test('what strangers typed as a name is never shown', async t => {
  const page = await admin(t, '/admin/audit');
  await page.getByRole('checkbox', { name: 'Only failed logins' }).check();
  await page.waitForURL(/\?failed=true$/);
  await entries(page).nth(2).waitFor({ state: 'detached' });
  await page.getByText('a name that nobody has').waitFor();
  await entries(page).getByRole('link', { name: manyName(8), exact: true }).waitFor();
  assert.equal(await entries(page).count(), 2);
  assert.ok(!(await page.content()).includes(TYPED));
  await page.reload();
  await page.getByText('a name that nobody has').waitFor();
  assert.ok(await page.getByRole('checkbox', { name: 'Only failed logins' }).isChecked());
});

test('filters by name, event, address and time are in the address', async t => {
  const page = await admin(t, '/admin/audit');
  await entries(page).first().waitFor();
  await field(page, 'Username').fill(manyName(8));
  await page.waitForURL(/name=/);
  await page.getByRole('combobox', { name: 'Event' }).selectOption({ label: 'Login failed' });
  await page.waitForURL(/event=login-failed/);
  await entries(page).nth(1).waitFor({ state: 'detached' });
  await page.locator('.rows[aria-busy=false]').waitFor();
  assert.equal(await entries(page).count(), 1);
  await field(page, 'IP address').fill('192.0.2.1');
  await page.getByText('No activity. The username and the IP address must be complete, accents included.').waitFor();
  await field(page, 'IP address').fill('127.0.0.1');
  await entries(page).first().waitFor();
  await field(page, 'To').fill('2001-02-03T04:05');
  await page.getByText('No activity.').waitFor();
  const until = Number(new URL(page.url()).searchParams.get('until'));
  assert.equal(until % 60, 59, 'the whole minute');
  await page.reload();
  await page.getByText('No activity.').waitFor();
  assert.equal(await field(page, 'To').inputValue(), '2001-02-03T04:05');
  await inspect(page, 'audit, filtered');
  await button(page, 'Clear filters').click();
  await entries(page).first().waitFor();
  assert.equal(await field(page, 'Username').inputValue(), '');
});

test('an address with a wrong position leads to the first page', async t => {
  const page = await open(t, browser, lictor, '/admin/audit?before=xyz', { token, expected: [refused(400)] });
  await page.getByRole('alert').waitFor();
  assert.equal(await button(page, 'Try again').count(), 0, 'which would change nothing');
  await page.getByRole('link', { name: 'First page' }).click();
  await entries(page).first().waitFor();
});

test('a user who is gone is said to be so, without another try', async t => {
  const page = await open(t, browser, lictor, '/admin/users/999999', { token, expected: [refused(404)] });
  await page.getByText('This does not exist any more.').waitFor();
  assert.equal(await button(page, 'Try again').count(), 0);
});

test('the next page in a new tab leaves this one where it is', async t => {
  const page = await admin(t, '/admin/audit');
  await entries(page).nth(PAGE - 1).waitFor();
  const next = page.getByRole('link', { name: 'Next page' });
  await next.scrollIntoViewIfNeeded();
  const before = await page.evaluate(() => scrollY);
  const opened = page.context().waitForEvent('page');
  await next.click({ modifiers: ['Control'] });
  await entries(await opened).first().waitFor();
  assert.equal(await page.evaluate(() => scrollY), before);
  assert.notEqual(before, 0);
});

test('pages follow one another', async t => {
  const page = await admin(t, '/admin/audit');
  await entries(page).nth(PAGE - 1).waitFor();
  const first = await entries(page).first().textContent();
  await page.getByRole('link', { name: 'Next page' }).click();
  await page.waitForURL(/before=/);
  await page.locator('.rows[aria-busy=false]').waitFor();
  assert.notEqual(await entries(page).first().textContent(), first);
  await page.goBack();
  await page.waitForFunction(text => document.querySelector('.row.audit')?.textContent === text, first);
});

test('all entries are saved as CSV that a spreadsheet reads and runs nothing of', async t => {
  const page = await admin(t, '/admin/audit');
  const text = await saved(page, 'Save as CSV', /^audit-\d{4}-\d\d-\d\d\.csv$/);
  assert.ok(text.startsWith('\ufeff"time","event","user","name","actor","actor_name","address","detail"\r\n'), text.slice(0, 99));
  const lines = text.trimEnd().split('\r\n');
  assert.ok(lines.length > ENTRIES, `${lines.length} lines`);
  for (const line of lines) assert.ok(!/(^|",)"[=+@-]/.test(line), line);
  assert.ok(lines.some(line => line.includes(`"'=cmd()"`)), 'the name with an apostrophe');
  assert.ok(!text.includes(TYPED));
  await page.getByText(`${lines.length - 1} entries are saved.`).waitFor();
});

test('the entries of a filter are saved as JSON Lines', async t => {
  const page = await admin(t, '/admin/audit?failed=true');
  const text = await saved(page, 'Save as JSON Lines', /\.jsonl$/);
  const all = text.trimEnd().split('\n').map(line => JSON.parse(line));
  assert.equal(all.length, 2);
  assert.deepEqual(all.map(each => each.event), ['login-failed', 'login-failed']);
  await page.getByText('2 entries are saved.').waitFor();
});

test('saving tells how far it is, and can be stopped', async t => {
  const page = await admin(t, '/admin/audit');
  await entries(page).first().waitFor();
  let pages = 0;
  let go;
  const held = new Promise(done => (go = done));
  await page.route('**/api/admin/audit?*limit=1000*', async route => {
    pages += 1;
    if (pages === 2) await held;
    await route.continue();
  });
  await button(page, 'Save as CSV').click();
  await page.getByText('1000 entries so far …').waitFor();
  await button(page, 'Stop').click();
  go();
  await button(page, 'Save as CSV').waitFor();
  assert.ok(pages <= 3, `${pages} pages`);
  assert.equal(await page.getByText('are saved').count(), 0);
  assert.equal((await ask(lictor, 'GET', '/api/admin/audit?limit=1', token)).entries.length, 1);
});

test('leaving the page ends the saving', async t => {
  const page = await admin(t, '/admin/audit');
  await entries(page).first().waitFor();
  let downloads = 0;
  page.on('download', () => (downloads += 1));
  const asked = [];
  await page.route('**/api/admin/audit?*limit=1000*', route => {
    asked.push(route);
    return asked.length === 1 ? route.continue() : undefined;
  });
  await button(page, 'Save as CSV').click();
  await until(() => asked.length === 2, 'the second request');
  await page.getByRole('link', { name: 'Users', exact: true }).click();
  await heading(page, 'Users').waitFor();
  await asked[1].continue();
  await sleep(1_000);
  assert.deepEqual([asked.length, downloads], [2, 0]);
});

async function saved(page, name, pattern) {
  await button(page, name).waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, name).click()]);
  assert.match(download.suggestedFilename(), pattern);
  return readFileSync(await download.path(), 'utf8');
}

function admin(t, path) {
  return open(t, browser, lictor, path, { token });
}

const entries = page => page.locator('.row.audit');
