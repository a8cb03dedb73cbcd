// Owns the tests of the pure functions: reading tokens and refusals, and the arithmetic of times.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readClaims, readRoles } from '../claims.js';
import { refusal } from '../errors.js';
import { backoff, due, earlyBackoff, expiry, offsetAt } from '../schedule.js';
import { safeStorage, sturdy } from '../storage.js';
import { json, token } from './server.js';
import { BLOCKED, Memory } from './world.js';

const GOOD = { id: 7, jti: 'a', iat: 1000, exp: 1900, rf_exp: 9000, rls: 'admin,editor' };
const HOUR = 3_600_000;

test('claims are read, and other text gives none', () => {
  const check = (text: string, expected: unknown) => assert.deepEqual(readClaims(text), expected, text);
  check(token(GOOD), GOOD);
  const { rls: _, ...withoutRoles } = GOOD;
  check(token(withoutRoles), { ...GOOD, rls: '' });
  check(token({ ...GOOD, more: 1 }), GOOD);
  // base64url has `-` and `_` where atob expects `+` and `/`; the payload is UTF-8.
  check(token({ ...GOOD, rls: 'Zoë>?~ÿÿÿ' }), { ...GOOD, rls: 'Zoë>?~ÿÿÿ' });
  for (const wrong of ['', 'a', 'a.b', 'a.b.c', 'a.%%.c', token(null), token([]), token('x'), token({ ...GOOD, jti: 1 })]) check(wrong, null);
  for (const missing of ['id', 'jti', 'iat', 'exp', 'rf_exp']) check(token({ ...GOOD, [missing]: undefined }), null);
  for (const wrong of ['1900', null, {}]) check(token({ ...GOOD, exp: wrong }), null);
});

test('roles are a list', () => {
  const check = (rls: string, expected: string[]) => assert.deepEqual(readRoles({ ...GOOD, rls }), expected);
  check('', []);
  check('admin', ['admin']);
  check('admin,editor', ['admin', 'editor']);
});

test('refusals of lictor and of proxies are read', async () => {
  const check = async (response: Response, error: string, message: RegExp, retryAfter: number | null) => {
    const read = await refusal(response);
    assert.deepEqual([read.error, read.status, read.retryAfter], [error, response.status, retryAfter]);
    assert.match(read.message, message);
  };
  const lictors = { error: 'WrongOtp', message: 'The code is wrong', status_code: 403 };
  await check(json(lictors, 403), 'WrongOtp', /^The code is wrong$/, null);
  await check(json(lictors, 429, { 'Retry-After': '30' }), 'WrongOtp', /wrong/, 30);
  await check(json(lictors, 429, { 'Retry-After': 'Thu, 15 Jan 2026 12:00:00 GMT' }), 'WrongOtp', /wrong/, null);
  await check(new Response('<h1>Bad Gateway</h1>', { status: 502 }), 'HttpError', /502/, null);
  await check(new Response(null, { status: 500 }), 'HttpError', /500/, null);
  await check(json({ error: 1, message: [] }, 400), 'HttpError', /400/, null);
  await check(json(null, 400), 'HttpError', /400/, null);
});

test('the times at which a token is due and has expired, by our clock', () => {
  const check = (claims: Partial<typeof GOOD>, skew: number, expected: { due: number; expiry: number }) => {
    const all = { ...GOOD, ...claims };
    // Issued just now, with a different time by our clock.
    const now = all.iat * 1000 + skew;
    const timed = { claims: all, offset: offsetAt(all.iat, now) };
    assert.deepEqual({ due: due(timed) - now, expiry: expiry(timed) - now }, expected, JSON.stringify({ claims, skew }));
  };
  for (const skew of [0, 5 * HOUR, -5 * HOUR, 40 * 365 * 24 * HOUR]) {
    check({}, skew, { due: 855_000, expiry: 901_000 });
    check({ exp: 1000 + 86_400, rf_exp: 9_000_000 }, skew, { due: 86_355_000, expiry: 86_401_000 });
    check({ exp: 1060 }, skew, { due: 45_000, expiry: 61_000 });
    check({ exp: 1003 }, skew, { due: 2_250, expiry: 4_000 });
    // The session's last token.
    check({ exp: 9000 }, skew, { due: 8_001_000, expiry: 8_001_000 });
  }
});

test('waits grow up to their limit', () => {
  const waits = (of: (n: number) => number) => [1, 2, 3, 4, 5, 6, 7, 100, 5000].map(of);
  assert.deepEqual(waits(n => backoff(n, 0.5)), [1, 2, 4, 8, 16, 32, 60, 60, 60].map(s => s * 1000));
  assert.deepEqual([backoff(1, 0), backoff(1, 1)], [750, 1250]);
  assert.deepEqual(waits(earlyBackoff), [5, 10, 20, 40, 80, 160, 320, 600, 600].map(s => s * 1000));
  // The server repeats a lost answer for 30 s, and a request may take 10.
  assert.ok(backoff(1, 1) + backoff(2, 1) + backoff(3, 1) + backoff(4, 1) < 20_000);
});

test('storage that is blocked, full or missing keeps values in memory', () => {
  const full = new Memory();
  full.setItem('old', 'stored');
  full.setItem = () => {
    throw new DOMException('full', 'QuotaExceededError');
  };
  for (const [name, area, before] of [['blocked', BLOCKED, null], ['full', full, 'stored'], ['missing', null, null]] as const) {
    const storage = sturdy(area);
    assert.equal(storage.getItem('old'), before, name);
    storage.setItem('old', 'a');
    storage.setItem('new', 'b');
    assert.deepEqual([storage.getItem('old'), storage.getItem('new')], ['a', 'b'], name);
    storage.removeItem('new');
    // The methods are properties of these objects, but not of the browser's.
    const keys = storage.keys().filter(key => !key.endsWith('Item'));
    assert.deepEqual([storage.getItem('new'), keys], [null, ['old']], name);
  }
  assert.equal(safeStorage('local').getItem('old'), null, 'outside a browser there is none');
});

test('the keys of a storage are those that have a value, wherever they are kept', () => {
  // As the browser's, its keys are the properties of the object.
  const area = Object.assign(Object.create({
    getItem(key: string) {
      return (this as Record<string, string>)[key] ?? null;
    },
    setItem(key: string, value: string) {
      if (key === 'big') throw new DOMException('full', 'QuotaExceededError');
      (this as Record<string, string>)[key] = value;
    },
    removeItem(key: string) {
      delete (this as Record<string, string>)[key];
    },
  }), { there: '1' });
  const storage = sturdy(area);
  storage.setItem('here', '2');
  storage.setItem('big', '3');
  assert.deepEqual(storage.keys(), ['there', 'here', 'big']);
  for (const key of storage.keys()) storage.removeItem(key);
  assert.deepEqual([storage.keys(), Object.keys(area)], [[], []]);
});
