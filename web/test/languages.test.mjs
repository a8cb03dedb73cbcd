// Owns the check of the words themselves: translated in every language, complete in the plural, and
// without a mixture of European and Brazilian Portuguese, or of two ways to address the reader; in the
// pages and in the mails.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runnerImport } from 'vite';

const web = join(import.meta.dirname, '..');
const load = async file => (await runnerImport(join(web, 'src/i18n', file), { configFile: false, logLevel: 'error' })).module;
const { en } = await load('en.ts');
const { languages: names } = await load('languages.ts');
const files = { 'pt-PT': 'pt', 'pt-BR': 'pt-BR' };
const translations = {};
for (const code of Object.keys(names).filter(code => code !== 'en')) {
  translations[code] = Object.values(await load(`${files[code] ?? code}.ts`))[0];
}

// The beginnings of words that must not occur in a language.
const words = (...list) => new RegExp(`(?<!\\p{L})(${list.join('|')})`, 'iu');
const foreign = {
  'pt-PT': words('senha', 'usuári', 'você', 'cadastr', 'arquivo', 'celular', 'aplicativo', 'ligação(?! ao)', 'sítio', 'banco de', 'tela ', 'login'),
  'pt-BR': words('palavra-passe', 'palavras-passe', 'utilizador', 'ficheiro', 'telemóvel', 'ligação', 'sítio', 'ecrã', 'registo', 'a carregar', 'base de dados'),
  de: words('du ', 'dich ', 'dir ', 'dein'),
  es: words('usted', 'vosotros', 'vuestr', 'su contraseña', 'su cuenta'),
  fr: words('tu ', 'ton ', 'ta ', 'tes ', 'toi '),
};

// What reads the same in English.
const same = /^(Code|Link|Backup|Name|Status|Invitations?|Sessions?|Administration|Audit|Message|Pages|Roles|optional|E-mails?|Port|Logo|Version|Navigation|[^\p{L}]*)$/iu;

test('nothing is left in English', () => {
  for (const [code, words] of Object.entries(translations)) {
    for (const [key, text] of Object.entries(words)) {
      const own = text.replace(/\{\w+\}/g, '').trim();
      assert.ok(text !== en[key] || same.test(own), `${code}: ${key}: ${text}`);
    }
  }
});

test('no language has words of another one', () => {
  for (const [code, words] of Object.entries(translations)) {
    for (const [key, text] of Object.entries(words)) assert.doesNotMatch(text, foreign[code], `${code}: ${key}`);
  }
});

test('nor has a mail', () => {
  const folder = join(web, '../src/mail/templates');
  const mails = readdirSync(folder);
  for (const [code, others] of Object.entries(foreign)) {
    const those = mails.filter(file => file.endsWith(`.${code}.txt`));
    assert.equal(those.length, mails.filter(file => file.endsWith('.en.txt')).length, code);
    for (const file of those) assert.doesNotMatch(readFileSync(join(folder, file), 'utf8'), others, file);
  }
});

test('whatever the number, there are words for it', () => {
  const counted = Object.keys(en).filter(key => key.endsWith('.one')).map(key => key.slice(0, -4));
  assert.ok(counted.length > 3, `${counted}`);
  for (const [code, words] of Object.entries({ en, ...translations })) {
    // i18n/index.tsx shows the words for one, or else those for others.
    const categories = new Intl.PluralRules(code).resolvedOptions().pluralCategories;
    for (const category of categories) assert.match(category, /^(one|many|other)$/, code);
    for (const key of counted) {
      for (const form of ['one', 'other']) {
        assert.ok(words[`${key}.${form}`]?.includes('{n}'), `${code}: ${key}.${form}`);
      }
    }
  }
});

test('French has a no-break space before tall punctuation, and the others none', () => {
  for (const [code, words] of Object.entries({ en, ...translations })) {
    for (const [key, text] of Object.entries(words)) {
      // Where a role is described, the colon is a character of its own.
      assert.doesNotMatch(text, / [?!;:»](?! -)/, `${code}: ${key}`);
      if (code !== 'fr') assert.doesNotMatch(text, /\u00a0/, `${code}: ${key}`);
    }
  }
});

test('where a date follows "until" or "since", it has its article', () => {
  // {when} is always a date, with or without a time; see i18n/index.tsx.
  for (const [code, article] of [['es', 'el '], ['fr', 'le ']]) {
    const texts = Object.entries(translations[code]).filter(([, text]) => /(desde|hasta|depuis|jusqu’à)[^.]*\{when\}/.test(text));
    assert.ok(texts.length > 0, code);
    for (const [key, text] of texts) assert.ok(text.includes(`${article}{when}`), `${code}: ${key}: ${text}`);
  }
});
