// Owns the tests of the start page: the login, what is there after it, the page of one's own to which it
// leads, what is said on the next page, and where the focus goes. The real program, real Chromium.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PASSWORD, addUser, button, field, heading, inspect, isFocused, logIn, logInByApi, open, visit } from './app.mjs';
import { servePage, startChromium, startLictor, stopLictors } from './stage.mjs';

let browser, lictor, invites, elsewhere, leading;

before(async () => {
  lictor = await startLictor('home', '--throttle', 'off');
  invites = await startLictor('home-invites', '--throttle', 'off', '--registration', 'invite');
  elsewhere = await servePage('<!doctype html><title>apps</title><link rel="icon" href="data:,"><h1>My apps</h1>');
  leading = await startLictor('home-url', '--throttle', 'off', '--home-url', `${elsewhere}/apps`);
  browser = await startChromium();
  for (const server of [lictor, invites, leading]) addUser(server, 'ada');
  addUser(lictor, 'root', '--role', 'admin');
});

after(async () => {
  await browser?.close();
  await stopLictors();
});

test('the start page is the login, and afterwards the way to what one may open', async t => {
  const page = await open(t, browser, lictor, '/');
  await heading(page, 'Welcome to lictor').waitFor();
  assert.equal(await isFocused(field(page, 'Username or e-mail')), true, 'the name can be typed at once');
  await inspect(page, 'start page, logged out');
  await page.keyboard.type('ada');
  await logIn(page, 'ada');
  await heading(page, 'Hello, ada').waitFor();
  assert.equal(new URL(page.url()).pathname, '/');
  assert.deepEqual(await page.getByRole('main').getByRole('link').allTextContents(), ['Account']);
  await inspect(page, 'start page, logged in');

  const admin = await open(t, browser, lictor, '/', { token: await logInByApi(lictor, 'root') });
  await heading(admin, 'Hello, root').waitFor();
  assert.deepEqual(await admin.getByRole('main').getByRole('link').allTextContents(), ['Account', 'Administration']);
});

test('/login has the focus in its first field, and a wrong path too', async t => {
  for (const path of ['/login', '/account', '/']) {
    const page = await open(t, browser, lictor, path);
    await field(page, 'Username or e-mail').waitFor();
    assert.equal(await isFocused(field(page, 'Username or e-mail')), true, path);
    await page.context().close();
  }
});

test('with a page of one\'s own, a login and the name lead there; coming back does not', async t => {
  const context = await visit(t, browser, leading);
  const page = await context.newPage();
  await page.goto('/');
  await logIn(page, 'ada');
  await page.waitForURL(`${elsewhere}/apps`);

  await page.goto(`${leading.url}/`);
  await heading(page, 'Hello, ada').waitFor();
  const link = page.getByRole('main').getByRole('link', { name: `Continue to ${new URL(elsewhere).host}` });
  assert.equal(await link.getAttribute('href'), `${elsewhere}/apps`);
  assert.equal(await page.getByRole('link', { name: 'lictor', exact: true }).getAttribute('href'), `${elsewhere}/apps`);
  await inspect(page, 'start page with a page of one\'s own');

  // A login for a page of ours shows that page.
  await button(page, 'Log out').click();
  await page.goto(`${leading.url}/account`);
  await logIn(page, 'ada');
  await heading(page, 'Account').waitFor();

  // So does a login that an app has asked for, and a registration is one.
  await button(page, 'Log out').first().click();
  await page.goto(`${leading.url}/login?return=${encodeURIComponent('/account')}`);
  await logIn(page, 'ada');
  await heading(page, 'Account').waitFor();
  await button(page, 'Log out').first().click();
  await page.goto(`${leading.url}/register`);
  await field(page, 'Username').fill('bob');
  await field(page, 'Password').fill(PASSWORD);
  await button(page, 'Register').click();
  await page.waitForURL(`${elsewhere}/apps`);
});

test('a page of one\'s own that is no place leads nowhere', async t => {
  const context = await visit(t, browser, lictor, { token: await logInByApi(lictor, 'ada') });
  await context.route('**/api/config', async route => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), home_url: 'javascript:alert(1)' } });
  });
  const page = await context.newPage();
  await page.goto('/');
  await heading(page, 'Hello, ada').waitFor();
  assert.equal(await page.getByRole('link', { name: 'lictor', exact: true }).getAttribute('href'), '/');
});

test('a logout is said on the next page, until the navigation after it', async t => {
  const page = await open(t, browser, lictor, '/account', { token: await logInByApi(lictor, 'ada') });
  await heading(page, 'Account').waitFor();
  await button(page, 'Log out').first().click();
  await page.getByRole('status').filter({ hasText: 'You are logged out.' }).waitFor();
  assert.equal(await isFocused(field(page, 'Username or e-mail')), true);
  await inspect(page, 'logged out');
  await page.waitForTimeout(1_100);
  await page.getByRole('navigation').getByRole('link', { name: 'Register' }).click();
  await heading(page, 'Register').waitFor();
  assert.equal(await page.getByText('You are logged out.').count(), 0);
});

test('an invitation that is opened while logged in is not used, and that is said', async t => {
  const code = /code\s+(\S+)/.exec(invites.run('', 'invite', 'add'))[1];
  const page = await open(t, browser, invites, `/register?invitation=${code}`, { token: await logInByApi(invites, 'ada') });
  await heading(page, 'Hello, ada').waitFor();
  await page.getByText('You are logged in already, so the invitation was not used.').waitFor();
  assert.equal(new URL(page.url()).pathname, '/');
  await inspect(page, 'invitation while logged in');
  await button(page, 'Log out').click();
  await page.getByRole('navigation').getByRole('link', { name: 'Register' }).click();
  assert.equal(await field(page, 'Invitation code').inputValue(), code, 'it is still there');
});

test('after each navigation the focus is at the heading or in the first field', async t => {
  const page = await open(t, browser, lictor, '/', { token: await logInByApi(lictor, 'root') });
  await heading(page, 'Hello, root').waitFor();
  const links = page.getByRole('navigation', { name: 'Main' });
  for (const [where, name, title] of [
    [links, 'Account', 'Account'],
    [links, 'Administration', 'Users'],
    [page.getByRole('navigation', { name: 'Administration' }), 'Invitations', 'Invitations'],
    [page.getByRole('navigation', { name: 'Administration' }), 'Audit', 'Audit'],
    [page, 'lictor', 'Hello, root'],
  ]) {
    await where.getByRole('link', { name, exact: true }).click();
    await heading(page, title).waitFor();
    assert.equal(await isFocused(heading(page, title)), true, title);
  }
  await page.goBack();
  await heading(page, 'Audit').waitFor();
  assert.equal(await isFocused(heading(page, 'Audit')), true, 'back');
});

test('a login in one tab leads no other tab to the page of one\'s own', async t => {
  const context = await visit(t, browser, leading);
  const others = [];
  for (const path of ['/', '/login', '/register']) {
    const page = await context.newPage();
    await page.goto(path);
    await page.getByRole('heading', { level: 1 }).waitFor();
    others.push(page);
  }
  const page = await context.newPage();
  await page.goto('/login');
  await logIn(page, 'ada');
  await page.waitForURL(`${elsewhere}/apps`);
  for (const each of others) {
    await heading(each, 'Hello, ada').waitFor();
    await each.waitForLoadState('networkidle');
    assert.equal(new URL(each.url()).origin, leading.url);
  }
});
