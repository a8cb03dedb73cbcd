// Owns filling a lictor with many users and audit entries, quickly: accounts by an import, entries by
// changes of their roles, many at a time.

import assert from 'node:assert/strict';
import { ask, idIn } from './app.mjs';

// Requests at the same time.
const AT_ONCE = 50;
// Some have letters that a search finds without their accents.
const NAMES = ['José', 'Zoë', 'Łukasz', 'Åse', 'mara', 'otto', 'nils', 'pia', 'ruth', 'sven'];

// The name of the user with this number.
export const manyName = n => `${NAMES[n % NAMES.length]}-${String(n).padStart(3, '0')}`;

// Imports `count` users with the password of `like`, an account that the server has. Every seventh is
// inactive, every tenth has the role keeper; each has an e-mail address.
export function addManyUsers(lictor, like, count) {
  const lines = lictor.run('', 'export').trim().split('\n').map(line => JSON.parse(line));
  const model = lines.find(each => each.username === like);
  assert.ok(model, `${like} is not exported`);
  const accounts = Array.from({ length: count }, (_, n) => ({
    id: 1001 + n,
    username: manyName(n),
    email: `person${n}@example.org`,
    password: model.password,
    roles: n % 10 === 0 ? 'user,keeper' : 'user',
    active: n % 7 !== 0,
    created: 1_600_000_000 + n * 3600,
  }));
  lictor.run(accounts.map(each => JSON.stringify(each)).join('\n'), 'import', '-', '--format', 'json-lines');
}

// Makes at least `count` audit entries of the users with these ids, as the administrator of the token.
export async function addManyEntries(lictor, token, ids, count) {
  let made = 0;
  const work = async () => {
    while (made < count) {
      const n = made++;
      await ask(lictor, 'PUT', `/api/admin/users/${ids[n % ids.length]}/roles`, token, { roles: ['user', `r${n}`] });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return idIn(token);
}
