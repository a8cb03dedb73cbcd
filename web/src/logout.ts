// Owns the logout of this browser, in this tab or another. Its token is gone at once, but only the server can end the login to
// the apps behind the proxy: until it answers, they stay open.

import { useSyncExternalStore } from 'react';
import { api } from './api/endpoints';
import { forgetLinkTokens } from './link-secrets';
import { auth } from './session';

interface Logout {
  // Whether the server has ended the session of the token.
  confirmed: Promise<boolean>;
  // The token, for the next attempt; null if it has expired.
  token: Promise<string | null>;
  // The server has not answered so far.
  unanswered: boolean;
}

const listeners = new Set<() => void>();
let pending: Logout | null = null;

// A new login also replaces the cookie.
auth.subscribe(() => auth.state.loggedIn && change(null));

// The next user of this device does not get what links have left behind.
let user = auth.state.claims?.id;
auth.subscribe(() => {
  const { claims, reason } = auth.state;
  if (reason === 'user') forgetLinkTokens({ here: false });
  else if (claims && claims.id !== user) forgetLinkTokens({ here: true });
  user = claims?.id;
});

export function logOut() {
  // Asked before the logout, which deletes it.
  const token = auth.token().catch(() => null);
  change({ confirmed: auth.logOut(), token, unanswered: false });
}

// Logs out, or finishes a pending logout. Rejects, and stays pending, if the server does not answer.
export async function logOutFully() {
  if (!pending) logOut();
  await finishLogout();
}

// The logout that the server has not confirmed.
export function usePendingLogout(): Logout | null {
  return useSyncExternalStore(subscribe, () => pending);
}

// If a logout is pending, ends the session of its token and the login to the apps; else resolves to the name
// of the user who is logged in to them. Rejects, and stays pending, if the server does not answer.
export async function finishLogout(): Promise<string | null> {
  const before = pending;
  if (!before) {
    // Another tab is about to end it.
    return auth.state.reason === 'user' ? null : ((await api.browserSession()).user?.name ?? null);
  }
  // Two requests at once would end one session twice, which is an error.
  const token = (await before.confirmed) ? null : await before.token;
  if (pending?.confirmed !== before.confirmed) return null;
  try {
    // The cookie may be from another session than the token, or missing.
    await api.endBrowserSession(token);
    change(null);
  } catch (thrown) {
    if (pending?.confirmed === before.confirmed) change({ ...before, unanswered: true });
    throw thrown;
  }
  return null;
}

function change(next: Logout | null) {
  pending = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
