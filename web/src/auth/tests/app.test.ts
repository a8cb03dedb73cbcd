// Owns the tests of the interface: login, logout, requests, subscriptions.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, createAuth, NetworkError, type Auth } from '../index.js';
import { json, refuse, token } from './server.js';
import { BLOCKED, World } from './world.js';

const ADA = { username: 'ada', password: 'right' };

function fresh(options = {}) {
  const world = new World();
  const tab = world.tab(options);
  return { world, tab, auth: tab.auth, server: world.server };
}

async function loggedIn(options = {}) {
  const all = fresh(options);
  await all.world.outcome(all.auth.logIn(ADA));
  all.server.log = [];
  return all;
}

test('logging in', async () => {
  const { world, auth, tab, server } = fresh();
  assert.deepEqual({ ...auth.state }, { loggedIn: false, claims: null, roles: [], reason: null, offline: false });
  const wrong = (await world.outcome(auth.logIn({ ...ADA, password: 'wrong' }))) as ApiError;
  assert.ok(wrong instanceof ApiError && wrong instanceof Error);
  assert.deepEqual([wrong.error, wrong.status, wrong.message], ['AuthenticationError', 401, 'because of AuthenticationError']);
  assert.deepEqual(tab.states, [], 'nothing has changed');

  server.instead = () => refuse(403, 'InvalidUserError');
  assert.equal(((await world.outcome(auth.logIn(ADA))) as ApiError).error, 'InvalidUserError');
  assert.equal(auth.state.reason, null, 'nobody was logged out');
  server.instead = () => json({});
  assert.equal(((await world.outcome(auth.logIn(ADA))) as ApiError).error, 'HttpError');
  server.instead = () => new Response('<h1>hotel wifi</h1>');
  assert.equal(((await world.outcome(auth.logIn(ADA))) as ApiError).error, 'HttpError');
  server.instead = null;

  server.roles = 'admin,editor';
  assert.equal(await world.outcome(auth.logIn(ADA)), undefined);
  assert.deepEqual([auth.state.loggedIn, auth.state.claims?.id, auth.state.roles], [true, 7, ['admin', 'editor']]);
});

test('a login sends no content type and no field that was not given', async () => {
  const sent: RequestInit[] = [];
  const { world, auth } = fresh();
  const { fetch } = world;
  world.fetch = (url, init) => (sent.push(init), fetch.call(world, url, init));
  await world.outcome(auth.logIn({ ...ADA, remember: false }));
  assert.equal(auth.remembers, false);
  await world.outcome(auth.logIn({ ...ADA, remember: false, cookie: true }));
  await world.outcome(auth.logIn({ ...ADA, cookie: true }));
  assert.equal(auth.remembers, true);
  await world.outcome(auth.register({ ...ADA, invitation: 'x' }));
  assert.deepEqual(sent.map(({ body }) => body), [
    '{"username":"ada","password":"right","device":""}',
    '{"username":"ada","password":"right","cookie":true,"remember":false,"device":"device-of-7"}',
    '{"username":"ada","password":"right","cookie":true,"device":"device-of-7"}',
    '{"username":"ada","password":"right","invitation":"x","device":"device-of-7"}',
  ]);
  for (const { headers, credentials } of sent) {
    assert.deepEqual([...new Headers(headers)], []);
    assert.equal(credentials, undefined);
  }
});

test('a registration logs in, or waits for the confirmation', async () => {
  const { world, auth } = fresh();
  assert.deepEqual(await world.outcome(auth.register({ ...ADA, email: 'ada@example.org' })), { loggedIn: false, message: 'look at your mail' });
  assert.equal(auth.state.loggedIn, false);
  assert.deepEqual(await world.outcome(auth.register(ADA)), { loggedIn: true });
  assert.equal(auth.state.loggedIn, true);
});

test('a token from another endpoint begins a session; other text does not', async () => {
  const { world, auth, server } = fresh();
  assert.throws(() => auth.accept('what'), ApiError);
  assert.equal(auth.state.loggedIn, false);
  auth.accept(server.begin());
  assert.equal(auth.state.loggedIn, true);
  assert.ok((await world.outcome(auth.fetch('/api/protected'))) instanceof Response);
});

test('a refused mailed token does not affect the session', async () => {
  const { world, auth, server } = await loggedIn();
  for (const name of ['ExpiredAccessError', 'MisusedResetToken', 'BlacklistedError']) {
    server.instead = () => refuse(401, name);
    assert.equal(((await world.outcome(auth.call('GET', '/api/finalize', undefined, { token: 'mailed' }))) as ApiError).error, name);
  }
  assert.deepEqual(server.log, Array(3).fill('GET /api/finalize'));
  assert.equal(auth.state.loggedIn, true);
  server.instead = null;
  assert.equal(((await world.outcome(auth.fetch('/api/protected', { token: false }))) as ApiError).error, 'MissingToken');
});

test('the token is sent only to the server', async () => {
  const asked: string[] = [];
  for (const [api, path, expected] of [
    ['', '/api/me', 'http://192.168.1.10:5000/api/me'],
    ['http://nas:5000', '/api/me', 'http://nas:5000/api/me'],
    ['http://nas:5000/', '/api/me', 'http://nas:5000/api/me'],
    ['https://home.example/lictor', '/api/me', 'https://home.example/lictor/api/me'],
    ['', '//evil.example/', 'http://192.168.1.10:5000//evil.example/'],
    ['', '/\\evil.example/', 'http://192.168.1.10:5000/\\evil.example/'],
    ['', 'http://evil.example/', null],
    ['', '@evil.example/', null],
    ['', '.evil.example/', null],
    ['', '', null],
  ] as const) {
    const { world, auth } = await loggedIn({ api });
    world.fetch = url => (asked.push(url), Promise.resolve(json({})));
    const outcome = await world.outcome(auth.fetch(path));
    if (expected === null) assert.ok(outcome instanceof TypeError, path);
    else assert.equal(asked.at(-1), expected);
  }
  for (const api of ['nas:5000', '//nas', 'javascript:1', '/api']) assert.throws(() => fresh({ api }), TypeError);
});

test('call sends and reads JSON', async () => {
  const { world, auth, server } = await loggedIn();
  assert.deepEqual(await world.outcome(auth.call('POST', '/api/echo', { a: 'Zoë' })), { body: '{"a":"Zoë"}', type: 'application/json' });
  assert.deepEqual(await world.outcome(auth.call('GET', '/api/protected')), { message: 'protected endpoint' });
  server.instead = () => new Response(null, { status: 204 });
  assert.equal(await world.outcome(auth.call('DELETE', '/api/sessions/1')), undefined);
  server.instead = () => new Response('<html>');
  assert.equal(((await world.outcome(auth.call('GET', '/api/me'))) as ApiError).error, 'HttpError');
  server.instead = () => refuse(429, 'TooManyRequests', { 'Retry-After': '17' });
  const refusal = (await world.outcome(auth.call('PUT', '/api/password', {}))) as ApiError;
  assert.deepEqual([refusal.error, refusal.status, refusal.retryAfter], ['TooManyRequests', 429, 17]);
});

test('an aborted request does not count as offline', async () => {
  const { world, auth } = await loggedIn();
  world.network = 'hangs';
  const giving = new AbortController();
  const asked = auth.fetch('/api/protected', { signal: giving.signal });
  await world.pass(5000);
  giving.abort(new Error('left the page'));
  assert.equal(((await world.outcome(asked)) as Error).message, 'left the page');
  assert.equal(auth.state.offline, false);

  // The same while the request waits for a refresh.
  await world.sleep(3_600_000);
  world.network = 'up';
  const other = new AbortController();
  const late = auth.fetch('/api/protected', { signal: other.signal });
  other.abort(new Error('left again'));
  assert.equal(((await world.outcome(late)) as Error).message, 'left again');
  assert.equal(auth.state.loggedIn, true);

  // And while that hangs.
  await world.sleep(3_600_000);
  world.network = 'hangs';
  const third = new AbortController();
  const stuck = auth.fetch('/api/protected', { signal: third.signal });
  const before = world.time;
  world.after(3000, () => third.abort(new Error('left for good')));
  assert.equal(((await world.outcome(stuck)) as Error).message, 'left for good');
  assert.deepEqual([world.time - before, auth.state.offline], [3000, false]);
});

test('a request that is aborted while the answer is read rejects with the reason of the signal', async () => {
  const statuses = [[200], [401], [403], [500]];
  for (const [token, answers] of [[undefined, [...statuses, [401, 200], [401, 403]]], [false, statuses]] as const) {
    for (const [first, second] of answers) {
      const { world, auth, server } = await loggedIn();
      await world.sleep(850_000);
      const giving = new AbortController();
      const slow = (status: number) => {
        world.after(3000, () => giving.abort(new Error('left the page')));
        return new Response(new ReadableStream({ start: body => giving.signal.addEventListener('abort', () => body.error(giving.signal.reason)) }), { status });
      };
      server.instead = path => {
        if (path !== '/api/me') return null;
        if (second === undefined) return slow(first!);
        return server.count('GET /api/me') === 1 ? refuse(401, 'ExpiredAccessError') : slow(second);
      };
      const outcome = (await world.outcome(auth.call('GET', '/api/me', undefined, { token, signal: giving.signal }))) as Error;
      assert.equal(outcome.message, 'left the page', `${first} ${second}, token ${token}`);
      assert.equal(server.count('GET /api/me'), second === undefined ? 1 : 2);
      assert.deepEqual([auth.state.loggedIn, auth.state.offline], [true, false]);
    }
  }
});

test('a stream is not sent twice', async () => {
  const { world, tab, auth, server } = await loggedIn();
  // Only the server knows that the token has expired.
  tab.skew -= 20 * 60_000;
  await world.sleep(20 * 60_000);
  const body = new ReadableStream();
  const outcome = (await world.outcome(auth.fetch('/api/echo', { method: 'POST', body }))) as ApiError;
  assert.equal(outcome.error, 'ExpiredAccessError');
  assert.deepEqual(server.log, ['POST /api/echo', 'POST /api/refresh']);
});

test('a logout ends the session at the server, also with an expired token, and says if it could not', async () => {
  for (const [change, heard, over] of [
    [async () => {}, true, true],
    [(world: World) => world.sleep(3_600_000), true, true],
    [async (world: World) => world.server.endAll(), true, true],
    [(world: World) => world.sleep(40 * 86_400_000), true, false],
    [async (world: World) => void (world.network = 'down'), false, false],
    [async (world: World) => void (world.network = 'hangs'), false, true],
    [async (world: World) => void (world.server.instead = () => refuse(503, 'Unavailable')), false, false],
  ] as const) {
    const { world, auth, server } = await loggedIn();
    await change(world);
    assert.equal(await world.outcome(auth.logOut()), heard);
    assert.deepEqual([auth.state.loggedIn, auth.state.reason], [false, 'user']);
    assert.equal([...server.rows.values()].every(row => row.over), over);
    assert.equal(await world.outcome(auth.logOut()), true, 'there is nothing left to end');
  }
});

test('a logout everywhere needs an answer of the server', async () => {
  const { world, auth, server } = await loggedIn();
  world.network = 'down';
  assert.ok((await world.outcome(auth.logOutEverywhere())) instanceof NetworkError);
  assert.equal(auth.state.loggedIn, true);
  world.network = 'up';
  await world.pass(5000);
  await world.outcome(auth.logOutEverywhere());
  assert.deepEqual([auth.state.loggedIn, auth.state.reason], [false, 'user']);
  assert.equal([...server.rows.values()].every(row => row.over), true);
});

test('forget sends no request', async () => {
  const { auth, server } = await loggedIn();
  auth.forget('deleted');
  assert.deepEqual([auth.state.loggedIn, auth.state.reason], [false, 'deleted']);
  assert.deepEqual(server.log, []);
});

test('token gives a valid token for other services', async () => {
  const { world, auth } = await loggedIn();
  const first = await world.outcome(auth.token());
  await world.sleep(3_600_000);
  const second = await world.outcome(auth.token());
  assert.notEqual(first, second);
  await world.outcome(auth.logOut());
  assert.equal(await world.outcome(auth.token()), null);
});

test('the state is the same object until a change, and is frozen', async () => {
  const { world, auth } = await loggedIn();
  const before = auth.state;
  await world.pass(60_000);
  await world.outcome(auth.fetch('/api/protected'));
  assert.equal(auth.state, before);
  assert.throws(() => ((before as { loggedIn: boolean }).loggedIn = false), TypeError);
  await world.pass(3_600_000);
  assert.notEqual(auth.state, before);
});

test('unsubscribed listeners are not called, and a closed Auth does nothing', async () => {
  const { world, tab, auth, server } = await loggedIn();
  let heard = 0;
  const end = auth.subscribe(() => (heard += 1));
  end();
  tab.states.length = 0;
  auth.close();
  await world.pass(86_400_000);
  assert.deepEqual([heard, tab.states, server.log], [0, [], []]);
});

test('an Auth that is closed during a request or a refresh does nothing afterwards', async () => {
  for (const network of ['up', 'down', 'hangs'] as const) {
    for (const slept of [0, 3_600_000]) {
      for (const at of [10, 30, 50, 70, 90]) {
        const { world, auth, server } = await loggedIn();
        await world.sleep(slept);
        world.network = network;
        void auth.fetch('/api/protected').catch(() => {});
        await world.pass(at);
        auth.close();
        await world.pass(20_000);
        world.network = 'up';
        server.log = [];
        await world.pass(86_400_000);
        assert.deepEqual(server.log, [], `${network}, after ${slept} and ${at} ms`);
      }
    }
  }
});

test('blocked storage counts as missing', async () => {
  const { world, auth } = await loggedIn({ local: BLOCKED });
  assert.equal(auth.state.loggedIn, true);
  await world.pass(3_600_000);
  assert.ok((await world.outcome(auth.fetch('/api/protected'))) instanceof Response);
});

test('createAuth works without a browser, for rendering on a server', () => {
  const auth: Auth = createAuth({ api: 'http://nas:5000' });
  assert.equal(auth.state.loggedIn, false);
  auth.close();
  assert.equal(token({}).split('.').length, 3);
});
