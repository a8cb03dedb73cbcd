// Owns the tests of what the pages look like to those who see them otherwise: large text, forced colours, a
// narrow window, six languages, a lost connection. The real program, real Chromium.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  addUser, button, field, fits, heading, inspect, isFocused, logInByApi, open, speak, unreachable, until, visit,
} from './app.mjs';
import { mailTo, startChromium, startLictor, stopLictors } from './stage.mjs';

const LANGUAGES = {
  en: 'English', 'pt-PT': 'Português (Portugal)', 'pt-BR': 'Português (Brasil)', de: 'Deutsch', es: 'Español', fr: 'Français',
};
const OUTSIDE = ['/', '/login', '/register', '/forgot', '/check-mail', '/no-such-page'];
const INSIDE = ['/', '/account', '/protected', '/admin', '/admin/users/1', '/admin/invitations', '/admin/audit'];

let browser, lictor, token;

before(async () => {
  lictor = await startLictor('looks', '--throttle', 'off', '--registration', 'email', ...mailTo('looks'));
  browser = await startChromium();
  addUser(lictor, 'root', '--role', 'admin', '--email', 'root@example.org');
  token = await logInByApi(lictor, 'root');
});

after(async () => {
  await browser?.close();
  await stopLictors();
});

for (const [who, paths] of [['outside', OUTSIDE], ['inside', INSIDE]]) {
  test(`text of 200 % fits a window of 360 px, ${who}`, async t => {
    const context = await visit(t, browser, lictor, { token: who === 'inside' ? token : undefined, viewport: { width: 360, height: 740 } });
    const page = await context.newPage();
    for (const path of paths) {
      await page.goto(path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.waitForFunction(() => !document.querySelector('main .loading'));
      await page.evaluate(() => (document.documentElement.style.fontSize = '200%'));
      const [there, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(there <= room, `${path}: ${there} px in a window of ${room}`);
    }
  });
}

test('forced colours tell which page is shown', async t => {
  const context = await visit(t, browser, lictor, { token, forcedColors: 'active' });
  const page = await context.newPage();
  await page.goto('/admin/invitations');
  await heading(page, 'Invitations').waitFor();
  for (const [name, chosen, other] of [['Administration', 'Invitations', 'Users'], ['Main', 'Administration', 'Account']]) {
    const colours = await Promise.all([chosen, other].map(link =>
      page.getByRole('navigation', { name }).getByRole('link', { name: link, exact: true })
        .evaluate(each => getComputedStyle(each).borderBottomColor)));
    assert.notEqual(colours[0], colours[1], name);
  }
});

test('the six languages can be chosen by name, and the choice is kept', async t => {
  const context = await visit(t, browser, lictor, { locale: 'en-GB' });
  const page = await context.newPage();
  await page.goto('/login');
  // The form takes the focus when it appears, after the foot of the page.
  const name = page.locator('input[name=username]:focus');
  await name.waitFor();
  const choice = page.locator('footer').getByRole('combobox');
  assert.deepEqual(await choice.getByRole('option').allTextContents(), Object.values(LANGUAGES));
  for (const [code, words] of Object.entries(LANGUAGES)) {
    // Playwright changes a list without going there, a person does not.
    await choice.focus();
    await choice.selectOption(words);
    await page.waitForFunction(lang => document.documentElement.lang === lang, code);
    assert.equal(await isFocused(choice), true);
    await page.reload();
    await name.waitFor();
    assert.equal(await choice.inputValue(), code);
    assert.equal(await page.evaluate(() => document.documentElement.lang), code);
    await fits(page, words);
  }
});

test('the language of the browser, and a choice of before there were two Portuguese', async t => {
  for (const [locale, stored, lang] of [
    ['pt-BR', null, 'pt-BR'], ['pt-PT', null, 'pt-PT'], ['pt', null, 'pt-PT'], ['pt-AO', null, 'pt-PT'], ['de-AT', null, 'de'],
    ['es-MX', null, 'es'], ['fr-CA', null, 'fr'], ['ja', null, 'en'], ['fr', 'pt', 'pt-PT'], ['fr', 'nonsense', 'fr'],
  ]) {
    const context = await visit(t, browser, lictor, { locale });
    const page = await context.newPage();
    if (stored) {
      await page.goto('/login');
      await page.evaluate(value => localStorage.setItem('lictor.language', value), stored);
    }
    await page.goto('/login');
    await page.getByRole('heading', { level: 1 }).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), lang, `${locale}, ${stored}`);
    await page.close();
  }
});

for (const [width, height] of [[320, 640], [360, 640], [1280, 800]]) {
  test(`the message about a lost connection covers nothing at ${width} px`, async t => {
    const context = await visit(t, browser, lictor, { expected: [unreachable], viewport: { width, height } });
    const page = await context.newPage();
    for (const path of ['/login', '/register']) {
      await context.setOffline(false);
      await page.goto(path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      const before = await page.getByRole('heading', { level: 1 }).boundingBox();
      await context.setOffline(true);
      await loseConnection(page);
      const pill = page.getByText('No connection');
      await pill.waitFor();
      if (path === '/login' && width === 360) await inspect(page, 'connection lost');
      await page.evaluate(() => scrollTo(0, 0));
      const below = await page.getByRole('heading', { level: 1 }).boundingBox();
      assert.deepEqual(below, before, 'nothing moves');
      const box = await pill.boundingBox();
      assert.ok(box.y + box.height <= below.y, `${path}: it ends at ${box.y + box.height}, the heading begins at ${below.y}`);
      for (const link of await page.getByRole('banner').getByRole('link').all()) {
        const above = await link.boundingBox();
        assert.ok(above.y + above.height <= box.y + 12, `${path}: the header ends at ${above.y + above.height}, it begins at ${box.y}`);
      }
      // On a scrolled page, whatever gets the focus is not below it.
      for (const each of await page.getByRole('main').locator('a, button, input').all()) {
        await each.evaluate(element => { scrollTo(0, document.body.scrollHeight); element.focus(); });
        const [place, at] = [await pill.boundingBox(), await each.boundingBox()];
        assert.ok(at.y >= place.y + place.height || at.y + at.height <= place.y, `${path}: ${await each.evaluate(element => element.outerHTML)} at ${JSON.stringify(at)}, ${JSON.stringify(place)}`);
      }
    }
  });
}

test('the document has a title and a description', async t => {
  const page = await open(t, browser, lictor, '/login');
  await field(page, 'Username or e-mail').waitFor();
  const answer = await (await fetch(`${lictor.url}/login`)).text();
  assert.match(answer, /<meta name="description" content="[^"]{20,160}">/);
  assert.match(answer, /<title>Log in<\/title>/);
  await until(async () => (await page.title()) === 'Log in · lictor', 'the title');
});

test('a wait of more than two minutes is told in minutes', async t => {
  const context = await visit(t, browser, lictor, { expected: [/status of 429/] });
  const page = await context.newPage();
  let seconds = 600;
  await page.route('**/api/login', route => route.fulfill({
    status: 429,
    headers: { 'Retry-After': String(seconds) },
    json: { error: 'TooManyRequests', message: 'x', status_code: 429 },
  }));
  for (const [wait, words] of [[600, 'Try again in 10 minutes'], [121, 'Try again in 3 minutes'], [100, /^Try again in \d+ seconds$/]]) {
    seconds = wait;
    await page.goto('/login');
    await field(page, 'Username or e-mail').fill('root');
    await field(page, 'Password').fill('x');
    await button(page, 'Log in').click();
    await page.getByRole('button', { name: words }).waitFor();
  }
});

// The next request finds no connection.
async function loseConnection(page) {
  await page.evaluate(() => dispatchEvent(new Event('offline')));
  const form = page.locator('form');
  for (const input of await form.locator('input:not([type=checkbox])').all()) await input.fill('ada@example.org');
  await form.locator('button[type=submit]').click();
}

test('large text fits a phone in every language', async t => {
  const wide = [];
  const context = await visit(t, browser, lictor, { token, viewport: { width: 360, height: 740 }, isMobile: true });
  const page = await context.newPage();
  for (const path of ['/account', '/admin', '/admin/users/1', '/admin/audit']) {
    await page.goto(path);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForFunction(() => !document.querySelector('main .loading'));
    await page.evaluate(() => (document.documentElement.style.fontSize = '200%'));
    for (const language of Object.keys(LANGUAGES).filter(each => each !== 'en')) {
      await speak(page, language);
      for (const width of [360, 320]) {
        await page.setViewportSize({ width, height: 740 });
        const there = await page.evaluate(() => document.documentElement.scrollWidth);
        if (there > width) wide.push(`${path}, ${language}: ${there} px in a window of ${width}`);
      }
    }
  }
  assert.deepEqual(wide, []);
});

test('of two choices of a language the last one counts, whichever arrives first', async t => {
  const context = await visit(t, browser, lictor);
  const page = await context.newPage();
  let answer;
  const held = new Promise(done => (answer = done));
  await page.route('**/assets/de-*.js', async route => {
    await held;
    await route.continue();
  });
  await page.goto('/login');
  const choice = page.locator('footer').getByRole('combobox');
  const late = page.waitForResponse('**/assets/de-*.js');
  await choice.selectOption('Deutsch');
  await choice.selectOption('Français');
  await page.waitForFunction(() => document.documentElement.lang === 'fr');
  answer();
  await late;
  await page.waitForLoadState('networkidle');
  await page.waitForTimeout(200);
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'fr');
  assert.equal(await choice.inputValue(), 'fr');
});
