// Owns the tests of two tabs of one app that each keep a copy of the token, as react-token-auth does:
// both stay logged in, although the copy of a tab may be several refreshes old.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { addUser, logInByApi, refused, visit } from './app.mjs';
import { startChromium, startLictor, stopLictors } from './stage.mjs';

const APP = join(import.meta.dirname, 'hash-router');
const ACCESS_MS = 2_000;
const SECRET = 'protected endpoint (allowed usr ada)';

let browser;

before(async () => {
  browser = await startChromium();
});

after(async () => {
  await browser?.close();
  await stopLictors();
});

test('a tab with an older copy of the token ended the session of all tabs', async t => {
  const { lictor, tabs } = await twoTabs(t, 'both', []);
  const [one, two] = tabs;
  assert.equal(await read(two), SECRET);
  await expire();
  assert.equal(await read(one), SECRET);
  assert.equal(await read(two), SECRET);
  assert.equal(alarms(lictor), 0);
});

test('with --refresh-reuse never an older copy ends the session', async t => {
  const { lictor, tabs } = await twoTabs(t, 'never', [refused(401), refused(403)], '--refresh-reuse', 'never');
  const [one, two] = tabs;
  assert.equal(await read(two), 'MissingToken');
  await expire();
  assert.equal(await read(one), 'MissingToken');
  assert.equal(alarms(lictor), 1);
});

test('an older copy in another browser ends the session as stolen', async t => {
  const { lictor, tabs, first } = await twoTabs(t, 'stolen', [refused(401), refused(403)]);
  const thief = await fetch(`${lictor.url}/api/refresh`, { method: 'POST', body: first });
  assert.equal(thief.status, 403);
  await expire();
  for (const tab of tabs) assert.equal(await read(tab), 'MissingToken');
  assert.equal(alarms(lictor), 1);
});

// Two tabs with a copy of the first token; then the first tab refreshes twice. The grace period of 30
// seconds is only for the token before the newest, so the test need not wait for its end.
async function twoTabs(t, name, expected, ...flags) {
  const lictor = await startLictor(name, '--web', APP, '--access-lifespan', `${ACCESS_MS / 1000}s`, ...flags);
  addUser(lictor, 'ada');
  const first = await logInByApi(lictor, 'ada');
  // Of a token that expires between its refresh and its use.
  const context = await visit(t, browser, lictor, { expected, possible: [refused(401)] });
  const tabs = [await context.newPage(), await context.newPage()];
  for (const tab of tabs) {
    await tab.goto('/#/secret');
    await tab.evaluate(token => keep(token), first);
  }
  await expire();
  assert.equal(await read(tabs[0]), SECRET);
  await expire();
  assert.equal(await read(tabs[0]), SECRET);
  await expire();
  return { lictor, tabs, first };
}

// A token is valid until the end of the second of its `exp`.
function expire() {
  return sleep(ACCESS_MS + 1_100);
}

// What the tab shows. On a slow machine a token can expire between its refresh and its use: then once more.
async function read(tab) {
  for (let tries = 1; ; tries += 1) {
    await tab.getByRole('button', { name: 'Read the secret' }).click();
    const shown = await tab.locator('#shown:not(:empty)').textContent();
    if (shown !== 'ExpiredAccessError' || tries === 10) return shown;
  }
}

function alarms(lictor) {
  return lictor.run('', 'audit', '--json').split('\n').filter(line => line.includes('refresh-replayed')).length;
}
