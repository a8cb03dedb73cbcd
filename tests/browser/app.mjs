// Owns the helpers for tests of the web app: a browser profile, users, mails, codes of a second factor,
// and the checks for every page. Knows no page of the app.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const PASSWORD = 'ten wooden lanterns by the ford';

// For a machine that has much else to do.
const SHOW_LIMIT_MS = 60_000;
const WAIT_LIMIT_MS = 60_000;
const WIDTHS = [320, 1280];
// What axe-core looks at: each width with each scheme, or each of them once.
export const ALL_LOOKS = WIDTHS.flatMap(width => [[width, 'light'], [width, 'dark']]);
const LOOKS = [[WIDTHS[0], 'light'], [WIDTHS[1], 'dark']];
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// Messages that Chromium itself writes to the console.
export const refused = status => new RegExp(`the server responded with a status of ${status} `);
export const unreachable = /net::ERR_(INTERNET_DISCONNECTED|CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE)/;

// Chromium says this when the page took some seconds to use what it had asked for: of the machine, not of the app.
const late = /preloaded using link preload but not used/;

// A new browser profile. At the end of the test, every console message and CSP report must match one of
// `expected`, and each of `expected` must have occurred, or one of `possible`, which depend on what comes first.
export async function visit(t, browser, server, { expected = [], possible = [], token, ...options } = {}) {
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
  const missing = () => expected.filter(each => !complaints.some(text => each.test(text)));
  t.after(async () => {
    // A message may come after the page has shown what came of it.
    await until(() => missing().length === 0, 'the messages').catch(() => {});
    await context.close();
    const unexpected = complaints.filter(text => ![...expected, ...possible, late].some(each => each.test(text)));
    assert.deepEqual(unexpected, [], 'unexpected messages in the console');
    assert.deepEqual(missing(), [], 'missing messages in the console');
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

// Turns on the second factor by the API, with the present code, so that the next one stays unused.
export async function enrol(server, name) {
  const token = await logInByApi(server, name);
  const { secret } = await ask(server, 'POST', '/api/second-factor', token, { password: PASSWORD });
  const otp = codeOf(secret);
  const { recovery_codes: codes } = await ask(server, 'PUT', '/api/second-factor', token, { otp });
  return { secret, codes };
}

// The id of the user of a token.
export function idIn(token) {
  return claimsIn(token).id;
}

// Waits until a new token of the same session would be another one: it differs in the second of its issue.
export function anotherSecond(token) {
  const { iat } = claimsIn(token);
  return until(() => Date.now() >= (iat + 1) * 1000, 'the next second');
}

function claimsIn(token) {
  return JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
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

// Whether the element gets the focus: some of it comes a moment after what the test has waited for.
export function isFocused(target) {
  return until(() => hasFocus(target), 'the focus').then(() => true, () => false);
}

// Whether it has the focus now.
export function hasFocus(target) {
  return target.evaluate(each => each === document.activeElement);
}

// Moves the clock of a page ahead, until the page is loaded again, and tells the page that somebody looks at it.
export function later(page, ms) {
  return page.evaluate(ms => {
    const now = Date.now;
    Date.now = () => now() + ms;
    dispatchEvent(new Event('focus'));
  }, ms);
}

export async function logIn(page, username, password = PASSWORD) {
  await field(page, 'Username or e-mail').fill(username);
  await field(page, 'Password').fill(password);
  await button(page, 'Log in').click();
}

// Checks the present page as on a phone and on a desktop: nothing is wider than the window, and axe-core
// finds no violation, once in the light colour scheme and once in the dark one.
export async function inspect(page, what, looks = LOOKS) {
  const before = page.viewportSize();
  const cdp = await page.context().newCDPSession(page);
  // By the DevTools protocol, because the CSP of the page blocks foreign scripts.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await cdp.send('Runtime.evaluate', { expression: axe });
  for (const [width, colorScheme] of looks) {
    await resize(page, width, what);
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await violations(cdp), [], `${what}, ${colorScheme}, ${width} px`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await cdp.detach();
  await page.setViewportSize(before);
}

// Chooses the language with this code in the foot of the page, and waits for its words.
export async function speak(page, code) {
  await page.locator('footer').getByRole('combobox').selectOption(code);
  await page.waitForFunction(lang => document.documentElement.lang === lang, code);
}

export async function fits(page, what) {
  const before = page.viewportSize();
  for (const width of WIDTHS) await resize(page, width, what);
  await page.setViewportSize(before);
}

async function resize(page, width, what) {
  await page.setViewportSize({ width, height: 800 });
  const [there, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(there <= room, `${what}: ${there} px in a window of ${room}`);
}

async function violations(cdp) {
  // Without what it would tell of the elements that are as they should be.
  const expression = `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map(({ id, nodes }) =>
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
export function mailedLink(server, email, page) {
  const link = new RegExp(`^http://\\S+/${page}\\?token=\\S+$`, 'm');
  const newest = mails => mails.filter(mail => isTo(mail, email)).map(mail => link.exec(mail)?.[0]).filter(Boolean).at(-1);
  return mailed(server, newest, `a mail to ${email} with a link to ${page}`);
}

// What `pick` finds in the texts of all mails, the oldest first; waits until it finds something.
export function mailed(server, pick, what) {
  return until(() => pick(mailsOf(server)), what);
}

export function isTo(mail, email) {
  return mail.includes(`\nTo: ${email}\n`);
}

// Waits until `ask` returns something that is true, and returns that.
export async function until(ask, what) {
  for (const giveUp = Date.now() + WAIT_LIMIT_MS; Date.now() < giveUp; await sleep(50)) {
    const found = await ask();
    if (found) return found;
  }
  return assert.fail(`not in time: ${what}`);
}

function mailsOf(server) {
  // The first mail makes the folder.
  if (!existsSync(server.mails)) return [];
  const files = readdirSync(server.mails).filter(name => name.endsWith('.eml')).map(name => join(server.mails, name));
  // Mails of the same second have names in no order.
  const written = file => statSync(file, { bigint: true }).mtimeNs;
  files.sort((one, other) => Number(written(one) - written(other)));
  return files.map(file => decoded(readFileSync(file, 'utf8').replaceAll('\r\n', '\n')));
}

// A mail whose text is not ASCII alone is sent as quoted-printable.
function decoded(mail) {
  if (!/^Content-Transfer-Encoding: quoted-printable$/im.test(mail)) return mail;
  const bytes = mail.replaceAll('=\n', '').replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}

// The code of the second factor, `step` half minutes from now (RFC 6238). The server accepts one step before
// and after, and none that is not later than the last one. So the present code and the next one are good for
// half a minute at least.
export function codeOf(secret, step = 0) {
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
