// Owns the secret in the link that makes the first administrator. It stands behind the `#`, so no
// browser sends it. It is removed from the address bar before other code runs, and kept in the
// sessionStorage of this tab until it is used, so that the page can be loaded again.

import { safeStorage } from 'lictor-auth/storage';

const KEY = 'lictor.link.setup';
const tab = safeStorage('session');

export const setupSecret = {
  get: () => tab.getItem(KEY),
  set: (secret: string | null) => (secret === null ? tab.removeItem(KEY) : tab.setItem(KEY, secret)),
};

function take(): boolean {
  if (!/^\/setup\/*$/.test(location.pathname) || location.hash.length < 2) return false;
  setupSecret.set(location.hash.slice(1));
  history.replaceState(null, '', location.pathname + location.search);
  return true;
}

take();
// A newer link, opened in the tab of an older one.
addEventListener('hashchange', () => {
  if (take()) location.reload();
});
