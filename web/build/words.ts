// Owns the form that the words have in the built app. Each language becomes a list of its words, in the
// order of the keys in en.ts, and the keys become one list for all languages: the keys would be a third
// of each language's file. The development server and the tests use the objects as they are written.

import { basename, dirname, join } from 'node:path';
import { runnerImport, type Plugin } from 'vite';

// Named by their tags, such as en.ts and pt-BR.ts.
const LANGUAGE = /\/src\/i18n\/[a-z]{2}(-[A-Z]{2})?\.ts$/;
const KEYS = /\/src\/i18n\/keys\.ts$/;

// Between two words, and between two lines of keys. No word has a line break.
const SEPARATOR = '\n';

export function words(): Plugin {
  return {
    name: 'words',
    apply: 'build',
    enforce: 'pre',
    async load(id) {
      if (!LANGUAGE.test(id) && !KEYS.test(id)) return undefined;
      const keys = Object.keys((await language(join(dirname(id), 'en.ts'))).words);
      if (KEYS.test(id)) return `export const keys = ${keyList(keys)};`;
      const { name, words } = await language(id);
      if (Object.keys(words).join() !== keys.join()) throw new Error(`words: ${basename(id)} must have the keys of en.ts in the same order`);
      return `export const ${name} = ${list(Object.values(words))};`;
    },
  };
}

// The only export of a language's file.
async function language(file: string): Promise<{ name: string; words: Record<string, string> }> {
  const { module } = await runnerImport<Record<string, Record<string, string>>>(file, { configFile: false, logLevel: 'error' });
  const [found, ...others] = Object.entries(module);
  if (!found || others.length > 0) throw new Error(`words: ${basename(file)} must export one object`);
  return { name: found[0], words: found[1] };
}

// An expression for a list of texts.
function list(texts: string[]): string {
  const broken = texts.find(text => text.includes(SEPARATOR));
  if (broken !== undefined) throw new Error(`words: a line break in ${JSON.stringify(broken)}`);
  return `${JSON.stringify(texts.join(SEPARATOR))}.split(${JSON.stringify(SEPARATOR)})`;
}

// An expression for the list of the keys. Neighbours with the same beginning share it: a line is the
// beginning and the ends, with spaces between them.
function keyList(keys: string[]): string {
  const lines: string[] = [];
  let last = '';
  for (const key of keys) {
    const dot = key.lastIndexOf('.');
    const [beginning, end] = [key.slice(0, dot), key.slice(dot + 1)];
    if (dot < 1 || key.includes(' ')) throw new Error(`words: the key ${JSON.stringify(key)} is not like group.name`);
    if (beginning === last) lines.push(`${lines.pop()} ${end}`);
    else lines.push(`${beginning} ${end}`);
    last = beginning;
  }
  return `${list(lines)}.flatMap(line => {
    const [beginning, ...ends] = line.split(' ');
    return ends.map(end => beginning + '.' + end);
  })`;
}
