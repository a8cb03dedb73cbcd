// Owns the tests of the device secret: which requests have it, and how long this browser keeps it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BLOCKED, World } from './world.js';

const KEY = 'lictor.auth.device';
const ADA = { username: 'ada', password: 'right' };
const BOB = { username: 'bob', password: 'right' };

function fresh(options = {}) {
  const world = new World();
  const { auth, session } = world.tab(options);
  return { world, auth, session, server: world.server, kept: () => world.local.getItem(KEY) };
}

test('requests that begin a session send it and store the answer', async () => {
  const { world, auth, server } = fresh();
  await world.outcome(auth.register(ADA));
  await world.outcome(auth.logIn({ ...ADA, remember: false }));
  server.device = 'newer';
  await world.outcome(auth.changePassword({ current: 'right', new: 'better' }));
  assert.equal(await world.outcome(auth.resetPassword('mailed', { password: 'best' })), 'ada');
  assert.deepEqual(server.devices, ['', 'device-of-7', 'device-of-7', 'newer-of-7.device-of-7']);
});

test('no other request sends it', async () => {
  const { world, auth } = fresh();
  await world.outcome(auth.logIn(ADA));
  const sent: string[] = [];
  const { fetch } = world;
  world.fetch = (url, init) => (sent.push(JSON.stringify([url, init.body, [...new Headers(init.headers)]])), fetch.call(world, url, init));
  for (const path of ['/api/protected', '/api/me']) await world.outcome(auth.fetch(path));
  await world.outcome(auth.call('PUT', '/api/email', { email: 'ada@example.org' }));
  await world.pass(3_600_000);
  await world.outcome(auth.logOut());
  assert.ok(sent.length >= 5, sent.join());
  for (const each of sent) assert.ok(!each.includes('device'), each);
});

test('it is kept after every kind of logout', async () => {
  for (const end of ['logOut', 'logOutEverywhere', 'forget'] as const) {
    const { world, auth, server } = fresh();
    await world.outcome(auth.logIn(ADA));
    await world.outcome(Promise.resolve(auth[end]()));
    assert.equal(auth.state.loggedIn, false);
    await world.outcome(world.tab().auth.logIn(ADA));
    assert.deepEqual(server.devices, ['', 'device-of-7'], end);
  }
});

test('deleting an account deletes its value and no other', async () => {
  const { world, auth, server, kept } = fresh();
  // Bob's session is only in this tab; then ada logs in for all tabs.
  const own = world.tab().auth;
  await world.outcome(own.logIn({ ...BOB, remember: false }));
  await world.outcome(auth.logIn(ADA));
  assert.equal(await world.outcome(own.deleteAccount({ password: 'right' })), undefined);
  assert.deepEqual([own.state.loggedIn, own.state.reason], [false, 'user']);
  await world.outcome(auth.logIn(ADA));
  assert.deepEqual(server.devices, ['', 'device-of-8', 'device-of-7']);
  await world.outcome(auth.deleteAccount({ password: 'right' }));
  assert.equal(kept(), null, 'nothing is left');
});

test('an account that was not deleted keeps its value', async () => {
  const { world, auth, server, kept } = fresh();
  await world.outcome(auth.logIn(ADA));
  world.network = 'down';
  await world.outcome(auth.deleteAccount({ password: 'right' }));
  assert.equal(auth.state.loggedIn, true);
  assert.ok(kept()?.includes('device-of-7'));
  assert.equal(server.count('DELETE /api/me'), 0);
});

test('an older server changes nothing', async () => {
  const { world, auth, server, kept } = fresh();
  server.device = null;
  await world.outcome(auth.logIn(ADA));
  assert.deepEqual([auth.state.loggedIn, kept()], [true, null]);
});

test('with blocked storage it lasts until the page closes; unknown data is ignored', async () => {
  const { world, auth, server } = fresh({ local: BLOCKED });
  for (let i = 0; i < 2; i++) await world.outcome(auth.logIn(ADA));
  assert.deepEqual(server.devices, ['', 'device-of-7']);

  for (const odd of ['', 'x', '{}', 'null', '[1]', '[["",7]]', '[[7,"x"]]', '[["a"]]']) {
    const other = fresh();
    other.world.local.setItem(KEY, odd);
    await other.world.outcome(other.auth.logIn(ADA));
    assert.deepEqual(other.server.devices, [''], odd);
  }
});
