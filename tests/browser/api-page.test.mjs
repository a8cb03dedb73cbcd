// Owns the tests of docs/api.html as people see it: it fits narrow windows, requests nothing, can be read in
// both colour schemes, and prints without its menu. No server: the page is opened as a file.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { fits } from './app.mjs';
import { startChromium } from './stage.mjs';

const URL_OF_PAGE = pathToFileURL(join(import.meta.dirname, '../../docs/api.html')).href;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
// Every kind of element of the page is in one of these; to look at all colours of 12,000 elements takes minutes.
const PARTS = ['header', 'nav', 'details', '[aria-labelledby="login"]', '[aria-labelledby="adminListUsers"]', '[aria-labelledby="errors"]'];

let browser;
before(async () => (browser = await startChromium()));
after(() => browser?.close());

async function opened(t, options) {
  const context = await browser.newContext(options);
  t.after(() => context.close());
  const page = await context.newPage();
  const requests = [];
  page.on('request', request => requests.push(request.url()));
  await page.goto(URL_OF_PAGE);
  return { page, requests };
}

async function violations(page, rules) {
  const cdp = await page.context().newCDPSession(page);
  // By the DevTools protocol, because the CSP of the page blocks scripts.
  await cdp.send('Runtime.evaluate', { expression: axe });
  const expression = `axe.run(${rules}).then(({ violations, passes }) => ({
    wrong: violations.map(({ id, nodes }) => id + ': ' + nodes.map(node => node.html).slice(0, 3).join(' | ')),
    right: passes.length }))`;
  const { result, exceptionDetails } = await cdp.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
  assert.equal(exceptionDetails, undefined, 'axe-core ran');
  assert.ok(result.value.right > 0, 'axe-core found something to look at');
  return result.value.wrong;
}

test('it requests nothing, and fits every window', async t => {
  const { page, requests } = await opened(t, { viewport: { width: 1280, height: 800 } });
  await fits(page, 'docs/api.html');
  assert.deepEqual(requests, [URL_OF_PAGE]);
});

test('its structure is one that a screen reader can follow', async t => {
  const { page } = await opened(t, { viewport: { width: 1280, height: 800 } });
  assert.deepEqual(await violations(page, "document, { rules: { 'color-contrast': { enabled: false } } }"), []);
});

// The colours do not depend on the width.
for (const [colorScheme, width] of [['light', 1280], ['dark', 320]]) {
  test(`its colours can be read: ${colorScheme}, ${width} px`, async t => {
    const { page } = await opened(t, { viewport: { width, height: 800 }, colorScheme });
    const rules = `{ include: ${JSON.stringify(PARTS.map(part => [part]))} }, { runOnly: ['color-contrast'] }`;
    assert.deepEqual(await violations(page, rules), []);
  });
}

test('printed, it has no menu, and what is closed on the screen is open', async t => {
  const { page } = await opened(t, { viewport: { width: 1280, height: 800 } });
  const inside = page.locator('#login ~ details dl').first();
  assert.equal(await inside.isVisible(), false);
  await page.emulateMedia({ media: 'print' });
  assert.equal(await inside.isVisible(), true);
  assert.equal(await page.locator('nav.wide').isVisible(), false);
});
