// Owns the tests of a brand in the web app: logo, colours in both schemes, footer links, icon, title. The
// folder is examples/brand. The real program, real Chromium.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { inspect, open } from './app.mjs';
import { startChromium, startLictor, stopLictors } from './stage.mjs';

const example = join(import.meta.dirname, '../../examples/brand');
const wide = mkdtempSync(join(tmpdir(), 'lictor-brand-'));

let browser, lantern, wordmark, plain;

before(async () => {
  cpSync(example, wide, { recursive: true });
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 30"><path d="M0 0h120v30H0z" fill="#9a3412"/></svg>';
  for (const name of ['logo.svg', 'logo-dark.svg']) writeFileSync(join(wide, name), svg);
  rmSync(join(wide, 'favicon.svg'));
  lantern = await startLictor('lantern', '--brand', example);
  wordmark = await startLictor('wordmark', '--brand', wide);
  plain = await startLictor('plain');
  browser = await startChromium();
});

after(async () => {
  await browser?.close();
  await stopLictors();
  rmSync(wide, { recursive: true, force: true });
});

// The looks of the page: what is shown of the brand, and the colours of text and buttons.
const looks = page =>
  page.evaluate(() => {
    const style = selector => getComputedStyle(document.querySelector(selector));
    const box = selector => {
      const { width, height } = document.querySelector(selector).getBoundingClientRect();
      return [Math.round(width), Math.round(height)];
    };
    return {
      mark: style('.brand .mark').display,
      logo: box('.brand .logo'),
      image: style('.brand .logo').backgroundImage,
      name: box('.brand .name'),
      button: style('.button.main').backgroundColor,
      words: style('.button.main').color,
      link: style('main a').color,
    };
  });

const rgb = hex => `rgb(${[1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16)).join(', ')})`;
const shown = page => page.getByRole('heading', { level: 1 }).waitFor();

test('logo and colours, in both schemes', async t => {
  const page = await open(t, browser, lantern, '/login', { colorScheme: 'light' });
  await shown(page);
  for (const [colorScheme, accent, file] of [['light', '#9a3412', 'logo.svg'], ['dark', '#fdba74', 'logo-dark.svg']]) {
    await page.emulateMedia({ colorScheme });
    const { mark, logo, image, button, link } = await looks(page);
    assert.deepEqual([mark, logo], ['none', [32, 32]], colorScheme);
    assert.deepEqual([button, link], [rgb(accent), rgb(accent)], colorScheme);
    const [, url] = /url\("([^"]+)"\)/.exec(image);
    assert.equal(new URL(url).pathname, `/brand/${file}`);
    assert.equal(await (await fetch(url)).text(), readFileSync(join(example, file), 'utf8'));
    // As the page loads it: an image that is broken has no width.
    const width = await page.evaluate(async src => {
      const loaded = Object.assign(new Image(), { src });
      await loaded.decode();
      return loaded.naturalWidth;
    }, url);
    assert.ok(width > 0, colorScheme);
  }
  assert.equal(await page.getByRole('banner').getByRole('link', { name: 'Lantern', exact: true }).getAttribute('href'), '/');
  assert.ok((await page.title()).endsWith('Lantern'));
  await inspect(page, 'the login page with a brand');
});

test('nothing flashes or moves', async t => {
  const page = await open(t, browser, lantern, '/login');
  await shown(page);
  await page.waitForLoadState('networkidle');
  const found = await page.evaluate(async () => {
    const [sheet] = performance.getEntriesByType('resource').filter(each => new URL(each.name).pathname === '/brand.css');
    const shifts = await new Promise(done => {
      new PerformanceObserver(list => done(list.getEntries().map(each => each.value)))
        .observe({ type: 'layout-shift', buffered: true });
      setTimeout(() => done([]), 500);
    });
    return { blocking: sheet?.renderBlockingStatus, shifts };
  });
  assert.deepEqual(found, { blocking: 'blocking', shifts: [] });
});

for (const [locale, imprint, privacy] of [['en-GB', 'Legal notice', 'Privacy'], ['pt-PT', 'Informação legal', 'Privacidade']]) {
  test(`the links of the footer, in ${locale}`, async t => {
    const page = await open(t, browser, lantern, '/login', { locale });
    await shown(page);
    const footer = page.getByRole('contentinfo');
    for (const [name, path] of [[imprint, 'imprint'], [privacy, 'privacy']]) {
      const link = footer.getByRole('link', { name, exact: true });
      assert.equal(await link.getAttribute('href'), `https://lantern.example/${path}`);
      assert.ok((await link.boundingBox()).height >= 44, name);
    }
  });
}

test('a wide logo has the name in it, and is the icon if there is no other', async t => {
  const page = await open(t, browser, wordmark, '/login');
  await shown(page);
  const { logo, name } = await looks(page);
  assert.deepEqual([logo, name], [[128, 32], [1, 1]]);
  await page.getByRole('banner').getByRole('link', { name: 'Lantern', exact: true }).waitFor();
  await inspect(page, 'the login page with a wide logo');
  assert.equal(await icon(page), readFileSync(join(wide, 'logo.svg'), 'utf8'));
});

test('the icon', async t => {
  const page = await open(t, browser, lantern, '/login');
  assert.equal(await icon(page), readFileSync(join(example, 'favicon.svg'), 'utf8'));
});

// What the browser loads as the icon.
async function icon(page) {
  const url = await page.evaluate(() => document.querySelector('link[rel=icon]').href);
  const answer = await fetch(url);
  assert.equal(answer.headers.get('content-type'), 'image/svg+xml');
  return answer.text();
}

test('a logo that is opened by itself runs no script', async t => {
  const page = await open(t, browser, lantern, '/brand/logo.svg');
  assert.equal(await page.evaluate(() => document.documentElement.localName), 'svg');
  const policy = (await page.reload()).headers()['content-security-policy'];
  assert.match(policy, /default-src 'none';.* sandbox;/);
});

test('without a brand', async t => {
  const page = await open(t, browser, plain, '/login', { colorScheme: 'light' });
  await shown(page);
  const { mark, logo, button } = await looks(page);
  assert.notEqual(mark, 'none');
  assert.deepEqual([logo, button], [[0, 0], rgb('#2f4fa8')]);
  assert.equal(await page.getByRole('contentinfo').getByRole('link').count(), 0);
  assert.match(await icon(page), /#2f4fa8/);
});
