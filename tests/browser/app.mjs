// Owns the helpers for tests of the web app: a browser profile, users, mails, codes of a second factor,
// and the checks for every page. Knows no page of the app.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const PASSWORD = 'ten wooden lanterns by the ford';

const SHOW_LIMIT_MS = 10_000;
const MAIL_LIMIT_MS = 10_000;
const WIDTHS = [320, 1280];
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// Messages that Chromium itself writes to the console.
export const refused = status => new RegExp(`the server responded with a status of ${status} `);
export const unreachable = /net::ERR_(INTERNET_DISCONNECTED|CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE)/;

// A new browser profile. At the end of the test, every console message and CSP report must match one of
// `expected`, and each of `expected` must have occurred.
export async function visit(t, browser, server, { expected = [], token, ...options } = {}) {
  const context = await browser.newContext({
    baseURL: server.url,
    locale: 'en-GB',
    reducedMotion: 'reduce',
    viewport: { width: WIDTHS[1], height: 800 },
    storageState: token ? remembering(server.url, token) : undefined,
    ...options,
  });
  context.setDefaultTimeout(SHOW_LIMIT_MS);
  const complaints = [];
  context.on('weberror', error => complaints.push(String(error.error())));
  context.on('console', message => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', event => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
  });
  t.after(async () => {
    await context.close();
    const unexpected = complaints.filter(text => !expected.some(each => each.test(text)));
    assert.deepEqual(unexpected, [], 'unexpected messages in the console');
    const missing = expected.filter(each => !complaints.some(text => each.test(text)));
    assert.deepEqual(missing, [], 'missing messages in the console');
  });
  return context;
}

// Like `visit`, with a page that is open at `path`.
export async function open(t, browser, server, path, options) {
  const context = await visit(t, browser, server, options);
  const page = await context.newPage();
  await page.goto(path);
  return page;
}

// The storage of a browser with a session, as web/src/auth stores it.
function remembering(origin, token) {
  const value = JSON.stringify({ token, offset: 0 });
  return { cookies: [], origins: [{ origin, localStorage: [{ name: 'lictor.auth', value }] }] };
}

export function addUser(server, name, ...flags) {
  server.run(`${PASSWORD}\n`, 'user', 'add', name, ...flags);
}

export async function logInByApi(server, username) {
  const { access_token: token } = await ask(server, 'POST', '/api/login', undefined, { username, password: PASSWORD });
  return token;
}

export async function ask(server, method, path, token, body) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const answer = await fetch(server.url + path, { method, headers, body: body && JSON.stringify(body) });
  const json = await answer.json();
  assert.ok(answer.ok, `${method} ${path}: ${JSON.stringify(json)}`);
  return json;
}

// Turns on the second factor by the API, with the previous code, so that the present one stays unused.
export async function enrol(server, name) {
  const token = await logInByApi(server, name);
  const { secret } = await ask(server, 'POST', '/api/second-factor', token, { password: PASSWORD });
  const otp = await codeOf(secret, -1);
  const { recovery_codes: codes } = await ask(server, 'PUT', '/api/second-factor', token, { otp });
  return { secret, codes };
}

// The id of the user of a token.
export function idIn(token) {
  return JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).id;
}

export function heading(page, name, level = 1) {
  return page.getByRole('heading', { level, name, exact: true });
}

export function button(page, name) {
  return page.getByRole('button', { name, exact: true });
}

export function field(page, name) {
  return page.getByLabel(name, { exact: true });
}

export async function logIn(page, username, password = PASSWORD) {
  await field(page, 'Username or e-mail').fill(username);
  await field(page, 'Password').fill(password);
  await button(page, 'Log in').click();
}

// Checks the present page: axe-core finds no violation in the light and dark colour schemes, and nothing
// is wider than the window of a phone or a desktop.
export async function inspect(page, what) {
  const cdp = await page.context().newCDPSession(page);
  // By the DevTools protocol, because the CSP of the page blocks foreign scripts.
  await cdp.send('Runtime.evaluate', { expression: axe });
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await violations(cdp), [], `${what}, ${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await cdp.detach();
  await fits(page, what);
}

export async function fits(page, what) {
  const before = page.viewportSize();
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 800 });
    const [there, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(there <= room, `${what}: ${there} px in a window of ${room}`);
  }
  await page.setViewportSize(before);
}

async function violations(cdp) {
  const expression = `axe.run().then(({ violations }) => violations.map(({ id, nodes }) =>
    id + ': ' + nodes.map(node => node.html + ' ' + node.failureSummary).join(' | ')))`;
  const { result, exceptionDetails } = await cdp.send('Runtime.evaluate', {
    expression,
    awaitPromise: true,
    returnByValue: true,
  });
  assert.equal(exceptionDetails, undefined, 'axe-core ran');
  return result.value;
}

// The link to `page` in the newest mail to this e-mail address; waits for the mail.
export async function mailedLink(server, email, page) {
  const giveUp = Date.now() + MAIL_LIMIT_MS;
  const link = new RegExp(`^http://\\S+/${page}\\?token=\\S+$`, 'm');
  while (Date.now() < giveUp) {
    const found = mailsTo(server, email).map(mail => link.exec(mail)?.[0]).filter(Boolean);
    if (found.length > 0) return found.at(-1);
    await sleep(50);
  }
  assert.fail(`no mail to ${email} with a link to ${page}`);
}

function mailsTo(server, email) {
  if (!existsSync(server.mails)) return [];
  const names = readdirSync(server.mails).filter(name => name.endsWith('.eml')).sort();
  const texts = names.map(name => readFileSync(join(server.mails, name), 'utf8').replaceAll('\r\n', '\n'));
  return texts.filter(text => text.includes(`\nTo: ${email}\n`));
}

// The code of the second factor, `step` half minutes from now (RFC 6238). The server accepts one step
// before and after, and no code twice. Waits for the next step if the present one ends soon.
export async function codeOf(secret, step = 0) {
  const left = 30_000 - (Date.now() % 30_000);
  if (left < 4_000) await sleep(left);
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + step));
  const mac = createHmac('sha1', base32(secret)).update(counter).digest();
  const number = mac.readUInt32BE(mac.at(-1) & 15) & 0x7fff_ffff;
  return String(number % 1_000_000).padStart(6, '0');
}

function base32(text) {
  const bits = [...text.replaceAll(/[\s=-]/g, '').toUpperCase()]
    .map(letter => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'))
    .join('');
  return Buffer.from(bits.match(/.{8}/g).map(byte => Number.parseInt(byte, 2)));
}
