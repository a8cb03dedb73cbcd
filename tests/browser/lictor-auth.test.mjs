// Owns the test of the first page of web/src/auth/README.md: somebody who follows it from an empty folder
// has an app and is logged in. The commands are the README's, but with the versions that tests/package pins,
// with the package as it would be published, and on ports that are free. Needs `npm ci` in tests/package and web.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { BUILT, codeOf } from '../package/prepare.mjs';
import { button, PASSWORD, visit } from './app.mjs';
import { startChromium, startLictor, stopLictors } from './stage.mjs';

const PACKAGE = join(import.meta.dirname, '../package');
const API = 'http://localhost:5000';

let browser;
let pages;

before(async () => {
  execFileSync(process.execPath, [join(PACKAGE, 'prepare.mjs')], { stdio: 'inherit' });
  browser = await startChromium();
});

after(async () => {
  await browser?.close();
  await pages?.close();
  await stopLictors();
});

// What each command of the README does here.
const COMMANDS = {
  // Below tests/package, so that it finds the packages there.
  'npm create vite@latest my-app -- --template react-ts': readme => {
    const create = join(PACKAGE, 'node_modules/.bin/create-vite');
    execFileSync(create, ['my-app', '--template', 'react-ts', '--no-interactive'], { cwd: BUILT, stdio: 'pipe' });
    readme.app = join(BUILT, 'my-app');
  },
  'cd my-app': () => {},
  // prepare.mjs has installed it.
  'npm install lictor-auth': () => {},
  'lictor': async readme => {
    readme.lictor = await startLictor('readme');
  },
  'npm run dev': async readme => {
    writeFileSync(join(readme.app, 'src/App.tsx'), readme.code.replaceAll(API, readme.lictor.url));
    const vite = await import(pathToFileURL(createRequire(join(PACKAGE, 'package.json')).resolve('vite')));
    pages = await vite.createServer({ root: readme.app, logLevel: 'error', server: { host: '127.0.0.1', port: 0 } });
    await pages.listen();
    readme.url = `http://127.0.0.1:${pages.httpServer.address().port}/`;
  },
};

test('following the README from an empty folder, somebody is logged in', async t => {
  const [code] = codeOf('tsx');
  assert.equal(code.split(API).length, 2, 'the URL of lictor is in the app once');
  const readme = { code };
  for (const command of codeOf('sh').join('').trim().split('\n')) {
    assert.ok(Object.hasOwn(COMMANDS, command), `the README has a command that is not tested: ${command}`);
    await COMMANDS[command](readme);
  }
  // As `npm run build` of the template does.
  execFileSync(join(PACKAGE, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.app.json'], { cwd: readme.app, stdio: 'inherit' });

  const context = await visit(t, browser, { url: readme.url }, { expected: [/status of 401 /] });
  const page = await context.newPage();
  await page.goto('/');
  await enter(page, 'Log in', 'wrong');
  await page.getByText('The username and/or password are incorrect').waitFor();
  await enter(page, 'Register', PASSWORD);
  await button(page, 'Log out').waitFor();
  if (process.env.LICTOR_SCREENSHOTS) await page.screenshot({ path: join(process.env.LICTOR_SCREENSHOTS, 'readme.png') });

  const second = await context.newPage();
  await second.goto('/');
  await button(second, 'Log out').click();
  for (const each of [page, second]) await button(each, 'Log in').waitFor();
  assert.equal(await page.getByRole('alert').textContent(), '', 'the refusal before is not said any more');
  await fill(page, PASSWORD);
  await page.getByPlaceholder('Password').press('Enter');
  await button(page, 'Log out').waitFor();
  await page.reload();
  await button(page, 'Log out').waitFor();
});

async function enter(page, how, password) {
  await fill(page, password);
  await button(page, how).click();
}

async function fill(page, password) {
  await page.getByPlaceholder('Username').fill('ada');
  await page.getByPlaceholder('Password').fill(password);
}
