// Owns the tests of the estimate of how hard a password is to guess.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { runnerImport } from 'vite';

const file = join(import.meta.dirname, '../src/strength.ts');
const { strengthOf } = (await runnerImport(file, { configFile: false, logLevel: 'error' })).module;

const known = [
  { word: 'Ada', reason: 'reason.passwordName' },
  { word: 'a.lovelace@mail.example', reason: 'reason.passwordEmail' },
  { word: 'a.lovelace', reason: 'reason.passwordEmail' },
  { word: 'lictor', reason: 'reason.passwordProgram' },
  { word: '', reason: 'reason.passwordService' },
];

const check = (level, ...passwords) =>
  test(level, () => {
    for (const password of passwords) assert.equal(strengthOf(password, 8, known).level, level, password);
  });

// What the server refuses, as far as it can be known.
check('refused', '', 'short', 'ada12345', 'ADA-1843', 'ecalevol.a', 'a.lovelace@mail.example', '1lictor2', 'a\u0301a\u0301a\u0301a\u0301a\u0301a\u0301a\u0301');
check('weak', 'password', 'P4$$w0rd', 'Password2024!', 'qwertyuiop', 'poiuytrewq', '12345678', 'abcdefgh1', 'aaaaaaaaaaaa',
  'abcabcabcabc', 'Summer2024', 'iloveyou1', 'lovelace1815', 'benfica1904', 'senha1234', 'Passwort1!');
check('fair', 'copper kettle', 'wooden-lantern', 'Kupferkessel 12');
check('good', 'ten wooden lanterns by the ford', 'correct horse battery staple', 'x7Kp-2vQ9-mWd4', 'qT8vLz3mXp1k', 'três barcos de papel azul',
  '\u043d\u0435\u0431\u043e \u043d\u0430\u0434 \u0440\u0435\u043a\u043e\u0439 \u0441\u0432\u0435\u0442\u043b\u043e');

test('the reason names what the password is little more than', () => {
  const key = password => strengthOf(password, 8, known).key;
  assert.equal(key('short'), 'strength.short');
  assert.equal(key('ada12345'), 'reason.passwordName');
  assert.equal(key('a.lovelace99'), 'reason.passwordEmail');
  assert.equal(key('lictor-123'), 'reason.passwordProgram');
});

test('a long text is estimated', () => {
  assert.ok(strengthOf('aB3$ '.repeat(50_000), 8, known));
});
