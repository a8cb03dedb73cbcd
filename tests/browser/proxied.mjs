// Owns three apps behind Caddy with the file in examples/forward-auth: login.example.org, wiki.example.org,
// cal.example.org and home.example.org/files/. Each app is a page that shows as whom it knows its visitor.
// Chromium takes the names to this machine. Every end of the test file stops all of it. Knows nothing of the
// tests.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { freePort, startChromium, startLictor } from './stage.mjs';

export const LOGIN = 'https://login.example.org';
export const WIKI = 'https://wiki.example.org';
export const CAL = 'https://cal.example.org';
export const HOME = 'https://home.example.org';

const START_LIMIT_MS = 60_000;
const EXAMPLES = join(import.meta.dirname, '../../examples/forward-auth');

// Starts lictor, the apps, Caddy and Chromium. `lictor` is the server itself, `site` the same by its public
// name; `seen` has every request to an app.
export async function startSite(...flags) {
  const access = join(EXAMPLES, 'access');
  const settings = ['--public-url', LOGIN, '--cookie-domain', 'example.org', '--access', access, '--trusted-proxy', '127.0.0.1'];
  const lictor = await startLictor('proxied', ...settings, ...flags);
  const seen = [];
  const app = await startApp(seen);
  const ports = { 5000: new URL(lictor.url).port, 8001: app, 8002: app, 8003: app };
  const port = await startCaddy(ports);
  const browser = await startChromium(`--host-resolver-rules=MAP *.example.org 127.0.0.1:${port}`);
  return { browser, lictor, seen, site: { ...lictor, url: LOGIN } };
}

// The page of an app: a heading with the user, and forms that send to it and to the wiki.
const page = (user, method) => `<!doctype html><html lang="en"><title>App</title><h1>${method} by ${user}</h1>
  <form method="post" action="/saved"><button>Save here</button></form>
  <form method="post" action="${WIKI}/saved"><button>Save in the wiki</button></form>`;

async function startApp(seen) {
  const server = createServer((request, answer) => {
    seen.push({ method: request.method, headers: request.headers });
    answer.setHeader('Content-Type', 'text/html; charset=utf-8');
    answer.end(page(request.headers['remote-user'] || 'nobody', request.method));
  });
  await new Promise(done => server.listen(0, '127.0.0.1', done));
  server.unref();
  return server.address().port;
}

async function startCaddy(ports) {
  const dir = mkdtempSync(join(tmpdir(), 'lictor-caddy-'));
  const [https, http] = [await freePort(), await freePort()];
  let file = readFileSync(join(EXAMPLES, 'Caddyfile'), 'utf8');
  for (const [there, here] of Object.entries(ports)) file = file.replaceAll(`127.0.0.1:${there}`, `127.0.0.1:${here}`);
  // With certificates of an authority of its own.
  const options = ['admin off', `https_port ${https}`, `http_port ${http}`, 'default_bind 127.0.0.1', 'local_certs', 'skip_install_trust'];
  writeFileSync(join(dir, 'Caddyfile'), `{\n${options.join('\n')}\n}\n${file}`);
  const child = spawn('caddy', ['run', '--adapter', 'caddyfile', '--config', 'Caddyfile'], {
    cwd: dir,
    env: { PATH: process.env.PATH, HOME: dir },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr.on('data', chunk => (output += chunk));
  child.unref();
  child.stderr.unref();
  process.on('exit', () => {
    child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  });
  const giveUp = Date.now() + START_LIMIT_MS;
  for (const { hostname } of [LOGIN, WIKI, CAL, HOME].map(each => new URL(each))) {
    while (!(await answers(https, hostname))) {
      assert.ok(Date.now() < giveUp, `caddy did not start:\n${output}`);
      await sleep(50);
    }
  }
  return https;
}

// Whether it has a certificate for the name: it makes them after it has begun to listen.
function answers(port, servername) {
  return new Promise(done => {
    const socket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false }, () => {
      done(true);
      socket.destroy();
    });
    socket.setTimeout(10_000, () => socket.destroy());
    socket.on('error', () => done(false)).on('close', () => done(false));
  });
}
