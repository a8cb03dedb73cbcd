// Owns the app in examples/react-lan: builds and serves it, and does in it what a person does. Needs `npm ci`
// in the example's folder. Knows nothing of the tests, and of the server that the app asks.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';

const EXAMPLE = join(import.meta.dirname, '../../examples/react-lan');
const PASSWORD = 'ten wooden lanterns by the ford';

const dir = mkdtempSync(join(tmpdir(), 'lictor-react-lan-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));

// Starts a web server; the caller sets its `folder`.
export async function servePages(host) {
  const pages = { folder: '', origin: '' };
  const files = createServer((request, answer) => {
    const path = join(pages.folder, request.url === '/' ? 'index.html' : request.url);
    if (!existsSync(path)) return answer.writeHead(404).end();
    answer.setHeader('Content-Type', extname(path) === '.js' ? 'text/javascript' : 'text/html');
    answer.end(readFileSync(path));
  });
  await new Promise(done => files.listen(0, '127.0.0.1', done));
  files.unref();
  pages.origin = `http://${host}:${files.address().port}`;
  return pages;
}

// lictor-auth, which the app imports. Nothing is written if it is built already, so another test may read it.
let built = false;
function buildPackage() {
  if (!built) execFileSync('npm', ['run', '--silent', 'auth'], { cwd: EXAMPLE, stdio: 'inherit' });
  built = true;
}

// Builds the app for the API at this URL; returns the folder. For another origin it is built once, with a URL
// that stands for the others.
let forOthers;
export function build(api) {
  if (api === '') return buildFor(api);
  forOthers ??= buildFor(OTHER);
  return withUrl(forOthers, api, mkdtempSync(join(dir, 'dist-')));
}

function buildFor(api) {
  buildPackage();
  const out = mkdtempSync(join(dir, 'dist-'));
  const env = { ...process.env, VITE_LICTOR: api };
  execFileSync(join(EXAMPLE, 'node_modules/.bin/vite'), ['build', '--logLevel', 'warn', '--outDir', out, '--emptyOutDir'], { cwd: EXAMPLE, env });
  return out;
}

// The URL of no API: the one for which a client is built before its API is known.
export const OTHER = 'http://lictor.invalid';

// Copies a build, with this URL in place of OTHER; returns the folder `out`.
export function withUrl(folder, url, out) {
  cpSync(folder, out, { recursive: true });
  const scripts = readdirSync(out, { recursive: true }).filter(file => file.endsWith('.js')).map(file => join(out, file));
  const named = scripts.filter(file => readFileSync(file, 'utf8').includes(OTHER));
  assert.ok(named.length > 0, `no script names ${OTHER}`);
  for (const file of named) writeFileSync(file, readFileSync(file, 'utf8').replaceAll(OTHER, url));
  return out;
}

export async function visit(context, url) {
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

export async function enter(page, how) {
  await page.getByLabel('Username').fill('ada');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: how }).click();
}

export async function protectedMessage(page) {
  await page.getByRole('button', { name: 'Read the protected message' }).click();
  return page.locator('output:not(:empty)').textContent();
}
