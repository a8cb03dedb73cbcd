// Owns the tests of one tab: refreshing in time, what ends a session and what does not, clocks
// that are wrong.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../index.js';
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

test('a token is refreshed before it ends, and no more often', async () => {
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
    // Where the server takes none early, each costs one question more.
    const asked = server.count(REFRESH) / (early === 0 ? 2 : 1);
    assert.ok(Math.abs(asked - refreshes) <= Math.max(2, refreshes * 0.2), `${what}: ${asked}`);
  }
});

test('the session ends with its last token, and says that it has expired', async () => {
  const { world, tab, auth, server } = await loggedIn({}, { access: 900, refresh: 2000 });
  await world.pass(1990_000);
  assert.equal(auth.state.loggedIn, true);
  await world.pass(15_000);
  assert.deepEqual([auth.state.loggedIn, auth.state.claims, auth.state.reason], [false, null, 'expired']);
  assert.ok(server.count(REFRESH) <= 4, 'the last tokens are not refreshed for nothing');
  const asked = server.log.length;
  await world.pass(DAY);
  assert.equal(server.log.length, asked, 'that is the end of it');
  assert.deepEqual(tab.told.slice(-1), ['out expired']);
});

test('what the server says to a refresh', async () => {
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

test('what the server says to a request', async () => {
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

test('a clock that is off does not matter, nor one that jumps', async () => {
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

test('a clock that is set while the page is closed does not matter', async () => {
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

test('a laptop sleeps, for less or more than the session lasts', async () => {
  for (const [sleep, expected] of [[MINUTE, 'in'], [8 * HOUR, 'in'], [29 * DAY, 'in'], [31 * DAY, 'out']] as const) {
    const { world, tab, auth } = await loggedIn();
    await world.pass(5 * MINUTE);
    await world.sleep(sleep);
    // A request that comes before any timer does.
    const outcome = errorName(await world.outcome(auth.fetch('/api/protected')));
    assert.equal(outcome, expected === 'in' ? '[object Response]' : 'ExpiredRefreshError');
    assert.equal(auth.state.reason, expected === 'in' ? null : 'expired');
    tab.signal();
    await world.pass(MINUTE);
    assert.equal(auth.state.loggedIn, expected === 'in');
  }
});

test('after a sleep the signal alone refreshes, and so does the next look', async () => {
  for (const signal of [true, false]) {
    const { world, tab, server } = await loggedIn();
    await world.sleep(8 * HOUR);
    if (signal) tab.signal();
    await world.pass(signal ? 1000 : MINUTE + 1000);
    assert.equal(server.count(REFRESH), 1);
  }
});

test('a server that is away, for a while: the session is kept, it is said, and tried ever more rarely', async () => {
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
  // The last two: reached again; the new token.
  assert.deepEqual(tab.told, ['in', 'in offline', 'in', 'in']);
});

test('while it is away it is asked a few times, then once a minute', async () => {
  const { world, server } = await loggedIn();
  server.instead = () => new Response('', { status: 502 });
  await world.pass(855_000 + 2 * HOUR);
  assert.ok(server.log.length > 100 && server.log.length < 190, String(server.log.length));
});

test('where only the real requests fail, they become rarer all the same', async () => {
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

test('the browser says that the network is back: it is asked at once, and so by the button', async () => {
  for (const how of ['signal', 'retry'] as const) {
    const { world, tab, auth } = await loggedIn();
    world.network = 'down';
    await world.pass(3 * HOUR);
    assert.equal(await world.outcome(auth.retry()), false);
    world.network = 'up';
    if (how === 'signal') tab.signal();
    else assert.equal(await world.outcome(auth.retry()), true);
    await world.pass(200);
    assert.equal(auth.state.offline, false);
    assert.equal(errorName(await world.outcome(auth.fetch('/api/protected'))), '[object Response]');
  }
});

test('an answer that is lost, or hangs: the same token is exchanged again within the grace', async () => {
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

test('told to wait, it waits, and requests are told the same', async () => {
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

test('told to wait, it waits also where only the server knows that the token is over', async () => {
  const { world, tab, auth, server } = await loggedIn();
  server.instead = path => (path === '/api/refresh' ? refuse(429, 'TooManyRequests', { 'Retry-After': '300' }) : null);
  tab.skew -= HOUR;
  await world.pass(902_000);
  for (let i = 0; i < 50; i++) {
    assert.equal(errorName(await world.outcome(auth.fetch('/api/protected'))), 'TooManyRequests');
  }
  assert.equal(server.count(REFRESH), 1);
});

test('a clock that has jumped ahead: requests go on with the token, and few ask whether it is over', async () => {
  for (const tellsDate of [false, true]) {
    const { world, tab, auth, server } = await loggedIn();
    server.tellsDate = tellsDate;
    tab.skew += 5 * HOUR;
    for (let i = 0; i < 100; i++) {
      await world.pass(1000);
      assert.equal(errorName(await world.outcome(auth.fetch('/api/protected'))), '[object Response]');
    }
    // The server's time, where it can be read, settles it.
    const refreshes = server.count(REFRESH);
    assert.ok(tellsDate ? refreshes === 1 : refreshes > 2 && refreshes < 7, String(refreshes));
  }
});

test('many requests at once with a token that is over: one refresh', async () => {
  // Without storage there are no turns to take either.
  for (const options of [{}, { locks: true }, { session: null, local: null }]) {
    const { world, auth, server } = await loggedIn(options);
    await world.sleep(HOUR);
    const all = Array.from({ length: 20 }, () => auth.fetch('/api/protected'));
    for (const one of all) assert.equal(errorName(await world.outcome(one)), '[object Response]');
    assert.equal(server.count(REFRESH), 1, JSON.stringify(options));
    assert.equal(server.count('GET /api/protected'), 20);
  }
});

test('a request whose token ended on the way is sent once more, with its body', async () => {
  const { world, tab, auth, server } = await loggedIn();
  // Our clock stood still while the token lived on.
  await world.pass(5 * MINUTE);
  tab.skew -= 20 * MINUTE;
  await world.sleep(20 * MINUTE);
  assert.deepEqual(await world.outcome(auth.call('POST', '/api/echo', { a: 1 })), { body: '{"a":1}', type: 'application/json' });
  assert.deepEqual(server.log, ['POST /api/echo', REFRESH, 'POST /api/echo']);
});

test('a server that calls every token expired is not asked for ever', async () => {
  const { world, auth, server } = await loggedIn();
  server.instead = path => (path === '/api/protected' ? refuse(401, 'ExpiredAccessError') : null);
  for (let i = 0; i < 5; i++) {
    server.log = [];
    assert.equal(errorName(await world.outcome(auth.fetch('/api/protected'))), 'ExpiredAccessError');
    assert.ok(server.log.length <= 3, server.log.join());
  }
  assert.equal(auth.state.loggedIn, true);
});

test('without storage the session lasts as long as the page', async () => {
  const { world, auth, server } = await loggedIn({ session: null, local: null });
  await world.pass(HOUR);
  assert.equal(errorName(await world.outcome(auth.fetch('/api/protected'))), '[object Response]');
  assert.ok(server.count(REFRESH) >= 4);
  await world.outcome(auth.logOut());
  assert.equal(auth.state.loggedIn, false);
});
