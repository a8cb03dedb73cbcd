// Owns the promise that there are words for everything, in both languages: for every name that
// the server gives an error or an event, and for every reason that it refuses a name or a
// password for. It reads the server's sources; it must not know how words are shown.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runnerImport } from 'vite';

const web = join(import.meta.dirname, '..');
const load = async file => (await runnerImport(join(web, 'src/i18n', file), { configFile: false, logLevel: 'error' })).module;
const server = path => readFileSync(join(web, '../src', path), 'utf8');
const all = (text, pattern) => [...text.matchAll(pattern)].map(([, found]) => found);

const { en } = await load('en.ts');
const { pt } = await load('pt.ts');
const { reasons } = await load('reasons.ts');

test('both languages have the same keys, and something to say for each', () => {
  assert.deepEqual(Object.keys(pt), Object.keys(en), 'in the same order');
  for (const words of [en, pt]) for (const [key, text] of Object.entries(words)) assert.ok(text.trim(), key);
});

test('what is filled in is the same in both languages', () => {
  const blanks = text => all(text, /\{(\w+)\}/g).sort();
  for (const key of Object.keys(en)) assert.deepEqual(blanks(pt[key]), blanks(en[key]), key);
});

test('every error of the server has words', () => {
  const names = all(server('error.rs'), /\(\d{3}, "(\w+)"\)/g);
  assert.ok(names.length > 30, `only ${names.length} names were found`);
  for (const name of names) assert.ok(`error.${name}` in en, name);
});

test('every event of the audit has words', () => {
  const names = all(server('store/audit.rs'), /\(Event::\w+, "([\w-]+)"\)/g);
  assert.ok(names.length > 25, `only ${names.length} events were found`);
  for (const name of names) assert.ok(`event.${name}` in en, name);
});

test('every reason against a name or a password has words, and no other has', () => {
  const files = ['values/username.rs', 'guard/password.rs', 'guard/password_rules.rs'];
  const rules = files.map(server).join('\n');
  const sentences = all(rules, /"((?:The username|The password|This password) [^"]+)"/g).filter(each => !each.includes('{what}'));
  assert.ok(sentences.length > 7, `only ${sentences.length} reasons were found`);
  for (const reason of sentences) {
    // A number may be one that is configured.
    assert.ok(reason in reasons || reason.replace(/\d+|\{\w*\}/, '{n}') in reasons, reason);
  }
  for (const what of all(rules, /\([^()]*(?:\([^()]*\))?, "(the [\w -]+)"\)/g)) {
    const reason = `The password is little more than ${what}`;
    assert.ok(reason in reasons, reason);
  }
  for (const key of Object.values(reasons)) assert.ok(key in en, key);
});

test('every key is used somewhere', () => {
  const source = readdirSync(join(web, 'src'), { recursive: true })
    .filter(file => /\.tsx?$/.test(file) && !/[/\\](en|pt)\.ts$/.test(file))
    .map(file => readFileSync(join(web, 'src', file), 'utf8'))
    .join('\n');
  // Keys that are put together: of these the first part must be there.
  const made = /^(error|event)\.|^mail\.(registration|reset)$|\.(one|other)$/;
  const unused = Object.keys(en).filter(key => !made.test(key) && !source.includes(`'${key}'`));
  assert.deepEqual(unused, []);
});
