// Owns the tests of every page: it opens at its own URL, in two languages, on a phone and on a desktop;
// and the cost of a first visit. web-languages has axe-core look at these pages. The real program, real Chromium.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { addUser, fits, heading, logInByApi, refused, unreachable, until, visit } from './app.mjs';
import { mailTo, startChromium, startLictor, stopLictors } from './stage.mjs';

// Limit on the compressed bytes that a first visit loads.
const MOST_BYTES = 45_000;
// The document, the style, that of a brand, the script that starts, the app, what the build tool adds, the
// words; the icon, the configuration of the server, and whether the browser is logged in to apps.
const MOST_REQUESTS = 10;

const outside = [
  ['/', 'Welcome to lictor', 'Boas-vindas a lictor'],
  ['/login', 'Log in', 'Iniciar sessão'],
  ['/register', 'Register', 'Criar conta'],
  ['/check-mail', 'Check your mail', 'Consulte o seu e-mail'],
  ['/finalize', 'This link does not work', 'Este link não funciona'],
  ['/finalize?token=x', 'This link does not work', 'Este link não funciona'],
  ['/forgot', 'Forgot your password?', 'Esqueceu-se da palavra-passe?'],
  ['/reset-finalize', 'This link does not work', 'Este link não funciona'],
  ['/reset-finalize?token=x', 'This link does not work', 'Este link não funciona'],
  ['/protected', 'Log in', 'Iniciar sessão'],
  ['/no-such-page', 'Page not found', 'Página não encontrada'],
];
const inside = [
  ['/', 'Hello, root', 'Olá, root'],
  ['/protected', 'Protected message', 'Mensagem protegida'],
  ['/account', 'Account', 'Conta'],
  ['/admin', 'Users', 'Utilizadores'],
  ['/admin/users/1', 'root', 'root'],
  ['/admin/invitations', 'Invitations', 'Convites'],
  ['/admin/users/new', 'Add user', 'Adicionar utilizador'],
  ['/admin/mails', 'Mails', 'E-mails'],
  ['/admin/audit', 'Audit', 'Auditoria'],
];

let browser, lictor, token;

before(async () => {
  lictor = await startLictor('pages', '--throttle', 'off', '--registration', 'email', ...mailTo('pages'));
  browser = await startChromium();
  addUser(lictor, 'root', '--role', 'admin', '--email', 'root@example.org');
  token = await logInByApi(lictor, 'root');
});

after(async () => {
  await browser?.close();
  await stopLictors();
});

for (const [who, pages] of [['outside', outside], ['inside', inside]]) {
  for (const [locale, lang, column] of [['en-GB', 'en', 1], ['pt-PT', 'pt-PT', 2]]) {
    test(`every page, ${who}, in ${lang}`, async t => {
      const options = who === 'inside' ? { token } : { expected: [refused(401)] };
      const context = await visit(t, browser, lictor, { locale, ...options });
      const page = await context.newPage();
      for (const each of pages) {
        await page.goto(each[0]);
        await heading(page, each[column]).waitFor();
        await page.waitForFunction(() => !document.querySelector('main .loading'));
        assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1, each[0]);
        // It gets its title after it was drawn.
        await until(async () => (await page.title()).startsWith(each[column]), `${each[0]}: the window's title`);
        assert.equal(await page.evaluate(() => document.documentElement.lang), lang);
        await fits(page, `${each[0]}, ${who}, in ${lang}`);
      }
    });
  }
}

test('the choice of the language is kept', async t => {
  const context = await visit(t, browser, lictor);
  const page = await context.newPage();
  await page.goto('/login');
  await page.getByRole('combobox', { name: 'Language' }).selectOption('Português (Portugal)');
  await heading(page, 'Iniciar sessão').waitFor();
  await page.goto('/register');
  await heading(page, 'Criar conta').waitFor();
  await page.getByRole('combobox', { name: 'Idioma' }).selectOption('English');
  await heading(page, 'Register').waitFor();
});

test('a language that cannot be loaded: the control shows that of the page', async t => {
  const context = await visit(t, browser, lictor, { expected: [unreachable] });
  const page = await context.newPage();
  await page.goto('/login');
  const control = page.getByRole('combobox', { name: 'Language' });
  await control.waitFor();
  await context.setOffline(true);
  await control.selectOption('Español');
  await page.getByText('The language could not be changed now.').waitFor();
  assert.equal(await control.inputValue(), 'en');
});

test('the colour scheme is that of the system', async t => {
  const context = await visit(t, browser, lictor);
  const page = await context.newPage();
  await page.goto('/');
  await heading(page, 'Welcome to lictor').waitFor();
  const grounds = [];
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    const [, red, green, blue] = /(\d+), (\d+), (\d+)/.exec(await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor));
    grounds.push(Number(red) + Number(green) + Number(blue));
  }
  assert.ok(grounds[0] > 600 && grounds[1] < 150, `${grounds}`);
});

for (const path of ['/', '/admin/audit']) {
  test(`a first visit to ${path} loads one page, one style and that of a brand, and the scripts that it needs`, async t => {
    const context = await visit(t, browser, lictor);
    const page = await context.newPage();
    const cdp = await context.newCDPSession(page);
    await cdp.send('Network.enable');
    const types = new Map();
    let bytes = 0;
    cdp.on('Network.responseReceived', ({ requestId, type }) => types.set(requestId, type));
    cdp.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
    await page.goto(path);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForLoadState('networkidle');
    const [paint] = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint').map(each => each.startTime));

    const loaded = [...types.values()];
    t.diagnostic(`first contentful paint ${Math.round(paint)} ms, ${loaded.length} requests, ${bytes} bytes with their headers`);
    for (const [type, most] of [['Document', 1], ['Script', 4], ['Stylesheet', 2]]) {
      const count = loaded.filter(each => each === type).length;
      assert.ok(count > 0 && count <= most, `${type}: ${count}`);
    }
    assert.ok(loaded.length <= MOST_REQUESTS, `requests: ${loaded}`);
    assert.ok(bytes > 0 && bytes <= MOST_BYTES, `${bytes} bytes`);
  });
}
