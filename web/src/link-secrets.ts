// Owns the secrets in the URLs of links: a mailed token, an invitation. It removes them from the
// address bar before other code runs, so that no history, bookmark or screenshot has them, and keeps
// each for the page that it opens, in the sessionStorage of this tab, until it is used: so the page can
// be loaded again. Must be imported before the router, which reads the URL. On the login page they
// belong to the URL to which the login returns. A logout forgets mailed tokens, and so does the login of another
// user on another page: "Back" would lead the next user of the device to them. An invitation stays: it is no
// key to an account, and whoever opens one while logged in logs out to use it.

import { safeStorage } from 'lictor-auth/storage';

const PREFIX = 'lictor.link.';
const tab = safeStorage('session');

// The secrets of the link that opened the present page. Setting one to null forgets it.
export const linkSecrets = {
  get token() {
    return read('token');
  },
  set token(secret: string | null) {
    write('token', secret);
  },
  get invitation() {
    return read('invitation');
  },
  set invitation(secret: string | null) {
    write('invitation', secret);
  },
};

type Name = keyof typeof linkSecrets;

const query = new URLSearchParams(location.pathname === '/login' ? '' : location.search);
const found = (Object.keys(linkSecrets) as Name[]).filter(name => query.has(name));

for (const name of found) {
  write(name, query.get(name));
  query.delete(name);
}
if (found.length > 0) {
  const rest = query.size > 0 ? `?${query}` : '';
  history.replaceState(null, '', location.pathname + rest);
}

function read(name: Name): string | null {
  return tab.getItem(keyOf(name));
}

function write(name: Name, secret: string | null) {
  secret === null ? tab.removeItem(keyOf(name)) : tab.setItem(keyOf(name), secret);
}

// Forgets the tokens. `here`: keeps that of the present page.
export function forgetLinkTokens({ here }: { here: boolean }) {
  const isOther = (key: string) => key.startsWith(`${PREFIX}token `) && !(here && key === keyOf('token'));
  for (const key of tab.keys().filter(isOther)) tab.removeItem(key);
}

function keyOf(name: Name): string {
  return `${PREFIX}${name} ${location.pathname.replace(/(.)\/+$/, '$1')}`;
}
