// Owns making what the tests here look at: the package as `npm publish` would send it, unpacked where
// `lictor-auth` is resolved; the types of the API's document; and the code of the package's README.
// Needs `npm ci` here and in web.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const here = import.meta.dirname;
const web = join(here, '../../web');
const SOURCE = join(web, 'src/auth');
export const BUILT = join(here, 'built');
export const TARBALL = join(BUILT, 'package.tgz');
export const INSTALLED = join(here, 'node_modules/lictor-auth');

// From a copy, because packing deletes `dist`, which other tests read meanwhile.
function pack() {
  const copy = mkdtempSync(join(tmpdir(), 'lictor-auth-pack-'));
  try {
    const wanted = path => !/\/(dist|tests|node_modules)$/.test(path);
    cpSync(SOURCE, copy, { recursive: true, filter: wanted });
    symlinkSync(join(web, 'node_modules'), join(copy, 'node_modules'));
    const printed = execFileSync('npm', ['pack', '--json', '--silent'], { cwd: copy, encoding: 'utf8' });
    // Older versions of npm print a list, newer ones an object by the names of the packages.
    const [{ filename }] = Object.values(JSON.parse(printed.slice(printed.search(/^[[{]/m))));
    cpSync(join(copy, filename), TARBALL);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function unpack() {
  rmSync(INSTALLED, { recursive: true, force: true });
  mkdirSync(INSTALLED, { recursive: true });
  execFileSync('tar', ['-xzf', TARBALL, '-C', INSTALLED, '--strip-components=1']);
}

// The blocks of code in the README, in this language.
export function codeOf(language) {
  const readme = readFileSync(join(SOURCE, 'README.md'), 'utf8');
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map(([, code]) => code);
}

function prepare() {
  rmSync(BUILT, { recursive: true, force: true });
  mkdirSync(BUILT);
  pack();
  unpack();
  const types = join(BUILT, 'openapi.d.ts');
  execFileSync(join(here, 'node_modules/.bin/openapi-typescript'), [join(here, '../../docs/openapi.json'), '-o', types], { stdio: 'pipe' });
  for (const language of ['ts', 'tsx']) {
    codeOf(language).forEach((code, n) => writeFileSync(join(BUILT, `readme-${language}-${n}.${language}`), `${code}\nexport {};\n`));
  }
}

if (process.argv[1] === import.meta.filename) prepare();
