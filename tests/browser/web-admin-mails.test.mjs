// Owns the tests of the mails that wait or were given up: they are told in words, tried again and dropped.
// A small mail server refuses some for now and some for good. The real program, real Chromium.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { addUser, ask, button, inspect, isFocused, logInByApi, open, refused } from './app.mjs';
import { listen, startChromium, startLictor, stopLictors } from './stage.mjs';

const LIMIT_MS = 60_000;

let browser, lictor, token, mailServer;

before(async () => {
  mailServer = createServer(talk);
  const port = await listen(mailServer);
  lictor = await startLictor(
    'mails', '--throttle', 'off', '--public-url', '{url}', '--mail', `smtp://127.0.0.1:${port}`, '--mail-from', 'login@example.org',
  );
  browser = await startChromium();
  addUser(lictor, 'root', '--role', 'admin');
  for (const name of ['later', 'never']) addUser(lictor, name, '--email', `${name}@example.org`);
  token = await logInByApi(lictor, 'root');
  for (const name of ['later', 'never']) await ask(lictor, 'POST', '/api/reset', undefined, { email: `${name}@example.org` });
  const giveUp = Date.now() + LIMIT_MS;
  for (;;) {
    const { mails } = await ask(lictor, 'GET', '/api/admin/mails', token);
    if (mails.length === 2 && mails.every(each => each.failure)) break;
    assert.ok(Date.now() < giveUp, JSON.stringify(mails));
    await sleep(100);
  }
});

after(async () => {
  await browser?.close();
  await stopLictors();
  mailServer?.close();
});

test('mails are told in words, tried again and dropped, each in its row', async t => {
  const page = await open(t, browser, lictor, '/admin/mails', { token, expected: [refused(503)] });
  const later = page.locator('.row').filter({ hasText: 'later@example.org' });
  const never = page.locator('.row').filter({ hasText: 'never@example.org' });
  await later.getByText('Waiting', { exact: true }).waitFor();
  await later.getByText('450 ').waitFor();
  await never.getByText('Given up', { exact: true }).waitFor();
  await never.getByText('550 ').waitFor();
  assert.equal(await page.getByText('Link for a new password').count(), 2);
  await inspect(page, 'mails');
  // A reload that fails takes no mail away, and says so.
  const busy = { error: 'Unavailable', message: 'busy', status_code: 503 };
  await page.route('**/api/admin/mails?*', route => route.fulfill({ status: 503, json: busy }));
  await button(page, 'Reload').click();
  await page.getByText('The server is busy. Please try again shortly.').waitFor();
  await later.waitFor();
  await page.unroute('**/api/admin/mails?*');
  await button(page, 'Reload').click();
  await page.getByText('The server is busy. Please try again shortly.').waitFor({ state: 'detached' });
  await never.getByRole('button', { name: /^Try now/ }).click();
  await never.getByText(/is tried again within seconds/).waitFor();
  assert.ok(await isFocused(never));
  await later.getByRole('button', { name: /^Drop/ }).click();
  await later.getByText(/is dropped/).waitFor();
  await inspect(page, 'mails, done');
  await button(page, 'Reload').click();
  await later.waitFor({ state: 'detached' });
  await never.getByRole('button', { name: /^Drop/ }).click();
  await never.getByText(/is dropped/).waitFor();
  await button(page, 'Reload').click();
  await page.getByText('No mail is waiting.').waitFor();
  assert.deepEqual((await ask(lictor, 'GET', '/api/admin/mails', token)).mails, []);
});

// A mail server that takes no mail: those to `later` are refused for now, all others for good.
function talk(socket) {
  socket.on('error', () => {});
  socket.write('220 mail.example.org\r\n');
  let typed = '';
  socket.on('data', bytes => {
    typed += bytes;
    for (let end = typed.indexOf('\r\n'); end >= 0; end = typed.indexOf('\r\n')) {
      const line = typed.slice(0, end);
      typed = typed.slice(end + 2);
      socket.write(`${answerTo(line)}\r\n`);
      if (line === 'QUIT') socket.end();
    }
  });
}

function answerTo(line) {
  if (/^RCPT TO:<later/.test(line)) return '450 Try again later';
  if (line.startsWith('RCPT')) return '550 No such user here';
  return line === 'QUIT' ? '221 Bye' : '250 OK';
}
