// Owns the check that all languages have words for every error and event of the server, and for every
// reason for which it refuses a username or a password. It reads the server's sources and knows nothing
// of how words are shown.

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
const languages = { en, pt: (await load('pt.ts')).pt, 'pt-BR': (await load('pt-BR.ts')).ptBR };
for (const code of ['de', 'es', 'fr']) languages[code] = (await load(`${code}.ts`))[code];
const { reasons } = await load('reasons.ts');

test('all languages have the same keys, and words for each', () => {
  for (const [language, words] of Object.entries(languages)) {
    assert.deepEqual(Object.keys(words), Object.keys(en), `${language}: in the same order`);
    for (const [key, text] of Object.entries(words)) assert.ok(text.trim(), `${language}: ${key}`);
  }
});

test('all languages have the same placeholders', () => {
  const placeholders = text => all(text, /\{(\w+)\}/g).sort();
  for (const [language, words] of Object.entries(languages)) {
    for (const key of Object.keys(en)) assert.deepEqual(placeholders(words[key]), placeholders(en[key]), `${language}: ${key}`);
  }
});

test('every error of the server has words', () => {
  const names = all(server('error.rs'), /\(\d{3}, "(\w+)"\)/g);
  assert.ok(names.length > 30, `only ${names.length} names were found`);
  for (const name of names) assert.ok(`error.${name}` in en, name);
});

test('every event of the audit has words', () => {
  const names = all(server('store/entry.rs'), /Event::\w+ => "([\w-]+)"/g);
  assert.ok(names.length > 25, `only ${names.length} events were found`);
  for (const name of names) assert.ok(`event.${name}` in en, name);
});

test('every kind of mail has words', () => {
  const names = all(server('store/mail_kind.rs'), /MailKind::\w+ => "([\w-]+)"/g);
  assert.ok(names.length > 10, `only ${names.length} kinds were found`);
  for (const name of names) assert.ok(`mails.kind.${name}` in en, name);
});

test('every reason against a username or a password has words, and no other reason', () => {
  const files = readdirSync(join(web, '../src/guard')).filter(file => /^password.*\.rs$/.test(file));
  const rules = [...files.map(file => `guard/${file}`), 'values/username.rs'].map(server).join('\n');
  const sentences = all(rules, /"((?:The username|The password|This password) [^"]+)"/g).filter(each => !each.includes('{what}'));
  assert.ok(sentences.length > 7, `only ${sentences.length} reasons were found`);
  for (const reason of sentences) {
    // The number may be configurable.
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
    .filter(file => /\.tsx?$/.test(file) && !/[/\\](en|pt|pt-BR|de|es|fr)\.ts$/.test(file))
    .map(file => readFileSync(join(web, 'src', file), 'utf8'))
    .join('\n');
  // Keys that the code puts together from parts.
  const made = /^(error|event|mails\.kind|setup\.(who|backup|mail))\.|^mail\.(registration|reset)$|\.(one|other)$/;
  const unused = Object.keys(en).filter(key => !made.test(key) && !source.includes(`'${key}'`) && !source.includes(`"${key}"`));
  assert.deepEqual(unused, []);
});
