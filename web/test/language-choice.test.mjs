// Owns the tests of the choice of the language, by the tags of the browser and by what was stored.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { runnerImport } from 'vite';

const file = join(import.meta.dirname, '../src/i18n/languages.ts');
const { bestOf, languageOf, languages } = (await runnerImport(file, { configFile: false, logLevel: 'error' })).module;

test('the first language of the browser that is here, or English', () => {
  for (const [tags, expected] of [
    [[], 'en'],
    [['en-GB'], 'en'],
    [['pt-PT'], 'pt-PT'],
    [['pt-BR', 'pt', 'en'], 'pt-BR'],
    [['pt'], 'pt-PT'],
    [['pt-AO'], 'pt-PT'],
    [['pt-MZ'], 'pt-PT'],
    [['PT-br'], 'pt-BR'],
    [['pt-Latn-BR'], 'pt-BR'],
    [['de-AT'], 'de'],
    [['es-419'], 'es'],
    [['fr-CA', 'en'], 'fr'],
    [['zh-CN', 'nl', 'es'], 'es'],
    [['zh-CN', 'ja'], 'en'],
    [['english'], 'en'],
    [['', 'toString', 'constructor', 'fr'], 'fr'],
  ]) {
    assert.equal(bestOf(tags), expected, tags.join());
  }
});

test('a stored choice, and that of before there were two Portuguese', () => {
  for (const code of Object.keys(languages)) assert.equal(languageOf(code), code);
  assert.equal(languageOf('pt'), 'pt-PT');
  assert.equal(languageOf('nonsense'), undefined);
});
