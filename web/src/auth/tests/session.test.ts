// Owns the tests of one tab: refreshes, the ends of a session, wrong clocks.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ApiError } from '../index.js';
import { FROM_THE_FUTURE } from '../session.js';
import { refuse } from './server.js';
import { World, type TabOptions } from './world.js';

const REFRESH = 'POST /api/refresh';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

async function loggedIn(options: TabOptions = {}, rules = {}) {
  const world = new World();
  Object.assign(world.server.rules, rules);
  const tab = world.tab(options);
  await world.outcome(tab.auth.logIn({ username: 'ada', password: 'right' }));
  assert.equal(tab.auth.state.loggedIn, true);
  world.server.log = [];
  return { world, tab, auth: tab.auth, server: world.server };
}

function errorName(outcome: unknown): string {
  if (outcome instanceof ApiError) return outcome.error;
  return outcome instanceof Error ? outcome.name : String(outcome);
}

test('a token is refreshed once before it expires', async () => {
  const table = [
    { access: 86_400, early: 60, hours: 24 * 20, refreshes: 20 },
    { access: 900, early: 60, hours: 2, refreshes: 8 },
    { access: 60, early: 60, hours: 1, refreshes: 79 },
    { access: 60, early: 0, hours: 1, refreshes: 58 },
    { access: 900, early: 0, hours: 2, refreshes: 7 },
    { access: 3, early: 1, hours: 0.1, refreshes: 150 },
  ];
  for (const { access, early, hours, refreshes } of table) {
    const { world, auth, server } = await loggedIn({}, { access, early });
    let ended = false;
    auth.subscribe(() => (ended ||= !auth.state.loggedIn));
    for (let i = 0; i < 100; i++) {
      await world.pass((hours * HOUR) / 100);
      assert.equal(((await world.outcome(auth.fetch('/api/protected'))) as Response).status, 200);
    }
    assert.equal(ended, false);
    const what = JSON.stringify({ access, early });
    // If the server accepts no early refresh, each token costs one more request.
    const asked = server.count(REFRESH) / (early === 0 ? 2 : 1);
    assert.ok(Math.abs(asked - refreshes) <= Math.max(2, refreshes * 0.2), `${what}: ${asked}`);
  }
});

test('a session ends with its last token, and its reason is expired', async () => {
  const { world, tab, auth, server } = await loggedIn({}, { access: 900, refresh: 2000 });
  await world.pass(1990_000);
  assert.equal(auth.state.loggedIn, true);
  await world.pass(15_000);
  assert.deepEqual([auth.state.loggedIn, auth.state.claims, auth.state.reason], [false, null, 'expired']);
  assert.ok(server.count(REFRESH) <= 4, 'the last tokens are not refreshed for nothing');
  const asked = server.log.length;
  await world.pass(DAY);
  assert.equal(server.log.length, asked, 'that is the end of it');
  assert.deepEqual(tab.states.slice(-1), ['out expired']);
});

test('answers to a refresh', async () => {
  const table: [answer: () => Response, state: string][] = [
    [() => refuse(401, 'ExpiredRefreshError'), 'out expired'],
    [() => refuse(403, 'BlacklistedError'), 'out revoked'],
    [() => refuse(403, 'InvalidUserError'), 'out deactivated'],
    [() => refuse(401, 'MissingUserError'), 'out deleted'],
    [() => refuse(401, 'InvalidTokenHeader'), 'out invalid'],
    [() => refuse(401, 'MissingClaimError'), 'out invalid'],
    [() => refuse(401, 'MisusedResetToken'), 'out invalid'],
    [() => refuse(429, 'TooManyRequests', { 'Retry-After': '5' }), 'in'],
    [() => refuse(503, 'Unavailable', { 'Retry-After': '1' }), 'in'],
    [() => refuse(500, 'InternalError'), 'in'],
    [() => refuse(404, 'NotFound'), 'in'],
    [() => refuse(400, 'BadRequest'), 'in'],
    [() => refuse(403, 'MissingRoleError'), 'in'],
    [() => refuse(401, 'MissingToken'), 'in'],
    [() => refuse(425, 'EarlyRefreshError'), 'in'],
    [() => new Response('<h1>Forbidden</h1>', { status: 403 }), 'in'],
    [() => new Response('<h1>Bad Gateway</h1>', { status: 502 }), 'in offline'],
    [() => new Response('no server', { status: 503 }), 'in offline'],
    [() => new Response('welcome to the wifi', { status: 200 }), 'in'],
    [() => new Response('{"access_token":"what"}', { status: 200 }), 'in'],
    [() => new Response(null, { status: 204 }), 'in'],
  ];
  for (const [answer, expected] of table) {
    const { world, auth, server } = await loggedIn();
    const what = `${answer().status} ${await answer().text()}`;
    server.instead = path => (path === '/api/refresh' || answer().status >= 502 ? answer() : null);
    await world.pass(HOUR);
    const { loggedIn: is, reason, offline } = auth.state;
    assert.equal([is ? 'in' : 'out', reason, offline ? 'offline' : null].filter(Boolean).join(' '), expected, what);
    if (is) {
      assert.ok(server.log.length > 3 && server.log.length < 80, `${what}: asked ${server.log.length} times`);
      server.instead = null;
      await world.pass(11 * MINUTE);
      assert.equal(errorName(await world.outcome(auth.fetch('/api/protected'))), '[object Response]', what);
    } else {
      assert.equal(server.log.length, 1, `${what}: a refusal is final`);
      assert.equal(world.local.text.includes('eyJ'), false, 'no token is left behind');
    }
  }
});

test('answers to a request', async () => {
  const table: [change: (world: World) => void, error: string, state: string][] = [
    [world => world.server.endAll(), 'BlacklistedError', 'out revoked'],
    [world => (world.server.active = false), 'InvalidUserError', 'out deactivated'],
    [world => (world.server.exists = false), 'MissingUserError', 'out deleted'],
    [world => (world.server.keyKnown = false), 'InvalidTokenHeader', 'out invalid'],
    [world => (world.server.instead = () => refuse(403, 'MissingRoleError')), 'MissingRoleError', 'in'],
    [world => (world.server.instead = () => refuse(403, 'WrongPassword')), 'WrongPassword', 'in'],
    [world => (world.server.instead = () => refuse(401, 'SecondFactorRequired')), 'SecondFactorRequired', 'in'],
    [world => (world.server.instead = () => refuse(429, 'TooManyRequests')), 'TooManyRequests', 'in'],
    [world => (world.server.instead = () => refuse(503, 'Unavailable')), 'Unavailable', 'in'],
    [world => (world.server.instead = () => new Response('', { status: 401 })), 'HttpError', 'in'],
    [world => (world.network = 'down'), 'NetworkError', 'in offline'],
  ];
  for (const [change, error, expected] of table) {
    const { world, auth } = await loggedIn();
    change(world);
    assert.equal(errorName(await world.outcome(auth.fetch('/api/protected'))), error);
    const { loggedIn: is, reason, offline } = auth.state;
    assert.equal([is ? 'in' : 'out', reason, offline ? 'offline' : null].filter(Boolean).join(' '), expected, error);
  }
});

test('wrong and jumping clocks do not matter', async () => {
  const table = [0, 5 * HOUR, -5 * HOUR, 30 * 365 * DAY, -30 * 365 * DAY].flatMap(skew =>
    [skew, skew + HOUR, skew - HOUR, skew + 40 * DAY, 0].map(later => [skew, later] as const),
  );
  for (const tellsDate of [false, true]) {
    for (const [skew, later] of table) {
      const { world, tab, auth, server } = await loggedIn({ skew });
      const what = JSON.stringify({ skew, later, tellsDate });
      server.tellsDate = tellsDate;
      await world.pass(5 * MINUTE);
      tab.skew = later;
      for (let i = 0; i < 40; i++) {
        await world.pass(3 * MINUTE);
        assert.equal(errorName(await world.outcome(auth.fetch('/api/protected'))), '[object Response]', what);
      }
      assert.deepEqual([auth.state.loggedIn, auth.state.offline], [true, false], what);
      const refreshes = server.count(REFRESH);
      assert.ok(refreshes >= 7 && refreshes < 30, `${what}: ${refreshes}`);
    }
  }
});

test('a server whose clock is behind keeps the session, until its clock is right again', async () => {
  for (const tellsDate of [false, true]) {
    for (const right of ['set', 'reached'] as const) {
      const { world, tab, auth, server } = await loggedIn();
      const what = JSON.stringify({ tellsDate, right });
      server.tellsDate = tellsDate;
      await world.pass(5 * MINUTE);
      server.skew = -HOUR;
      for (let i = 0; i < 20; i++) {
        assert.equal(errorName(await world.outcome(auth.fetch('/api/protected'))), 'InvalidTokenHeader', what);
        await world.pass(MINUTE);
      }
      assert.deepEqual([auth.state.loggedIn, auth.state.offline], [true, false]);
      assert.ok(server.count(REFRESH) > 5 && server.count(REFRESH) < 40, `${what}: ${server.count(REFRESH)}`);
      if (right === 'set') server.skew = 0;
      else await world.pass(40 * MINUTE);
      await world.pass(2 * MINUTE);
      for (let i = 0; i < 20; i++) {
        assert.equal(errorName(await world.outcome(auth.fetch('/api/protected'))), '[object Response]', what);
        await world.pass(3 * MINUTE);
      }
      assert.deepEqual(tab.states.filter(state => state !== 'in'), []);
    }
  }
});

test('the message of a server whose clock is behind is the server\'s', () => {
  const claims = readFileSync(join(import.meta.dirname, '../../../../../../src/guard/token/claims.rs'), 'utf8');
  assert.ok(claims.includes(`"${FROM_THE_FUTURE}"`));
});

test('setting the clock while the page is closed does not matter', async () => {
  for (const [skew, later] of [[-30 * 365 * DAY, 0], [0, -HOUR], [0, HOUR], [2 * HOUR, -2 * HOUR]] as const) {
    const { world, tab } = await loggedIn({ skew });
    tab.auth.close();
    await world.pass(5 * MINUTE);
    const next = world.tab({ skew: later });
    assert.equal(next.auth.state.loggedIn, true);
    assert.equal(errorName(await world.outcome(next.auth.fetch('/api/protected'))), '[object Response]');
    await world.pass(20 * MINUTE);
    assert.equal(errorName(await world.outcome(next.auth.fetch('/api/protected'))), '[object Response]');
  }
});

test('a laptop sleeps for less and for more than the session lasts', async () => {
  for (const [sleep, expected] of [[MINUTE, 'in'], [8 * HOUR, 'in'], [29 * DAY, 'in'], [31 * DAY, 'out']] as const) {
    const { world, tab, auth } = await loggedIn();
    await world.pass(5 * MINUTE);
    await world.sleep(sleep);
    // A request before the first timer.
    const outcome = errorName(await world.outcome(auth.fetch('/api/protected')));
    assert.equal(outcome, expected === 'in' ? '[object Response]' : 'ExpiredRefreshError');
    assert.equal(auth.state.reason, expected === 'in' ? null : 'expired');
    tab.signal();
    await world.pass(MINUTE);
    assert.equal(auth.state.loggedIn, expected === 'in');
  }
});

test('after a sleep, a signal or the next check refreshes', async () => {
  for (const signal of [true, false]) {
    const { world, tab, server } = await loggedIn();
    await world.sleep(8 * HOUR);
    if (signal) tab.signal();
    await world.pass(signal ? 1000 : MINUTE + 1000);
    assert.equal(server.count(REFRESH), 1);
  }
});

test('while the server is unreachable, the session is kept, offline is set, and attempts become rarer', async () => {
  const { world, tab, auth, server } = await loggedIn();
  world.network = 'down';
  await world.pass(20 * MINUTE);
  assert.deepEqual([auth.state.loggedIn, auth.state.offline, auth.state.reason], [true, true, null]);
  assert.equal(errorName(await world.outcome(auth.fetch('/api/protected'))), 'NetworkError');
  await world.pass(3 * HOUR);
  world.network = 'up';
  await world.pass(80_000);
  assert.deepEqual([auth.state.loggedIn, auth.state.offline], [true, false]);
  assert.deepEqual(server.log, ['GET /api/health', REFRESH]);
  // The last two states: reachable again; the new token.
  assert.deepEqual(tab.states, ['in', 'in offline', 'in', 'in']);
});

test('an unreachable server is probed a few times, then once a minute', async () => {
  const { world, server } = await loggedIn();
  server.instead = () => new Response('', { status: 502 });
  await world.pass(855_000 + 2 * HOUR);
  assert.ok(server.log.length > 100 && server.log.length < 190, String(server.log.length));
});

test('if only the real requests fail, they become rarer too', async () => {
  const { world, auth } = await loggedIn();
  const { fetch } = world;
  let refreshes = 0;
  world.fetch = (url, init) => {
    if (!url.endsWith('/api/refresh')) return fetch.call(world, url, init);
    refreshes += 1;
    return Promise.reject(new TypeError('Failed to fetch'));
  };
  await world.pass(2 * HOUR);
  assert.equal(auth.state.loggedIn, true);
  assert.ok(refreshes > 50 && refreshes < 140, String(refreshes));
});

test('the online event and retry probe at once', async () => {
  for (const how of ['signal', 'retry'] as const) {
    const { world, tab, auth, server } = await loggedIn();
    world.network = 'down';
    await world.pass(3 * HOUR);
    assert.equal(await world.outcome(auth.retry()), false);
    world.network = 'up';
    if (how === 'signal') tab.signal();
    else assert.equal(await world.outcome(auth.retry()), true);
    await world.pass(200);
    assert.equal(auth.state.offline, false);
    assert.equal(server.count(REFRESH), 1, 'and the due refresh is done');
    assert.equal(errorName(await world.outcome(auth.fetch('/api/protected'))), '[object Response]');
  }
});

test('after a lost or late answer, the same token is exchanged again within the grace time', async () => {
  for (const network of ['loses answers', 'hangs'] as const) {
    const { world, auth, server } = await loggedIn();
    await world.pass(854_000);
    world.network = network;
    await world.pass(12_000);
    assert.ok(server.count(REFRESH) >= 1);
    assert.equal(auth.state.offline, true);
    world.network = 'up';
    await world.pass(12_000);
    assert.deepEqual([auth.state.loggedIn, auth.state.offline, auth.state.reason], [true, false, null], network);
    assert.equal(errorName(await world.outcome(auth.fetch('/api/protected'))), '[object Response]');
  }
});

test('Retry-After delays the refresh, and requests reject with the same error', async () => {
  const { world, auth, server } = await loggedIn();
  server.instead = path => (path === '/api/refresh' ? refuse(429, 'TooManyRequests', { 'Retry-After': '300' }) : null);
  await world.pass(902_000);
  assert.equal(server.count(REFRESH), 1);
  for (let i = 0; i < 50; i++) {
    const outcome = (await world.outcome(auth.fetch('/api/protected'))) as ApiError;
    assert.deepEqual([outcome.error, outcome.retryAfter], ['TooManyRequests', 300]);
  }
  assert.equal(server.count(REFRESH), 1, 'none of them asked');
  server.instead = null;
  await world.pass(300_000);
  assert.equal(errorName(await world.outcome(auth.fetch('/api/protected'))), '[object Response]');
});

test('Retry-After counts too if only the server knows that the token has expired', async () => {
  const { world, tab, auth, server } = await loggedIn();
  server.instead = path => (path === '/api/refresh' ? refuse(429, 'TooManyRequests', { 'Retry-After': '300' }) : null);
  tab.skew -= HOUR;
  await world.pass(902_000);
  for (let i = 0; i < 50; i++) {
    assert.equal(errorName(await world.outcome(auth.fetch('/api/protected'))), 'TooManyRequests');
  }
  assert.equal(server.count(REFRESH), 1);
});

test('after a clock jump ahead, requests go on with the token, and few refreshes are tried', async () => {
  for (const tellsDate of [false, true]) {
    const { world, tab, auth, server } = await loggedIn();
    server.tellsDate = tellsDate;
    tab.skew += 5 * HOUR;
    for (let i = 0; i < 100; i++) {
      await world.pass(1000);
      assert.equal(errorName(await world.outcome(auth.fetch('/api/protected'))), '[object Response]');
    }
    // The server's time, where it is readable, corrects the offset.
    const refreshes = server.count(REFRESH);
    assert.ok(tellsDate ? refreshes === 1 : refreshes > 2 && refreshes < 7, String(refreshes));
  }
});

test('many concurrent requests with an expired token cause one refresh', async () => {
  // Without storage there are no turns either.
  for (const options of [{}, { locks: true }, { session: null, local: null }]) {
    const { world, auth, server } = await loggedIn(options);
    await world.sleep(HOUR);
    const all = Array.from({ length: 20 }, () => auth.fetch('/api/protected'));
    for (const one of all) assert.equal(errorName(await world.outcome(one)), '[object Response]');
    assert.equal(server.count(REFRESH), 1, JSON.stringify(options));
    assert.equal(server.count('GET /api/protected'), 20);
  }
});

test('a request whose token expired on the way is sent again with its body', async () => {
  const { world, tab, auth, server } = await loggedIn();
  // Our clock stood still meanwhile.
  await world.pass(5 * MINUTE);
  tab.skew -= 20 * MINUTE;
  await world.sleep(20 * MINUTE);
  assert.deepEqual(await world.outcome(auth.call('POST', '/api/echo', { a: 1 })), { body: '{"a":1}', type: 'application/json' });
  assert.deepEqual(server.log, ['POST /api/echo', REFRESH, 'POST /api/echo']);
});

test('a final error of the second attempt ends the session too', async () => {
  const { world, tab, auth, server } = await loggedIn();
  tab.skew -= 20 * MINUTE;
  await world.sleep(20 * MINUTE);
  server.instead = path => (path === '/api/protected' && server.count(REFRESH) > 0 ? refuse(403, 'InvalidUserError') : null);
  assert.equal(errorName(await world.outcome(auth.fetch('/api/protected'))), 'InvalidUserError');
  assert.deepEqual([auth.state.loggedIn, auth.state.reason], [false, 'deactivated']);
});

test('a server that calls every token expired causes no endless requests', async () => {
  const { world, auth, server } = await loggedIn();
  server.instead = path => (path === '/api/protected' ? refuse(401, 'ExpiredAccessError') : null);
  for (let i = 0; i < 5; i++) {
    server.log = [];
    assert.equal(errorName(await world.outcome(auth.fetch('/api/protected'))), 'ExpiredAccessError');
    assert.ok(server.log.length <= 3, server.log.join());
  }
  assert.equal(auth.state.loggedIn, true);
});

test('without storage the session lasts until the page closes', async () => {
  const { world, auth, server } = await loggedIn({ session: null, local: null });
  await world.pass(HOUR);
  assert.equal(errorName(await world.outcome(auth.fetch('/api/protected'))), '[object Response]');
  assert.ok(server.count(REFRESH) >= 4);
  await world.outcome(auth.logOut());
  assert.equal(auth.state.loggedIn, false);
});
