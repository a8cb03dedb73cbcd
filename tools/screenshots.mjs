#!/usr/bin/env node
// Makes the two pictures of README.md anew, in web/screenshots: the login and the account. It needs
// Chromium, a build of lictor, and the packages of tests/browser (npm ci). Look at them before you
// commit them.

import { join } from 'node:path';
import { addUser, ask, button, codeOf, heading, logInByApi, open, PASSWORD } from '../tests/browser/app.mjs';
import { startChromium, startLictor, stopLictors } from '../tests/browser/stage.mjs';

const SIZE = { width: 900, height: 760 };
const folder = join(import.meta.dirname, '../web/screenshots');

const ends = [];
const test = { after: end => ends.push(end) };
const lictor = await startLictor('pictures', '--issuer', 'Lantern');
const browser = await startChromium();

addUser(lictor, 'ada', '--role', 'admin', '--role', 'family', '--email', 'ada@example.org');
const options = { viewport: SIZE, deviceScaleFactor: 1 };

const login = await open(test, browser, lictor, '/login', options);
await heading(login, 'Log in').waitFor();
await login.screenshot({ path: join(folder, 'login.png') });

const token = await logInByApi(lictor, 'ada');
const { secret } = await ask(lictor, 'POST', '/api/second-factor', token, { password: PASSWORD });
await ask(lictor, 'PUT', '/api/second-factor', token, { password: PASSWORD, otp: await codeOf(secret) });
const account = await open(test, browser, lictor, '/account', { ...options, token });
await heading(account, 'Account').waitFor();
await button(account, 'Change password').waitFor();
await account.screenshot({ path: join(folder, 'account.png') });

for (const end of ends) await end();
await browser.close();
await stopLictors();
