// Owns the React hook. The only file here that imports React.

import { useSyncExternalStore } from 'react';
import type { Auth, AuthState } from './types.js';

/** The state of `auth`; the component renders again when it changes. `const { loggedIn, claims } = useAuth(auth)` */
export function useAuth(auth: Auth): AuthState {
  return useSyncExternalStore(auth.subscribe, () => auth.state, loggedOut);
}

// A page that a server renders is logged out, and so must its first rendering in the browser be.
const LOGGED_OUT: AuthState = Object.freeze({ loggedIn: false, claims: null, roles: [], reason: null, offline: false });

function loggedOut(): AuthState {
  return LOGGED_OUT;
}
