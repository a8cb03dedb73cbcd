// Owns what a browser test stands on: a private directory, running lictors, Chromium, a
// web server for a page. All of it is gone when the test file ends, however it ends. It must
// not know what is tested.
//
// LICTOR_BIN names the program (default: the release build, else the debug build),
// CHROMIUM the browser (default: /usr/bin/chromium).

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';

const START_LIMIT_MS = 10_000;
const STOP_LIMIT_MS = 15_000;

const dir = mkdtempSync(join(tmpdir(), 'lictor-browser-'));
const running = new Set();

process.on('exit', leaveNothing);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

// Answers every request with one page, and says from which origin.
export async function servePage(html) {
  const server = createServer((_, answer) => {
    answer.setHeader('Content-Type', 'text/html; charset=utf-8');
    answer.end(html);
  });
  const origin = `http://127.0.0.1:${await listen(server)}`;
  // It must not keep the test run alive.
  server.unref();
  return origin;
}

// What runs has a database and a folder of mails of its own, under its name. `stop` and `start`
// take it away and bring it back at the same address, which is `{url}` in the flags.
export async function startLictor(name, ...words) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const database = join(dir, `${name}.db`);
  const flags = words.map(word => word.replace('{url}', url));
  let child = await launch(name, url, ['--database', database, ...flags]);
  return {
    url,
    mails: join(dir, `${name}-mails`),
    stop: () => stop(child),
    start: async () => void (child = await launch(name, url, ['--database', database, ...flags])),
    // The command line, beside the running server.
    run: (input, ...words) =>
      execFileSync(lictorBinary(), [...words, '--database', database], { ...surroundings(), input, encoding: 'utf8' }),
  };
}

// Where `startLictor(name, ...mailTo(name))` puts its mails, a file each.
export function mailTo(name) {
  return ['--mail', `dir:${join(dir, `${name}-mails`)}`, '--mail-from', 'login@example.org'];
}

async function launch(name, url, flags) {
  const child = spawn(lictorBinary(), ['serve', '--listen', new URL(url).host, ...flags], {
    ...surroundings(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (said += chunk));
  const ended = new Promise(done => {
    child.on('error', error => done(String(error)));
    child.on('exit', (code, signal) => done(`exit ${code ?? signal}`));
  }).finally(() => running.delete(child));
  Object.assign(child, { ended, said: () => said });

  const giveUp = Date.now() + START_LIMIT_MS;
  while (!(await fetch(`${url}/api/`).then(answer => answer.ok, () => false))) {
    const state = await Promise.race([ended, sleep(50, 'starting')]);
    assert.ok(state === 'starting' && Date.now() < giveUp, `lictor (${name}) did not start: ${state}\n${said}`);
  }
  return child;
}

// The environment is a bare one, so that no setting of the person at the keyboard counts.
function surroundings() {
  return { cwd: dir, env: { PATH: process.env.PATH, HOME: dir } };
}

// Each lictor must end by itself, with exit code 0, when it is asked to.
export async function stopLictors() {
  await Promise.all([...running].map(stop));
}

// Chromium keeps all its files in our directory, and asks nothing of the outside world.
export function startChromium(...flags) {
  process.env.TMPDIR = dir;
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    env: { ...process.env, HOME: dir, XDG_CONFIG_HOME: dir, XDG_CACHE_HOME: dir },
    args: ['--disable-gpu', '--disable-quic', ...flags],
  });
}

async function stop(child) {
  child.kill('SIGTERM');
  const how = await Promise.race([child.ended, sleep(STOP_LIMIT_MS, 'still running', { ref: false })]);
  child.kill('SIGKILL');
  assert.equal(how, 'exit 0', `lictor was asked to stop; it said:\n${child.said()}`);
}

function lictorBinary() {
  const target = join(import.meta.dirname, '../../target');
  const candidates = [join(target, 'release/lictor'), join(target, 'debug/lictor')];
  const binary = process.env.LICTOR_BIN ? resolve(process.env.LICTOR_BIN) : candidates.find(existsSync);
  assert.ok(binary && existsSync(binary), 'no lictor to test: build it (cargo build), or name it in LICTOR_BIN');
  return binary;
}

function leaveNothing() {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
}

async function freePort() {
  const holder = createServer();
  const port = await listen(holder);
  await new Promise(done => holder.close(done));
  return port;
}

function listen(server) {
  return new Promise((done, failed) => {
    server.once('error', failed);
    server.listen(0, '127.0.0.1', () => done(server.address().port));
  });
}
