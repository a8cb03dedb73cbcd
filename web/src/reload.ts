// Owns what happens when a file of the app cannot be loaded. Mostly the server was upgraded while the
// page was open, and its files have other names now: a reload of the page gets them.

const KEY = 'lictor.reloaded';
// A second failure within this time is not helped by another reload.
const AGAIN_MS = 60_000;

// Reloads the page; returns false if the last reload was for the same reason and has not helped, or if
// the browser blocks the storage that remembers it.
export function reloadOnce(): boolean {
  if (!mayReload()) return false;
  location.reload();
  return true;
}

export function answers(): Promise<boolean> {
  return fetch('/api/config').then(answer => answer.ok, () => false);
}

// Whether the last automatic reload is long ago; notes this one.
function mayReload(): boolean {
  try {
    const last = Number(sessionStorage.getItem(KEY));
    sessionStorage.setItem(KEY, String(Date.now()));
    return Math.abs(Date.now() - last) > AGAIN_MS;
  } catch {
    return false;
  }
}
