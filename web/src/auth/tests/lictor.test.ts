// Owns the tests against the real server, named in LICTOR_BIN: short lifespans, two tabs, sessions that
// end, a server that restarts. Times are real here, so they are a few seconds, or longer on a slow machine.

import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAuthIn } from '../auth.js';
import { ApiError, type Auth } from '../index.js';
import type { Environment } from '../environment.js';
import { Memory } from './world.js';

const binary = process.env['LICTOR_BIN'];
const skip = binary === undefined && 'LICTOR_BIN names no server';
const ADA = { username: 'ada', password: 'ten wooden lanterns' };

const dir = mkdtempSync(join(tmpdir(), 'lictor-auth-'));
const children = new Set<ChildProcess>();
const open: Auth[] = [];

after(() => {
  open.forEach(auth => auth.close());
  children.forEach(child => child.kill('SIGKILL'));
  rmSync(dir, { recursive: true, force: true });
});

// Below the ports that the system gives to connections, so that none of them takes it before lictor does.
async function freePort(): Promise<number> {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 17_000);
    const holder = createServer().listen(port, '127.0.0.1');
    if (!(await once(holder, 'listening').then(() => true, () => false))) continue;
    holder.close();
    return port;
  }
}

const LIMIT_MS = 60_000;
const BRIEF = ['--access-lifespan', '3s', '--early-refresh', '1s'];

async function start(name: string, port: number, ...lives: string[]): Promise<ChildProcess> {
  const database = ['--listen', `127.0.0.1:${port}`, '--database', join(dir, `${name}.db`)];
  const child = spawn(binary!, ['serve', ...database, ...lives], { cwd: dir, env: { PATH: process.env['PATH'] }, stdio: 'ignore' });
  children.add(child);
  for (const end = Date.now() + LIMIT_MS; Date.now() < end; ) {
    if (await fetch(`http://127.0.0.1:${port}/api/health`).then(answer => answer.ok, () => false)) return child;
    await sleep(50);
  }
  throw new Error('lictor did not start');
}

async function stop(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  await once(child, 'exit');
  children.delete(child);
}

/** A browser whose tabs share localStorage, on plain http: no Web Locks. */
class Browser {
  skew = 0;
  asked: string[] = [];
  readonly #local = new Memory();
  readonly #heard: ((key: string | null) => void)[] = [];
  readonly #api: string;

  constructor(port: number) {
    this.#api = `http://127.0.0.1:${port}`;
  }

  tab(): Auth {
    const heard: { on: (key: string | null) => void } = { on: () => {} };
    this.#heard.push(key => heard.on(key));
    const index = this.#heard.length - 1;
    const tell = (key: string) => this.#heard.forEach((on, i) => i !== index && setTimeout(on, 1, key));
    const environment: Environment = {
      origin: this.#api,
      local: {
        getItem: key => this.#local.getItem(key),
        setItem: (key, value) => (this.#local.setItem(key, value), tell(key)),
        removeItem: key => (this.#local.removeItem(key), tell(key)),
      },
      session: new Memory(),
      locks: null,
      fetch: (url, init) => (this.asked.push(new URL(url).pathname), fetch(url, init)),
      now: () => Date.now() + this.skew,
      random: Math.random,
      after: (ms, run) => {
        const timer = setTimeout(run, ms);
        return () => clearTimeout(timer);
      },
      channel: () => null,
      onSignal: () => () => {},
      onStorage: on => ((heard.on = on), () => {}),
    };
    const auth = createAuthIn(environment);
    open.push(auth);
    return auth;
  }
}

async function until(what: () => boolean): Promise<void> {
  for (const end = Date.now() + LIMIT_MS; !what(); await sleep(20)) assert.ok(Date.now() < end, `in vain: ${what}`);
}

// Again, if a slow machine was so slow that a token has expired on its way, and the next one too.
async function read(auth: Auth, tries = 3): Promise<unknown> {
  try {
    return await auth.call('GET', '/api/protected');
  } catch (error) {
    if (tries > 1 && error instanceof ApiError && error.error === 'ExpiredAccessError') return read(auth, tries - 1);
    throw error;
  }
}

const MESSAGE = { message: 'protected endpoint (allowed usr ada)' };

test('two tabs stay logged in through many refreshes, whatever their clocks say', { skip }, async () => {
  const port = await freePort();
  const lictor = await start('lives', port, ...BRIEF);
  const browser = new Browser(port);
  browser.skew = -7 * 3_600_000;
  const [one, two] = [browser.tab(), browser.tab()];
  assert.deepEqual(await one.register(ADA), { loggedIn: true });
  await until(() => two.state.loggedIn);
  const first = two.state.claims!;
  const [began, issued] = [Date.now(), new Set([first.iat])];
  while (issued.size < 5) {
    await sleep(500);
    assert.deepEqual(await Promise.all([read(one), read(two)]), [MESSAGE, MESSAGE]);
    issued.add(two.state.claims!.iat);
    assert.ok(Date.now() < began + LIMIT_MS, 'no new token');
  }
  assert.equal(two.state.claims!.jti, first.jti);
  // Each token is refreshed after 2 s, sometimes too early, and sometimes by both tabs.
  const [refreshes, seconds] = [browser.asked.filter(path => path === '/api/refresh').length, (Date.now() - began) / 1000];
  assert.ok(refreshes >= 4 && refreshes <= 4 + seconds, `${refreshes} in ${seconds} s`);
  await stop(lictor);
});

test('a logout ends the session in both tabs and at the server', { skip }, async () => {
  const port = await freePort();
  const lictor = await start('out', port);
  const browser = new Browser(port);
  const [one, two] = [browser.tab(), browser.tab()];
  await one.register(ADA);
  await until(() => two.state.loggedIn);
  const token = (await two.token())!;
  assert.equal(await one.logOut(), true);
  await until(() => !two.state.loggedIn);
  assert.equal(two.state.reason, 'user');
  const answer = await fetch(`http://127.0.0.1:${port}/api/protected`, { headers: { Authorization: `Bearer ${token}` } });
  assert.equal(((await answer.json()) as { error: string }).error, 'BlacklistedError');
  await stop(lictor);
});

test('a session that was ended elsewhere ends with its reason', { skip }, async () => {
  const port = await freePort();
  const lictor = await start('ended', port, ...BRIEF);
  const [here, elsewhere] = [new Browser(port).tab(), new Browser(port).tab()];
  await here.register(ADA);
  await elsewhere.logIn(ADA);
  await elsewhere.logOutEverywhere();
  // Without a request of the app, the next refresh finds out.
  await until(() => !here.state.loggedIn);
  assert.equal(here.state.reason, 'revoked');
  await here.logIn(ADA);
  assert.equal(here.state.reason, null);
  await assert.rejects(here.logIn({ ...ADA, password: 'another one' }), (error: ApiError) => error.error === 'AuthenticationError');
  assert.equal(here.state.loggedIn, true);
  await stop(lictor);
});

test('a session survives a restart that takes longer than the lifespan of a token', { skip }, async () => {
  const port = await freePort();
  const lictor = await start('restart', port, ...BRIEF);
  const browser = new Browser(port);
  const [one, two] = [browser.tab(), browser.tab()];
  await one.register(ADA);
  await until(() => two.state.loggedIn);
  await stop(lictor);
  await until(() => one.state.offline && two.state.offline);
  await sleep(3000);
  await assert.rejects(read(one), { name: 'NetworkError' });
  assert.equal(one.state.loggedIn, true);
  const again = await start('restart', port, ...BRIEF);
  await until(() => !one.state.offline && !two.state.offline);
  assert.deepEqual(await Promise.all([read(one), read(two)]), [MESSAGE, MESSAGE]);
  await stop(again);
});

test('a session ends at its latest end', { skip }, async () => {
  // On a slow machine the end may come before a second token, which is tried again.
  let renewed = false;
  for (let tries = 1; tries <= 3 && !renewed; tries++) {
    const port = await freePort();
    const lictor = await start(`end-${tries}`, port, ...BRIEF, '--refresh-lifespan', '7s');
    const auth = new Browser(port).tab();
    await auth.register(ADA);
    const first = auth.state.claims;
    await until(() => !auth.state.loggedIn || auth.state.claims!.iat !== first?.iat);
    const answer = await read(auth).catch(() => null);
    if (answer !== null) assert.deepEqual(answer, MESSAGE);
    renewed = answer !== null && auth.state.loggedIn;
    await until(() => !auth.state.loggedIn);
    assert.equal(auth.state.reason, 'expired');
    await stop(lictor);
  }
  assert.ok(renewed, 'no second token');
});
