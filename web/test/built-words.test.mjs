// Owns the check that the built app has the same keys and words as the sources, in the same order, though
// in another form (build/words.ts).

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runnerImport } from 'vite';

const web = join(import.meta.dirname, '..');
const folder = join(web, 'src/i18n');
const load = async file => (await runnerImport(file, { configFile: false, logLevel: 'error' })).module;
const plugin = (await load(join(web, 'build/words.ts'))).words();

// The module that the build makes of a file.
async function built(file) {
  const code = await plugin.load(file);
  return code && import(`data:text/javascript,${encodeURIComponent(code)}`);
}

test('the keys', async () => {
  const file = join(folder, 'keys.ts');
  const { keys } = await load(file);
  assert.deepEqual((await built(file)).keys, keys);
  assert.deepEqual(keys, Object.keys((await load(join(folder, 'en.ts'))).en));
});

test('the words of each language, and no other file', async () => {
  const changed = [];
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    const found = await built(file);
    if (!found || name === 'keys.ts') continue;
    changed.push(name);
    for (const [language, words] of Object.entries(await load(file))) assert.deepEqual(found[language], Object.values(words), name);
  }
  assert.deepEqual(changed.sort(), ['de.ts', 'en.ts', 'es.ts', 'fr.ts', 'pt-BR.ts', 'pt.ts']);
});
