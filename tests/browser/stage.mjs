// Owns the environment of a browser test: a private directory, running lictors, Chromium, a web server
// for a page. Every end of the test file stops and deletes all of it. Knows nothing of the tests.
//
// LICTOR_BIN names the program (default: the release build, else the debug build),
// CHROMIUM the browser (default: Debian's, best without windows: half the work). With LICTOR_TEST_DATABASE=postgres, the databases
// are on the PostgreSQL server of LICTOR_TEST_POSTGRES, a superuser's URL.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';

// For a machine that has much else to do.
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 60_000;
const BROWSER_LIMIT_MS = 180_000;

const BROWSERS = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'];

const dir = mkdtempSync(join(tmpdir(), 'lictor-browser-'));
const running = new Set();
const postgres = process.env.LICTOR_TEST_DATABASE === 'postgres' ? process.env.LICTOR_TEST_POSTGRES : undefined;
const databases = [];

process.on('exit', cleanUp);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

// Starts a web server that answers every request with one page; returns its origin.
export async function servePage(html) {
  const server = createServer((_, answer) => {
    answer.setHeader('Content-Type', 'text/html; charset=utf-8');
    answer.end(html);
  });
  const origin = `http://127.0.0.1:${await listen(server)}`;
  // The web server must not keep the process alive.
  server.unref();
  return origin;
}

// Starts a lictor with a database and a folder of mails of its own, called `name`. `stop` and `start`
// restart it at the same URL, which replaces `{url}` in the flags; `start` takes further flags.
export async function startLictor(name, ...words) {
  const lictor = await prepareLictor(name, ...words);
  await lictor.start();
  return lictor;
}

// The same, not started yet.
export async function prepareLictor(name, ...words) {
  const url = `http://127.0.0.1:${await freePort()}`;
  const database = emptyDatabase(name);
  const flags = ['--database', database, ...words.map(word => word.replace('{url}', url))];
  let child;
  return {
    url,
    database,
    mails: join(dir, `${name}-mails`),
    stop: () => stop(child),
    start: async (...more) => void (child = await launch(name, url, [...flags, ...more])),
    // What the running server has printed and logged.
    output: () => child.output(),
    // Runs a command on the database of the running server.
    run: (input, ...words) =>
      execFileSync(lictorBinary(), [...words, '--database', database], { ...environment(), input, encoding: 'utf8' }),
    // Runs one statement on the database of the running server, which is a file.
    sql: statement => execFileSync('python3', ['-c', RUN_SQL, database, statement], { stdio: ['ignore', 'ignore', 'inherit'] }),
  };
}

// With the time for which another writer may have the database.
const RUN_SQL = `import contextlib, sqlite3, sys
with contextlib.closing(sqlite3.connect(sys.argv[1], timeout=60)) as database, database:
    database.execute(sys.argv[2])`;

// The flags for `startLictor(name, ...mailTo(name))`, with which it writes its mails to files.
export function mailTo(name) {
  return ['--mail', `dir:${join(dir, `${name}-mails`)}`, '--mail-from', 'login@example.org'];
}

// Writes a file into the private directory; returns its path.
export function writeFile(name, text) {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

// Copies a folder into the private directory; returns its path.
export function copyFolder(name, folder) {
  const path = join(dir, name);
  cpSync(folder, path, { recursive: true });
  return path;
}

// Makes a database, or names a file; returns it as `--database` takes it.
function emptyDatabase(name) {
  if (!postgres) return join(dir, `${name}.db`);
  const database = `browser-${process.pid}-${name}`;
  databases.push(database);
  administer(`CREATE DATABASE "${database}"`);
  const url = new URL(postgres);
  url.pathname = `/${database}`;
  return url.href;
}

function administer(sql) {
  execFileSync('psql', ['-X', '-q', '-d', postgres, '-c', sql], { stdio: ['ignore', 'ignore', 'inherit'] });
}

async function launch(name, url, flags) {
  const child = spawn(lictorBinary(), ['serve', '--listen', new URL(url).host, ...flags], {
    ...environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk));
  const ended = new Promise(done => {
    child.on('error', error => done(String(error)));
    child.on('exit', (code, signal) => done(`exit ${code ?? signal}`));
  }).finally(() => running.delete(child));
  Object.assign(child, { ended, output: () => output });

  const giveUp = Date.now() + START_LIMIT_MS;
  while (!(await fetch(`${url}/api/`).then(answer => answer.ok, () => false))) {
    const state = await Promise.race([ended, sleep(50, 'starting')]);
    assert.ok(state === 'starting' && Date.now() < giveUp, `lictor (${name}) did not start: ${state}\n${output}`);
  }
  return child;
}

// Variables for all lictors that start from now on.
export const variables = {};

// A minimal environment, so that no setting of the developer counts.
function environment() {
  return { cwd: dir, env: { PATH: process.env.PATH, HOME: dir, ...variables } };
}

// Stops all lictors; each must end with exit code 0 after SIGTERM.
export async function stopLictors() {
  await Promise.all([...running].map(stop));
}

// Starts Chromium, which keeps all its files in our directory and requests nothing from the internet.
export function startChromium(...flags) {
  process.env.TMPDIR = dir;
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? BROWSERS.find(existsSync),
    timeout: BROWSER_LIMIT_MS,
    env: { ...process.env, HOME: dir, XDG_CONFIG_HOME: dir, XDG_CACHE_HOME: dir },
    args: ['--disable-gpu', '--disable-quic', ...flags],
  });
}

async function stop(child) {
  child.kill('SIGTERM');
  const how = await Promise.race([child.ended, sleep(STOP_LIMIT_MS, 'still running', { ref: false })]);
  child.kill('SIGKILL');
  assert.equal(how, 'exit 0', `lictor did not stop cleanly; its output:\n${child.output()}`);
}

function lictorBinary() {
  const target = join(import.meta.dirname, '../../target');
  const candidates = [join(target, 'release/lictor'), join(target, 'debug/lictor')];
  const binary = process.env.LICTOR_BIN ? resolve(process.env.LICTOR_BIN) : candidates.find(existsSync);
  assert.ok(binary && existsSync(binary), 'no lictor to test: build it (cargo build), or name it in LICTOR_BIN');
  return binary;
}

function cleanUp() {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
  for (const database of databases.splice(0)) administer(`DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`);
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
}

// Below the ports that the kernel gives to connections and to servers that ask for any port, so that none of
// them takes one before it is bound; and in another place for each process of the tests.
const PORTS = [11_000, 30_000];
let lastPort = PORTS[0] + (process.pid % 380) * 50;

// A port of 127.0.0.1 that nobody uses now.
export async function freePort() {
  for (;;) {
    lastPort = lastPort + 1 < PORTS[1] ? lastPort + 1 : PORTS[0];
    const port = lastPort;
    const holder = createServer();
    const isFree = await listen(holder, port).then(() => true, () => false);
    if (!isFree) continue;
    await new Promise(done => holder.close(done));
    return port;
  }
}

// Returns the port, at 127.0.0.1; by default any that is free.
export function listen(server, port = 0) {
  return new Promise((done, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', () => done(server.address().port));
  });
}
