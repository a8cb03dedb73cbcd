// Owns the tests of several tabs, with Web Locks and, as on plain http in a LAN, without them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World, type Tab } from './world.js';

const REFRESH = 'POST /api/refresh';
const HOUR = 3_600_000;
const BOTH = [true, false] as const;

async function tabs(count: number, { locks, remember = true }: { locks: boolean; remember?: boolean }) {
  const world = new World();
  const all = Array.from({ length: count }, () => world.tab({ locks }));
  await world.outcome(all[0]!.auth.logIn({ username: 'ada', password: 'right', remember }));
  await world.pass(100);
  return { world, all, server: world.server };
}

function states(all: readonly Tab[]): string[] {
  return all.map(({ auth: { state } }) => (state.loggedIn ? 'in' : `out ${state.reason}`));
}

async function read(world: World, tab: Tab): Promise<string> {
  const outcome = await world.outcome(tab.auth.fetch('/api/protected'));
  return outcome instanceof Response ? String(outcome.status) : String((outcome as { error?: string }).error ?? outcome);
}

test('a login in one tab logs in all', async () => {
  for (const locks of BOTH) {
    const { world, all } = await tabs(4, { locks });
    assert.deepEqual(states(all), ['in', 'in', 'in', 'in']);
    for (const tab of all) assert.equal(await read(world, tab), '200');
    assert.equal(states([world.tab({ locks })])[0], 'in', 'and in a tab that opens later');
  }
});

test('one tab refreshes, and all get the new token', async () => {
  for (const locks of BOTH) {
    const { world, all, server } = await tabs(5, { locks });
    await world.pass(4 * HOUR);
    // 4 h in steps of 855 s.
    assert.ok(server.count(REFRESH) >= 16 && server.count(REFRESH) <= 18, `locks ${locks}: ${server.count(REFRESH)}`);
    assert.deepEqual(states(all), ['in', 'in', 'in', 'in', 'in']);
    const held = await Promise.all(all.map(tab => tab.auth.token()));
    assert.equal(new Set(held).size, 1);
    for (const tab of all) assert.equal(await read(world, tab), '200');
  }
});

test('tabs that wake at the same moment cause one refresh', async () => {
  for (const locks of BOTH) {
    const { world, all, server } = await tabs(5, { locks });
    await world.sleep(HOUR);
    const asked = all.map(tab => tab.auth.fetch('/api/protected'));
    all.forEach(tab => tab.signal());
    for (const one of asked) assert.ok((await world.outcome(one)) instanceof Response);
    assert.equal(server.count(REFRESH), 1, `locks ${locks}`);
  }
});

test('without locks and storage events two may refresh, which the server tolerates', async () => {
  const { world, all, server } = await tabs(3, { locks: false });
  // All tabs overwrite the lease, as if each process saw its own storage for a while.
  const { getItem } = world.local;
  world.local.getItem = key => (key.endsWith('.turn') ? null : getItem.call(world.local, key));
  await world.sleep(HOUR);
  const asked = all.map(tab => tab.auth.fetch('/api/protected'));
  for (const one of asked) assert.ok((await world.outcome(one)) instanceof Response);
  assert.ok(server.count(REFRESH) > 1);
  assert.deepEqual(states(all), ['in', 'in', 'in']);
  await world.pass(HOUR);
  for (const tab of all) assert.equal(await read(world, tab), '200');
});

test('with Web Locks no lease is written', async () => {
  for (const locks of BOTH) {
    const { world, all } = await tabs(2, { locks });
    const written = new Set<string>();
    const { setItem } = world.local;
    world.local.setItem = (key, value) => (written.add(key), setItem.call(world.local, key, value));
    await world.sleep(HOUR);
    assert.equal(await read(world, all[0]!), '200');
    assert.deepEqual([...written], locks ? ['lictor.auth'] : ['lictor.auth.turn', 'lictor.auth']);
  }
});

test('a failed refresh does not matter if another tab\'s succeeds', async () => {
  const { world, all, server } = await tabs(2, { locks: false });
  const { getItem } = world.local;
  world.local.getItem = key => (key.endsWith('.turn') ? null : getItem.call(world.local, key));
  await world.sleep(HOUR);
  world.network = 'hangs';
  const hung = all[0]!.auth.fetch('/api/protected');
  await world.pass(50);
  world.network = 'up';
  assert.equal(await read(world, all[1]!), '200');
  assert.ok((await world.outcome(hung)) instanceof Response);
  assert.equal(server.count(REFRESH), 2);
});

test('a request refused for a replaced session is sent again with the new session', async () => {
  const { world, all, server } = await tabs(2, { locks: false });
  const asked = all[0]!.auth.fetch('/api/protected');
  server.endAll();
  await world.pass(25);
  all[1]!.auth.accept(server.begin());
  assert.ok((await world.outcome(asked)) instanceof Response);
  assert.deepEqual(states(all), ['in', 'in']);
  assert.equal(all[0]!.auth.state.claims!.jti, 'session-2');
});

test('a request is not sent in the name of a user who logs in meanwhile', async () => {
  for (const meanwhile of ['request', 'refresh'] as const) {
    const { world, all, server } = await tabs(2, { locks: false });
    if (meanwhile === 'refresh') await world.sleep(HOUR);
    const asked = all[0]!.auth.call('POST', '/api/echo', { of: 'ada' });
    server.endAll();
    await world.pass(25);
    all[1]!.auth.accept(server.begin(8));
    const outcome = (await world.outcome(asked)) as { error?: string };
    assert.equal(outcome.error, meanwhile === 'request' ? 'BlacklistedError' : 'MissingToken', meanwhile);
    assert.equal(server.count('POST /api/echo'), meanwhile === 'request' ? 1 : 0, meanwhile);
    assert.deepEqual(all.map(({ auth }) => auth.state.claims!.id), [8, 8], 'and the other session goes on');
  }
});

test('a logout everywhere and a deleted account do not end a session that another tab begins meanwhile', async () => {
  for (const end of ['logOutEverywhere', 'deleteAccount'] as const) {
    const { world, all } = await tabs(2, { locks: false });
    const ended = all[0]!.auth[end]({ password: 'right' });
    await world.pass(25);
    all[1]!.auth.accept(world.server.begin(8));
    assert.equal(await world.outcome(ended), undefined);
    await world.pass(100);
    assert.deepEqual(all.map(({ auth }) => auth.state.claims?.id), [8, 8], end);
    for (const tab of all) assert.equal(await read(world, tab), '200');
  }
});

test('a tab proceeds after its wait, even if others take every turn', async () => {
  const { world, all } = await tabs(1, { locks: false });
  await world.sleep(HOUR);
  const keep = () => {
    world.local.setItem('lictor.auth.turn', `other ${world.time + 5000}`);
    world.after(1000, keep);
  };
  keep();
  assert.equal(await read(world, all[0]!), '200');
});

test('a tab that freezes during its turn loses it', async () => {
  for (const locks of BOTH) {
    const { world, all } = await tabs(3, { locks });
    await world.sleep(HOUR);
    const asked = all[0]!.auth.fetch('/api/protected');
    await world.pass(50);
    all[0]!.frozen = true;
    for (const tab of all.slice(1)) assert.equal(await read(world, tab), '200');
    await world.pass(HOUR);
    all[0]!.frozen = false;
    assert.ok((await world.outcome(asked)) instanceof Response);
    await world.pass(1000);
    assert.deepEqual(states(all), ['in', 'in', 'in'], `locks ${locks}`);
  }
});

test('a tab that was frozen does not send a token that others have exchanged', async () => {
  for (const locks of BOTH) {
    const { world, all, server } = await tabs(2, { locks });
    all[1]!.frozen = true;
    await world.pass(3 * HOUR);
    all[1]!.frozen = false;
    await world.pass(1000);
    assert.equal(await read(world, all[1]!), '200');
    assert.deepEqual(states(all), ['in', 'in']);
    assert.equal([...server.rows.values()].some(row => row.over), false, 'no replay was detected');
  }
});

test('a logout in one tab logs out all and ends the session', async () => {
  for (const locks of BOTH) {
    const { world, all, server } = await tabs(3, { locks });
    const old = await all[1]!.auth.token();
    const loggedOut = all[0]!.auth.logOut();
    assert.equal(all[0]!.auth.state.loggedIn, false, 'at once');
    assert.equal(await world.outcome(loggedOut), true);
    await world.pass(100);
    assert.deepEqual(states(all), ['out user', 'out user', 'out user']);
    assert.equal(world.local.text.includes(old!), false);
    assert.deepEqual(states([world.tab({ locks })]), ['out null'], 'a later page knows no reason');
    assert.equal([...server.rows.values()].every(row => row.over), true);
  }
});

test('a logout while another tab refreshes stays a logout', async () => {
  for (const locks of BOTH) {
    for (const at of [0, 10, 30, 50, 70, 90]) {
      const { world, all, server } = await tabs(2, { locks });
      await world.sleep(HOUR);
      all[1]!.signal();
      await world.pass(at);
      assert.equal(await world.outcome(all[0]!.auth.logOut()), true);
      await world.pass(HOUR);
      assert.deepEqual(states(all), ['out user', 'out user'], `locks ${locks}, after ${at} ms`);
      assert.equal(world.local.text.includes('eyJ'), false);
      assert.equal([...server.rows.values()].every(row => row.over), true);
    }
  }
});

test('all tabs get the reason, and one asks the server', async () => {
  for (const locks of BOTH) {
    const { world, all, server } = await tabs(4, { locks });
    server.active = false;
    await world.pass(HOUR);
    assert.deepEqual(states(all), Array(4).fill('out deactivated'));
    assert.equal(server.count(REFRESH), 1);
  }
});

test('a login of another user in another tab counts for all', async () => {
  const { world, all, server } = await tabs(2, { locks: false });
  server.roles = 'admin';
  await world.outcome(all[1]!.auth.logIn({ username: 'bob', password: 'right' }));
  await world.pass(100);
  assert.deepEqual(all.map(({ auth }) => [auth.state.claims!.jti, ...auth.state.roles]), Array(2).fill(['session-2', 'admin']));
  assert.equal(await read(world, all[0]!), '200');
});

test('a session that is not remembered belongs to its tab', async () => {
  for (const locks of BOTH) {
    const { world, all } = await tabs(2, { locks, remember: false });
    assert.deepEqual(states(all), ['in', 'out null']);
    assert.equal(world.local.getItem('lictor.auth'), null);
    await world.outcome(all[1]!.auth.logIn({ username: 'bob', password: 'right' }));
    await world.pass(2 * HOUR);
    assert.deepEqual(states(all), ['in', 'in']);
    assert.deepEqual(all.map(({ auth }) => auth.state.claims!.jti), ['session-1', 'session-2']);
    await world.outcome(all[0]!.auth.logOut());
    await world.pass(100);
    assert.deepEqual(states(all), ['out user', 'in'], 'the remembered session belongs to another user');
    await world.outcome(all[1]!.auth.logIn({ username: 'bob', password: 'right' }));
    await world.pass(100);
    assert.deepEqual(states(all), ['in', 'in'], 'a new one is for all');
    await world.outcome(all[0]!.auth.logIn({ username: 'ada', password: 'right', remember: false }));
    assert.notEqual(all[0]!.session.text, '[]');
    await world.outcome(all[0]!.auth.logIn({ username: 'ada', password: 'right' }));
    await world.pass(100);
    assert.equal(all[0]!.session.text, '[]', 'a remembered session is only in localStorage');
    assert.equal(await all[0]!.auth.token(), await all[1]!.auth.token());
  }
});

test('a tab that has logged out does not join the session of other tabs when that is refreshed', async () => {
  for (const locks of BOTH) {
    for (const second of ['opened', 'logged in', 'loaded again'] as const) {
      const { world, all, server } = await tabs(2, { locks });
      // It has begun the session for all tabs itself.
      if (second === 'logged in') await world.outcome(all[1]!.auth.logIn({ username: 'ada', password: 'right' }));
      await world.outcome(all[1]!.auth.logIn({ username: 'bob', password: 'right', remember: false }));
      await world.outcome(all[1]!.auth.logOut());
      if (second === 'loaded again') {
        all[1]!.auth.close();
        all[1] = world.tab({ locks, session: all[1]!.session });
      }
      await world.pass(HOUR);
      assert.ok(server.count(REFRESH) > 0);
      assert.deepEqual(all.map(({ auth }) => auth.state.claims?.id), [7, undefined], second);
      await world.outcome(all[0]!.auth.logOut());
      await world.outcome(all[0]!.auth.logIn({ username: 'ada', password: 'right' }));
      await world.pass(100);
      assert.deepEqual(states(all), ['in', 'in'], 'a login is for all');
    }
  }
});

test('a duplicated tab shares a session that is not remembered', async () => {
  for (const locks of BOTH) {
    const { world, all, server } = await tabs(1, { locks, remember: false });
    all.push(world.tab({ locks, session: all[0]!.session }));
    assert.deepEqual(states(all), ['in', 'in']);
    await world.pass(4 * HOUR);
    // The turn may be faster than the message: then the second tab refreshes too, and gets the same token.
    assert.ok(server.count(REFRESH) <= 36, String(server.count(REFRESH)));
    assert.equal(await all[0]!.auth.token(), await all[1]!.auth.token());
    for (const tab of all) assert.equal(await read(world, tab), '200');
    assert.equal([...server.rows.values()].some(row => row.over), false, 'no replay was detected');
    await world.outcome(all[1]!.auth.logOut());
    await world.pass(100);
    assert.deepEqual(states(all), ['out user', 'out user']);
  }
});

test('after a password change all tabs have the new session', async () => {
  for (const locks of BOTH) {
    for (const remember of [true, false]) {
      const { world, all, server } = await tabs(1, { locks, remember });
      all.push(world.tab({ locks, session: all[0]!.session }));
      assert.deepEqual(states(all), ['in', 'in']);
      await world.outcome(all[1]!.auth.changePassword({ current: 'right', new: 'better' }));
      await world.pass(100);
      assert.deepEqual(all.map(tab => [tab.auth.state.claims!.jti, tab.states.includes('out revoked')]), Array(2).fill(['session-2', false]));
      assert.equal(world.local.text.includes('eyJ'), remember, 'it is kept where the one before was');
      for (const tab of all) assert.equal(await read(world, tab), '200');
      await world.pass(2 * HOUR);
      assert.deepEqual(states(all), ['in', 'in']);
      assert.deepEqual([...server.rows.values()].map(row => row.over), [true, false]);
    }
  }
});

test('a duplicated tab does not adopt the session of another user', async () => {
  const { world, all } = await tabs(1, { locks: false, remember: false });
  all.push(world.tab({ locks: false, session: all[0]!.session }));
  await world.outcome(all[1]!.auth.logIn({ username: 'bob', password: 'right', remember: false }));
  await world.pass(100);
  assert.deepEqual(all.map(({ auth }) => auth.state.claims!.id), [7, 8]);
});

test('unknown data in the storage is ignored', async () => {
  const { world, all } = await tabs(2, { locks: false });
  for (const odd of ['', 'x', '{}', 'null', '[]', '{"token":1}', '{"token":"a.b.c","offset":0}', '{"out":"because"}', '1e999']) {
    await world.outcome(all[0]!.auth.logIn({ username: 'ada', password: 'right' }));
    await world.pass(100);
    world.local.setItem('lictor.auth', odd);
    world.tabs.forEach(tab => tab.hearsStorage('lictor.auth'));
    assert.deepEqual(states(all), ['out user', 'out user'], odd);
    assert.deepEqual(states([world.tab()]), ['out null'], odd);
  }
  // The storage is cleared.
  await world.outcome(all[0]!.auth.logIn({ username: 'ada', password: 'right' }));
  await world.pass(100);
  world.local.removeItem('lictor.auth');
  world.tabs.forEach(tab => tab.hearsStorage(null));
  assert.deepEqual(states(all), ['out user', 'out user']);
});

test('a lease from the future or of a closed tab is ignored', async () => {
  for (const lease of ['gone-1 9999999999999', 'gone-2 0', 'gone-3 x', 'gone-4', `gone-5 ${Date.UTC(2026, 0, 15, 13, 0, 8)}`]) {
    const { world, all } = await tabs(1, { locks: false });
    await world.sleep(HOUR - 100);
    world.local.setItem('lictor.auth.turn', lease);
    assert.equal(await read(world, all[0]!), '200', lease);
    assert.equal(world.local.getItem('lictor.auth.turn'), null, 'and it is given back');
  }
});

test('a new tab takes the session of an open one that is not remembered', async () => {
  for (const locks of BOTH) {
    const { world, all, server } = await tabs(1, { locks, remember: false });
    all.push(world.tab({ locks }));
    assert.deepEqual(states(all), ['in', 'out null'], 'nothing waits for the answer');
    await world.pass(10);
    assert.deepEqual(states(all), ['in', 'in']);
    assert.equal(world.local.text.includes('eyJ'), false);
    assert.equal(all[1]!.auth.remembers, false);
    await world.pass(2 * HOUR);
    assert.equal(await all[0]!.auth.token(), await all[1]!.auth.token());
    for (const tab of all) assert.equal(await read(world, tab), '200');
    assert.equal([...server.rows.values()].some(row => row.over), false, 'no replay was detected');
    await world.outcome(all[0]!.auth.logOut());
    await world.pass(100);
    assert.deepEqual(states(all), ['out user', 'out user']);
    all.push(world.tab({ locks }));
    await world.pass(2_000);
    assert.equal(states(all)[2], 'out null', 'there is no session to take');
  }
});

test('a tab takes no session late, over its own, or from an odd message', async () => {
  const { world, all } = await tabs(1, { locks: false, remember: false });
  all[0]!.frozen = true;
  const late = world.tab();
  await world.pass(2_000);
  all[0]!.frozen = false;
  await world.pass(100);
  assert.equal(late.auth.state.loggedIn, false, 'somebody may be typing by now');

  all[0]!.frozen = true;
  const own = world.tab();
  await world.outcome(own.auth.logIn({ username: 'bob', password: 'right', remember: false }));
  all[0]!.frozen = false;
  await world.pass(100);
  assert.equal(own.auth.state.claims!.id, 8);

  await world.outcome(all[0]!.auth.logOut());
  const other = world.tab();
  for (const odd of [null, 1, 'x', { gift: 1 }, { gift: '' }, { gift: '{"out":"user"}' }, { ask: 1 }, { gift: '{"token":"a.b.c","offset":0}' }]) {
    for (const { receive, tab } of world.channels) if (tab === other) receive(odd);
  }
  assert.equal(other.auth.state.loggedIn, false);
});
