// Owns the tests of every page: it opens at its own URL, in both languages, on a phone and on a desktop;
// and the cost of a first visit. The real program, real Chromium.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { addUser, button, fits, heading, inspect, logInByApi, visit } from './app.mjs';
import { mailTo, startChromium, startLictor, stopLictors } from './stage.mjs';

// Limit on the compressed bytes that a first visit loads.
const MOST_BYTES = 120_000;
// These three, the icon, and the configuration of the server.
const MOST_REQUESTS = 5;

const outside = [
  ['/', 'Welcome to lictor', 'Boas-vindas a lictor'],
  ['/login', 'Log in', 'Entrar'],
  ['/register', 'Make an account', 'Criar uma conta'],
  ['/check-mail', 'Check your mail', 'Veja o seu e-mail'],
  ['/finalize', 'This link does not work', 'Esta ligação não funciona'],
  ['/finalize?token=x', 'Confirm your address', 'Confirme o seu endereço'],
  ['/forgot', 'Forgot your password?', 'Esqueceu a senha?'],
  ['/reset-finalize', 'This link does not work', 'Esta ligação não funciona'],
  ['/reset-finalize?token=x', 'Set a new password', 'Definir outra senha'],
  ['/protected', 'Log in', 'Entrar'],
  ['/no-such-page', 'Page not found', 'Página não encontrada'],
];
const inside = [
  ['/', 'Hello, root', 'Olá, root'],
  ['/protected', 'Protected message', 'Mensagem protegida'],
  ['/account', 'Account', 'Conta'],
  ['/admin', 'Users', 'Utilizadores'],
  ['/admin/users/1', 'root', 'root'],
  ['/admin/invitations', 'Invitations', 'Convites'],
  ['/admin/audit', 'Audit', 'Registo'],
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
  for (const [locale, lang, column] of [['en-GB', 'en', 1], ['pt-PT', 'pt', 2]]) {
    test(`every page, ${who}, in ${lang}`, async t => {
      const context = await visit(t, browser, lictor, { locale, token: who === 'inside' ? token : undefined });
      const page = await context.newPage();
      for (const each of pages) {
        await page.goto(each[0]);
        await heading(page, each[column]).waitFor();
        await page.getByRole('main').getByText(/^(Loading|A carregar)/).waitFor({ state: 'detached' });
        assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1, each[0]);
        assert.ok((await page.title()).startsWith(each[column]), `${each[0]}: the window's title`);
        assert.equal(await page.evaluate(() => document.documentElement.lang), lang);
        if (lang === 'pt') await inspect(page, `${each[0]}, ${who}, in ${lang}`);
        else await fits(page, `${each[0]}, ${who}, in ${lang}`);
      }
    });
  }
}

test('the choice of the language is kept', async t => {
  const context = await visit(t, browser, lictor);
  const page = await context.newPage();
  await page.goto('/login');
  await button(page, 'Português').click();
  await heading(page, 'Entrar').waitFor();
  assert.equal(await button(page, 'Português').getAttribute('aria-pressed'), 'true');
  await page.goto('/register');
  await heading(page, 'Criar uma conta').waitFor();
  await button(page, 'English').click();
  await heading(page, 'Make an account').waitFor();
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
  test(`a first visit to ${path} loads one page, one script, one style`, async t => {
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
    for (const type of ['Document', 'Script', 'Stylesheet']) {
      assert.equal(loaded.filter(each => each === type).length, 1, type);
    }
    assert.ok(loaded.length <= MOST_REQUESTS, `requests: ${loaded}`);
    assert.ok(bytes > 0 && bytes <= MOST_BYTES, `${bytes} bytes`);
  });
}
