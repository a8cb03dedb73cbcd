// Owns the tests of the package as it is published: what is in it, what tools for packages say of it, what a
// bundler leaves out, and that it runs on a server. prepare.mjs has packed it.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { publint } from 'publint';
import { build } from 'vite';
import { BUILT, codeOf, INSTALLED, TARBALL } from './prepare.mjs';

const here = import.meta.dirname;
const root = join(here, '../..');
const MODULES = [
  'abort', 'auth', 'axios', 'claims', 'device', 'environment', 'errors', 'fetch', 'index', 'line', 'reach', 'react', 'schedule',
  'session', 'storage', 'turns', 'types', 'vault',
];
const MOST_CODE = 6_000;

const manifest = JSON.parse(readFileSync(join(INSTALLED, 'package.json'), 'utf8'));
const installed = file => readFileSync(join(INSTALLED, file), 'utf8');

test('the package has these files, and no others', () => {
  const files = readdirSync(INSTALLED, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(INSTALLED.length + 1));
  const modules = MODULES.flatMap(name => [`dist/${name}.js`, `dist/${name}.d.ts`]);
  assert.deepEqual(files.sort(), ['LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'package.json', ...modules].sort());
});

test('its licences, version and engines are those of the program and of its web app', () => {
  for (const name of ['LICENSE-APACHE', 'LICENSE-MIT']) assert.equal(installed(name), readFileSync(join(root, name), 'utf8'));
  const cargo = readFileSync(join(root, 'Cargo.toml'), 'utf8');
  assert.equal(manifest.version, /^version = "(.+)"$/m.exec(cargo)[1]);
  assert.equal(manifest.license, /^license = "(.+)"$/m.exec(cargo)[1]);
  const web = JSON.parse(readFileSync(join(root, 'web/package.json'), 'utf8'));
  assert.equal(web.dependencies[manifest.name], manifest.version);
  assert.deepEqual(manifest.engines, web.engines);
});

test('it depends on nothing, and imports React in one module alone', () => {
  for (const kind of ['dependencies', 'optionalDependencies', 'bundleDependencies']) assert.equal(manifest[kind], undefined);
  assert.deepEqual([manifest.peerDependencies, manifest.peerDependenciesMeta], [{ react: '>=18' }, { react: { optional: true } }]);
  for (const name of MODULES) {
    const imports = [...installed(`dist/${name}.js`).matchAll(/(?:from|import)\s*\(?["']([^"']+)["']/g)].map(([, from]) => from);
    const foreign = imports.filter(from => !/^\.\/[a-z]+\.js$/.test(from));
    assert.deepEqual(foreign, name === 'react' ? ['react'] : [], name);
  }
});

test('publint has nothing to say', async () => {
  const { messages } = await publint({ pkgDir: INSTALLED, level: 'suggestion', strict: true, pack: false });
  assert.deepEqual(messages, []);
});

test('the types are resolved by every kind of import', () => {
  const attw = join(here, 'node_modules/.bin/attw');
  const { status, stdout, stderr } = spawnSync(attw, [TARBALL, '--profile', 'esm-only', '--no-emoji', '--no-color'], { encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
  for (const entry of ['react', 'fetch', 'axios', 'storage']) assert.ok(stdout.includes(`lictor-auth/${entry}`), `${entry}: ${stdout}`);
});

// What a bundler makes of this code, without the code of other packages.
async function bundled(name, code) {
  const entry = join(BUILT, `${name}.js`);
  writeFileSync(entry, code);
  const { output } = await build({
    root: BUILT,
    configFile: false,
    logLevel: 'error',
    build: { write: false, rolldownOptions: { input: entry, external: ['react'], preserveEntrySignatures: 'strict' } },
  }).then(made => (Array.isArray(made) ? made[0] : made));
  return output.map(each => each.code).join('');
}

test('a bundler leaves out what an app does not use', async t => {
  const whole = await bundled('whole', "export { createAuth } from 'lictor-auth';");
  t.diagnostic(`createAuth: ${gzipSync(whole).length} bytes, compressed`);
  for (const text of ['/api/login', '/api/refresh', 'BroadcastChannel']) assert.ok(whole.includes(text), text);
  assert.ok(gzipSync(whole).length <= MOST_CODE);
  for (const [name, code, expected] of [
    ['error', "export { ApiError } from 'lictor-auth';", 'ApiError'],
    ['nothing', "import 'lictor-auth'; export const x = 'this';", 'this'],
    ['fetch', "export { authFetch } from 'lictor-auth/fetch';", 'Authorization'],
    ['axios', "export { connectAxios } from 'lictor-auth/axios';", 'Authorization'],
    ['storage', "export { safeStorage } from 'lictor-auth/storage';", 'Storage'],
    ['react', "export { useAuth } from 'lictor-auth/react';", 'useSyncExternalStore'],
  ]) {
    const some = await bundled(name, code);
    assert.ok(some.includes(expected), `${name}: ${some}`);
    for (const text of ['/api/login', '/api/refresh', 'BroadcastChannel']) assert.ok(!some.includes(text), `${name} has ${text}`);
  }
});

// Runs a module in a Node of its own, which must end by itself.
function run(name, code) {
  const file = join(BUILT, `${name}.mjs`);
  writeFileSync(file, code);
  return execFileSync(process.execPath, [file], { encoding: 'utf8', timeout: 180_000 });
}

test('on a server it is logged out, and keeps nothing running', () => {
  const printed = run('server', `
    import { createAuth } from 'lictor-auth';
    import { useAuth } from 'lictor-auth/react';
    import { createElement } from 'react';
    import { renderToString } from 'react-dom/server';
    const auth = createAuth();
    const Page = () => createElement('p', null, useAuth(auth).loggedIn ? 'in' : 'out');
    console.log(renderToString(createElement(Page)));
    console.log(await auth.token());
    console.log(await auth.fetch('/api/me').catch(error => error.message));
  `);
  assert.deepEqual(printed.trim().split('\n'), ['<p>out</p>', 'null', 'outside a browser, createAuth needs the URL of lictor: api']);
});

test('an app of 20 lines', () => {
  const [app, ...others] = codeOf('tsx');
  assert.deepEqual(others, []);
  const lines = app.split('\n').filter(line => line.trim() !== '');
  assert.ok(lines.length <= 20, `${lines.length} lines`);
  for (const line of lines) assert.ok(line.length <= 125, line);
  // Enter in a field presses the first button.
  assert.match(app, /by\(auth\.logIn\).+by\(auth\.register\)/s);
});
