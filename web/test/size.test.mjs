// Owns the limits on the size of the built app, compressed as the program has it: of all files, and of
// what the browser loads before the form of the login shows. It builds the app for that.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { build } from 'vite';

const MOST_IN_ALL = 90_000;
const MOST_BEFORE_LOGIN = 42_000;

const web = join(import.meta.dirname, '..');
const out = join(web, '../target/web-size');
const size = file => statSync(join(out, `${file}.gz`)).size;
const text = file => readFileSync(join(out, file), 'utf8');

let files;

before(async () => {
  await build({ root: web, configFile: join(web, 'vite.config.ts'), logLevel: 'error', build: { outDir: '../target/web-size', emptyOutDir: true } });
  files = readdirSync(out, { recursive: true }).filter(file => file.endsWith('.gz')).map(file => file.slice(0, -3));
});

test('the whole app', t => {
  const sum = files.reduce((before, file) => before + size(file), 0);
  t.diagnostic(`${sum} bytes in ${files.length} files`);
  assert.ok(files.length > 10 && sum <= MOST_IN_ALL, `${sum} bytes`);
});

test('what is loaded before the form of the login shows', t => {
  const languages = files.filter(file => /^assets\/(en|pt|pt-BR|de|es|fr)-/.test(file));
  assert.equal(languages.length, 6, 'each language is a file');
  const ofLanguage = languages.map(withImports).sort((one, other) => sum(other) - sum(one))[0];
  const named = [...text('index.html').matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map(([, file]) => file);
  const all = new Set(['index.html', ...named.flatMap(withImports), ...ofLanguage]);
  t.diagnostic(`${sum([...all])} bytes: ${[...all].map(file => `${file} ${size(file)}`).join(', ')}`);
  assert.ok(all.size >= 6 && sum([...all]) <= MOST_BEFORE_LOGIN, `${sum([...all])} bytes`);
  for (const file of all) assert.ok(!/admin|account|links|return/.test(file), `${file} is not needed`);
});

function sum(some) {
  return some.reduce((before, file) => before + size(file), 0);
}

// A file and all that it imports statically.
function withImports(file, ...seen) {
  if (!file.endsWith('.js')) return [file];
  const imported = [...text(file).matchAll(/(?:from|import)\s*"\.\/([^"]+)"/g)].map(([, name]) => `assets/${name}`);
  const fresh = imported.filter(each => !seen.includes(each) && each !== file);
  return [...new Set([file, ...fresh.flatMap(each => withImports(each, file, ...seen))])];
}
