// Owns the test of a move that nobody notices: somebody is logged in with the real flask-praetorian, and the
// same page goes on with lictor. Needs `npm ci` in the example's folder, and the virtual environment of
// tests/moving: LICTOR_MOVING_PYTHON names its Python (default: target/moving/bin/python).

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { anotherSecond, later, until } from './app.mjs';
import { build, enter, protectedMessage, servePages, visit } from './react-lan.mjs';
import { prepareLictor, startChromium, stopLictors, variables } from './stage.mjs';

const TESTS = join(import.meta.dirname, '../moving');
const PYTHON = process.env.LICTOR_MOVING_PYTHON ?? join(import.meta.dirname, '../../target/moving/bin/python');
const SECRET_KEY = 'the key of the Flask app, of more than 32 bytes';
// The lifespan of a token. It ends with the clock of the page.
const HOUR_MS = 3_600_000;
const MESSAGE = 'protected endpoint (allowed usr ada)';

const dir = mkdtempSync(join(tmpdir(), 'lictor-moving-'));
let browser;
let flask;

before(async () => {
  assert.ok(existsSync(PYTHON), `there is no ${PYTHON}: "tests/run moving" makes it`);
  browser = await startChromium();
});

after(async () => {
  await browser?.close();
  flask?.kill('SIGKILL');
  await stopLictors();
  rmSync(dir, { recursive: true, force: true });
});

test('who is logged in at Flask stays logged in at lictor, and the token is refreshed there', async t => {
  variables.SECRET_KEY = SECRET_KEY;
  const lictor = await prepareLictor('moved', '--adopt-tokens', '--access-lifespan', '1h', '--early-refresh', '2h');
  const source = lictor.database.startsWith('postgres') ? lictor.database : join(dir, 'flask.db');
  const pages = await servePages('127.0.0.1');
  pages.folder = build(lictor.url);
  await startFlask(new URL(lictor.url).port, source);

  const context = await browser.newContext();
  context.setDefaultTimeout(60_000);
  t.after(() => context.close());
  const complaints = [];
  context.on('console', message => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  const answers = [];
  context.on('response', answer => {
    if (answer.request().method() === 'POST') answers.push(`${new URL(answer.url()).pathname} ${answer.status()}`);
  });
  const page = await visit(context, pages.origin);
  await enter(page, 'Register');
  await page.getByRole('button', { name: 'Log out' }).waitFor();
  await page.getByRole('button', { name: 'Log out' }).click();
  await enter(page, 'Log in');
  assert.equal(await protectedMessage(page), MESSAGE);
  const token = await held(page);

  await stopFlask();
  const said = lictor.run('', 'import', source, '--create');
  assert.match(said, /1 .*imported/, said);
  await lictor.start();

  await page.reload();
  assert.equal(await protectedMessage(page), MESSAGE);
  assert.equal(await held(page), token, 'the token of Flask is still the one in use');
  const login = answers.filter(answer => answer.startsWith('/api/login')).length;
  // Flask's token, and then two of lictor's.
  for (let last = token, turn = 0; turn < 3; turn += 1) {
    await anotherSecond(last);
    await later(page, HOUR_MS - 40_000);
    await until(async () => (await held(page)) !== last, 'a refresh').catch(error => assert.fail(`${error}: ${answers.join(', ')}`));
    last = await held(page);
    assert.equal(await protectedMessage(page), MESSAGE);
  }
  assert.equal(answers.filter(answer => answer.startsWith('/api/login')).length, login, 'nobody logged in again');
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByText('You are logged out.').waitFor();
  await enter(page, 'Log in');
  assert.equal(await protectedMessage(page), MESSAGE);
  // Flask takes no refresh before the time and knows no logout, and for a moment nobody answered.
  for (const complaint of complaints) assert.match(complaint, /ERR_CONNECTION_(REFUSED|RESET)|ERR_EMPTY_RESPONSE|ERR_FAILED|status of (425|404)|has been blocked by CORS/);
});

// The token that the page has.
function held(page) {
  return page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }).match(/eyJ[\w.-]+/)?.[0]);
}

async function startFlask(port, source) {
  const uri = source.startsWith('postgres') ? source.replace(/^postgres(ql)?:/, 'postgresql+psycopg2:') : `sqlite:///${source}`;
  flask = spawn(PYTHON, ['-B', join(TESTS, 'tutorial.py'), port], {
    cwd: dir,
    env: { PATH: process.env.PATH, SECRET_KEY, DATABASE_URI: uri, JWT_ACCESS_LIFESPAN: '1h', JWT_REFRESH_LIFESPAN: '30d' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [flask.stdout, flask.stderr]) stream.on('data', chunk => (output += chunk));
  flask.ended = new Promise(done => flask.on('exit', done));
  const giveUp = Date.now() + 120_000;
  while (!(await fetch(`http://127.0.0.1:${port}/api/`).then(answer => answer.ok, () => false))) {
    assert.ok(flask.exitCode === null && Date.now() < giveUp, `Flask did not start:\n${output}`);
    await sleep(100);
  }
}

async function stopFlask() {
  flask.kill('SIGTERM');
  await flask.ended;
}
