// Owns the test of every page in every language: it is in that language, nothing is wider than a small
// phone or is cut off, and axe-core finds nothing, wide and narrow, light and dark. Each page is loaded once, and
// its language is chosen in its foot. The real program, real Chromium.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  ALL_LOOKS, PASSWORD, addUser, ask, button, field, heading, inspect, isTo, logInByApi, mailed, mailedLink, speak, until, visit,
} from './app.mjs';
import { mailTo, startChromium, startLictor, stopLictors, writeFile } from './stage.mjs';

const WIDTH = 320;
// The words of each language, by its file in web/src/i18n.
const languages = Object.fromEntries(
  Object.entries({ en: 'en', 'pt-PT': 'pt', 'pt-BR': 'pt-BR', de: 'de', es: 'es', fr: 'fr' }).map(([code, file]) => [code, wordsOf(file)]),
);
// A name without a place to break, as long as names can be.
const LONG = 'a'.repeat(64);

// A page of an app, which nobody opens.
const APP = 'http://127.0.0.1:9';

let browser, lictor, empty, token, confirmation, reset, setup;

before(async () => {
  const rules = writeFile('access', '127.0.0.1 users\n127.0.0.1/family role family\n');
  lictor = await startLictor(
    'languages', '--throttle', 'off', '--registration', 'email', '--public-url', '{url}', '--access', rules, ...mailTo('languages'),
  );
  empty = await startLictor('empty', '--throttle', 'off', '--registration', 'closed');
  browser = await startChromium();
  addUser(lictor, 'root', '--role', 'admin', '--email', 'root@example.org');
  addUser(lictor, LONG, '--role', 'family', '--email', `${LONG}@mail.example.org`);
  token = await logInByApi(lictor, 'root');
  await ask(lictor, 'POST', '/api/admin/invitations', token, { roles: ['family'], expires_in: 86_400 });
  await ask(lictor, 'POST', '/api/app-passwords', token, { name: LONG });
  await ask(lictor, 'POST', '/api/registration', undefined, { username: 'waits', email: 'waits@example.org', password: PASSWORD });
  confirmation = await linkTo('waits@example.org', 'finalize');
  await ask(lictor, 'POST', '/api/reset', undefined, { email: 'root@example.org' });
  reset = await linkTo('root@example.org', 'reset-finalize');
  [setup] = await until(() => /\/setup#[\w-]+(?=\s)/.exec(empty.output()), 'the link to the setup');
});

after(async () => {
  await browser?.close();
  await stopLictors();
});

test('every page for strangers fits', async t => {
  const page = await openIn(t, 'en-GB');
  for (const [path, key] of [
    ['/', undefined],
    ['/login', 'login.title'],
    [loginFor(`${APP}/family`), 'login.title'],
    [loginFor('https://evil.example/'), 'login.title'],
    ['/register', 'register.title'],
    ['/check-mail', 'mail.title'],
    ['/finalize', 'finalize.failed'],
    [confirmation, 'finalize.title'],
    ['/forgot', 'forgot.title'],
    ['/reset-finalize', 'finalize.failed'],
    [reset, 'reset.title'],
    ['/protected', 'login.title'],
    ['/setup', 'setup.done'],
    ['/no-such-page', 'missing.title'],
  ]) {
    await check(page, path, key);
  }
  // All messages of a form that is sent empty.
  for (const [path, submit] of [['/login', 'login.submit'], ['/register', 'register.submit'], ['/forgot', 'forgot.submit']]) {
    await load(page, path);
    await speak(page, 'en');
    await page.getByRole('main').getByRole('button', { name: languages.en[submit], exact: true }).click();
    for (const [code, words] of Object.entries(languages)) {
      await speak(page, code);
      await page.getByText(words['error.Required']).first().waitFor();
      await fits(page, code, `${path}, sent empty`);
    }
  }
});

test('every page for administrators fits', async t => {
  const page = await openIn(t, 'en-GB', token);
  for (const [path, key] of [
    ['/', undefined],
    ['/protected', 'protected.title'],
    [loginFor('https://evil.example/'), 'return.unknown'],
    [loginFor(`${APP}/family`), 'return.forbidden'],
    // The page before has given the browser its cookie, so this one waits for a click.
    [loginFor(`${APP}/`), 'return.title'],
    ['/account', 'account.title'],
    ['/admin', 'admin.users'],
    ['/admin/users/1', undefined],
    ['/admin/users/2', undefined],
    ['/admin/users/new', 'users.add'],
    ['/admin/invitations', 'admin.invitations'],
    ['/admin/audit', 'admin.audit'],
    ['/admin/mails', 'admin.mails'],
    ['/admin/checklist', 'setup.list'],
  ]) {
    await check(page, path, key);
  }
});

test('the pages of a first start fit', async t => {
  const context = await visit(t, browser, empty, { viewport: { width: WIDTH, height: 800 } });
  const page = await context.newPage();
  for (const [path, key] of [
    ['/', undefined],
    ['/login', undefined],
    ['/register', 'register.closedTitle'],
    ['/setup', 'setup.title'],
    [setup, 'setup.title'],
  ]) {
    await check(page, path, key);
  }
});

test('every form of an account fits', async t => {
  const page = await openIn(t, 'en-GB', token);
  await load(page, '/account');
  for (const [code, words] of Object.entries(languages)) {
    await speak(page, code);
    const cancel = page.getByRole('main').getByRole('button', { name: words['form.cancel'], exact: true });
    for (const key of ['profile.changeEmail', 'password.change', 'apps.add', 'delete.title', 'factor.turnOn']) {
      await button(page, words[key]).click();
      await fits(page, code, words[key]);
      if (key !== 'factor.turnOn') await page.getByRole('button', { name: words['form.cancel'], exact: true }).click();
    }
    await field(page, words['field.currentPassword']).fill(PASSWORD);
    await button(page, words['factor.continue']).click();
    await page.getByRole('img', { name: words['factor.qr'] }).waitFor();
    await fits(page, code, 'enrolment');
    await cancel.click();
  }
});

test('mails are in the language that the page was read in', async t => {
  const words = wordsOf('de');
  const page = await openIn(t, 'en-GB');
  await page.goto('/register');
  await page.getByRole('combobox', { name: 'Language' }).selectOption('Deutsch');
  await heading(page, words['register.title']).waitFor();
  await field(page, words['field.username']).fill('greta');
  await field(page, words['field.email']).fill('greta@example.org');
  await field(page, words['field.password']).fill(PASSWORD);
  await page.getByRole('main').getByRole('button', { name: words['register.submit'], exact: true }).click();
  await heading(page, words['mail.title']).waitFor();
  const mail = await mailed(lictor, mails => mails.find(each => isTo(each, 'greta@example.org')), 'a mail to greta');
  assert.match(mail, /^Content-Language: de$/m);
  assert.ok(mail.includes('Guten Tag greta!'), mail);
});

// Waits for the page with this heading, or any page.
async function titled(page, title = '') {
  const name = new RegExp(`^${title.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{\w+\}/g, '.+').replace(/\s/g, '\\s')}$`);
  await page.getByRole('heading', { level: 1, name: title ? name : undefined }).waitFor();
}

const loginFor = url => `/login?return=${encodeURIComponent(url)}`;

async function linkTo(email, page) {
  const { pathname, search } = new URL(await mailedLink(lictor, email, page));
  return pathname + search;
}

async function openIn(t, locale, token) {
  const context = await visit(t, browser, lictor, { locale, token, viewport: { width: WIDTH, height: 800 } });
  return context.newPage();
}

// Loads a page, and waits for all that it shows.
async function load(page, path) {
  await page.goto(path);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.waitForFunction(() => !document.querySelector('main .loading'));
}

// The page with this path, and with the heading of this key, in each language.
async function check(page, path, key) {
  await load(page, path);
  for (const [code, words] of Object.entries(languages)) {
    await speak(page, code);
    await titled(page, words[key]);
    await fits(page, code, path);
    await inspect(page, `${path}, in ${code}`, ALL_LOOKS);
  }
}

// Nothing is wider than the window, and no label or button wider than its own box.
async function fits(page, code, what) {
  assert.equal(await page.evaluate(() => document.documentElement.lang), code, what);
  const wide = await page.evaluate(() => {
    const text = element => element.textContent.trim().slice(0, 60);
    const found = document.documentElement.scrollWidth > innerWidth
      ? [...document.body.querySelectorAll('*')].filter(each => each.getBoundingClientRect().right > innerWidth + 1)
      : [];
    const cut = [...document.querySelectorAll('button, a, label, h1, h2, h3, p, li, dt, dd, td, th, legend')]
      .filter(each => each.clientWidth > 0 && each.scrollWidth > each.clientWidth + 1);
    return [...found, ...cut].map(each => `${each.tagName} ${each.className}: ${text(each)}`);
  });
  assert.deepEqual(wide, [], `${what}, in ${code}`);
}

// The words of a language. Its file is a list of them and has nothing else in quotation marks.
function wordsOf(file) {
  const text = readFileSync(join(import.meta.dirname, `../../web/src/i18n/${file}.ts`), 'utf8');
  const entries = [...text.matchAll(/^ {2}'([\w.-]+)': (['"])(.*)\2,$/gm)];
  const plain = words => words.replace(/\\u([\da-f]{4})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16))).replace(/\\(.)/g, '$1');
  return Object.fromEntries(entries.map(([, key, , words]) => [key, plain(words)]));
}
