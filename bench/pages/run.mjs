// Owns the Lighthouse scores of the web app: login, register, account and users, as a phone and as a
// desktop. Prints a Markdown table. Speed is part of a score, so no test asserts it.
//
// Usage: (cd tests/browser && npm ci); cd bench/pages; npm ci; node run.mjs [PASSES]
// The median of PASSES (3) is printed. LICTOR_BIN and CHROMIUM as in tests/browser/stage.mjs.

import desktop from 'lighthouse/core/config/desktop-config.js';
import lighthouse from 'lighthouse';
import { addUser, logInByApi } from '../../tests/browser/app.mjs';
import { startChromium, startLictor, stopLictors } from '../../tests/browser/stage.mjs';

const USERS = 500;
const PORT = 9_341;
const CATEGORIES = ['performance', 'accessibility', 'best-practices', 'seo'];
const MEASURES = ['first-contentful-paint', 'largest-contentful-paint', 'total-blocking-time', 'cumulative-layout-shift'];
const PAGES = [
  ['login', '/login', false],
  ['register', '/register', false],
  ['account', '/account', true],
  ['users', '/admin', true],
];

const passes = Number(process.argv[2] ?? 3);
const lictor = await startLictor('pages', '--registration', 'open', '--throttle', 'off');
const people = Array.from({ length: USERS }, (_, n) => `${n + 1},person${n},person${n}@example.org,!\n`);
lictor.run(`id,username,email,password\n${people.join('')}`, 'import', '--format', 'csv', '-');
addUser(lictor, 'ada', '--role', 'admin', '--role', 'user');

const browser = await startChromium(`--remote-debugging-port=${PORT}`);
const rows = [];
for (const [name, path, loggedIn] of PAGES) {
  await remember(loggedIn ? await logInByApi(lictor, 'ada') : null);
  for (const [device, config] of [['phone', undefined], ['desktop', desktop]]) {
    const results = [];
    for (let pass = 0; pass < passes; pass++) results.push(await scores(path, config));
    rows.push([name, device, ...results[0].map((_, column) => median(results.map(result => result[column])))]);
  }
}
await browser.close();
await stopLictors();

console.log(`| page | device | ${[...CATEGORIES, 'first paint, ms', 'largest paint, ms', 'blocked, ms', 'layout shift'].join(' | ')} |`);
console.log(`|---|---|${'---:|'.repeat(CATEGORIES.length + MEASURES.length)}`);
for (const row of rows) console.log(`| ${row.join(' | ')} |`);

// Puts a session into the browser's storage, as web/src/auth keeps it, or removes it.
async function remember(token) {
  const page = await browser.contexts()[0]?.newPage() ?? await browser.newPage();
  await page.goto(`${lictor.url}/favicon.svg`);
  await page.evaluate(kept => (kept ? localStorage.setItem('lictor.auth', kept) : localStorage.clear()),
    token && JSON.stringify({ token, offset: 0 }));
  await page.close();
}

async function scores(path, config) {
  const flags = { port: PORT, onlyCategories: CATEGORIES, disableStorageReset: true, logLevel: 'error' };
  const { lhr } = await lighthouse(lictor.url + path, flags, config);
  if (process.env.EXPLAIN) {
    for (const audit of Object.values(lhr.audits)) if (audit.score !== null && audit.score < 1) console.error(path, audit.id, audit.score, audit.displayValue ?? '');
  }
  return [
    ...CATEGORIES.map(category => Math.round(lhr.categories[category].score * 100)),
    ...MEASURES.map(measure => Number(lhr.audits[measure].numericValue.toFixed(measure.endsWith('shift') ? 3 : 0))),
  ];
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}
