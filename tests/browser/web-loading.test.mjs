// Owns the tests of how the web app is loaded: what a first visit costs, on a slow line too, what moves
// meanwhile, and files that are gone because the server was upgraded. The real program, real Chromium.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { addUser, button, field, heading, isFocused, logIn, logInByApi, unreachable, until, visit } from './app.mjs';
import { startChromium, startLictor, stopLictors } from './stage.mjs';

// The line that is called slow 3G: 400 kbit/s, and 400 ms until an answer begins.
const SLOW = { offline: false, latency: 400, downloadThroughput: 50_000, uploadThroughput: 50_000 };

let browser, lictor, token;

before(async () => {
  lictor = await startLictor('loading', '--throttle', 'off');
  browser = await startChromium();
  addUser(lictor, 'ada', '--role', 'admin');
  token = await logInByApi(lictor, 'ada');
});

after(async () => {
  await browser?.close();
  await stopLictors();
});

test('the login loads one language and no page behind it, and the configuration once', async t => {
  const page = await (await visit(t, browser, lictor)).newPage();
  const asked = [];
  page.on('request', request => asked.push(new URL(request.url()).pathname));
  await page.goto('/login');
  await field(page, 'Username or e-mail').waitFor();
  await page.waitForLoadState('networkidle');
  const scripts = asked.filter(path => path.endsWith('.js'));
  assert.equal(scripts.filter(path => /\/(en|pt|pt-BR|de|es|fr)-/.test(path)).length, 1, `${scripts}`);
  assert.deepEqual(scripts.filter(path => /\/(account|admin|links|return|parts)-/.test(path)), []);
  assert.equal(new Set(asked).size, asked.length, `each file once: ${asked}`);
  const started = await page.evaluate(() => performance.getEntriesByType('resource').map(each => [new URL(each.name).pathname, each.initiatorType]));
  assert.deepEqual(started.filter(([path]) => path === '/api/config').map(([, how]) => how), ['link'], 'the preload is used');
});

for (const [path, options] of [['/login', {}], ['/', {}], ['/account', { inside: true }], ['/admin/users/1', { inside: true }]]) {
  test(`on a slow line ${path} shows soon, and nothing moves`, async t => {
    const context = await visit(t, browser, lictor, { token: options.inside ? token : undefined, viewport: { width: 390, height: 780 } });
    await context.addInitScript(measure);
    const page = await context.newPage();
    const cdp = await context.newCDPSession(page);
    await cdp.send('Network.enable');
    await cdp.send('Network.emulateNetworkConditions', SLOW);
    await page.goto(path);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForLoadState('networkidle');
    const { shown, moved, frame } = await page.evaluate(() => globalThis.measured);
    t.diagnostic(`frame after ${Math.round(frame)} ms, page after ${Math.round(shown)} ms, layout shift ${moved}`);
    assert.equal(moved, 0, 'layout shift');
  });
}

test('the frame is there before the configuration, and the form after it', async t => {
  const context = await visit(t, browser, lictor);
  const page = await context.newPage();
  let answer;
  const held = new Promise(done => (answer = done));
  await page.route('**/api/config', async route => {
    await held;
    await route.continue();
  });
  await page.goto('/login', { waitUntil: 'commit' });
  await page.locator('header .mark').waitFor();
  assert.equal(await page.locator('form').count(), 0);
  assert.equal(await page.locator('header a').count(), 0, 'no link without a name');
  answer();
  await field(page, 'Username or e-mail').waitFor();
  assert.equal(await isFocused(field(page, 'Username or e-mail')), true);
});

test('a page whose file is gone: the page is loaded again, once', async t => {
  const context = await visit(t, browser, lictor, { expected: [/status of 404/] });
  const page = await context.newPage();
  let gone = true;
  await page.route('**/assets/account-*.js', route => (gone ? route.fulfill({ status: 404, body: '{}' }) : route.continue()));
  await page.goto('/login');
  await logIn(page, 'ada');
  await heading(page, 'Hello, ada').waitFor();
  let loads = 0;
  page.on('request', request => {
    if (!request.isNavigationRequest()) return;
    loads += 1;
    gone = false;
  });
  await page.getByRole('navigation').getByRole('link', { name: 'Account' }).click();
  await heading(page, 'Account').waitFor();
  assert.equal(new URL(page.url()).pathname, '/account');
  assert.equal(loads, 1);
});

test('a page whose file stays gone: a message, and no circle of reloads', async t => {
  const context = await visit(t, browser, lictor, { token, expected: [/status of 404/] });
  const page = await context.newPage();
  await page.route('**/assets/admin-*.js', route => route.fulfill({ status: 404, body: '{}' }));
  let loads = 0;
  page.on('load', () => (loads += 1));
  await page.goto('/admin');
  await heading(page, 'This page could not be loaded').waitFor();
  await until(() => loads >= 2, 'the second load');
  assert.equal(loads, 2);
  await button(page, 'Try again').waitFor();
  await page.getByRole('navigation').getByRole('link', { name: 'Account' }).click();
  await heading(page, 'Account').waitFor();
});

test('without the words of the language, the page is loaded again, once, and says so', async t => {
  const context = await visit(t, browser, lictor, { expected: [/status of 404/] });
  const page = await context.newPage();
  await page.route('**/assets/en-*.js', route => route.fulfill({ status: 404, body: '{}' }));
  await page.goto('/login');
  await page.getByText('This page could not be loaded. Please reload it.').waitFor();
});

test('where only the words of the language are missing, those of English stand in', async t => {
  const context = await visit(t, browser, lictor, { locale: 'de-DE', expected: [/status of 404/] });
  const page = await context.newPage();
  await page.route('**/assets/de-*.js', route => route.fulfill({ status: 404, body: '{}' }));
  await page.goto('/login');
  await heading(page, 'Log in').waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'en');
});

test('a load that takes long says so', async t => {
  const context = await visit(t, browser, lictor, { possible: [/preloaded using link preload but not used/] });
  const page = await context.newPage();
  let answer;
  const held = new Promise(done => (answer = done));
  await page.route('**/assets/en-*.js', async route => {
    await held;
    await route.continue();
  });
  await page.goto('/login', { waitUntil: 'commit' });
  const note = page.getByText('Loading. The server has not answered yet.');
  await note.waitFor();
  answer();
  await heading(page, 'Log in').waitFor();
  assert.equal(await note.count(), 0);
});

test('without a connection a page that is not loaded yet waits for it', async t => {
  const context = await visit(t, browser, lictor, { token, expected: [unreachable] });
  const page = await context.newPage();
  await page.goto('/');
  await heading(page, 'Hello, ada').waitFor();
  await context.setOffline(true);
  await page.getByRole('navigation').getByRole('link', { name: 'Administration' }).click();
  await page.getByText('No connection').waitFor();
  await context.setOffline(false);
  await heading(page, 'Users').waitFor();
});

// Runs in the page.
function measure() {
  globalThis.measured = { moved: 0, frame: 0, shown: 0 };
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) globalThis.measured.moved += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
  new MutationObserver(() => {
    globalThis.measured.frame ||= document.querySelector('header') ? performance.now() : 0;
    globalThis.measured.shown ||= document.querySelector('h1') ? performance.now() : 0;
  }).observe(document, { childList: true, subtree: true });
}
