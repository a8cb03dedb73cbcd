// Owns the React hook. The only file here that imports React.

import { useSyncExternalStore } from 'react';
import type { Auth, AuthState } from './types.js';

/** The state of `auth`; the component renders again when it changes. `const { loggedIn, claims } = useAuth(auth)` */
export function useAuth(auth: Auth): AuthState {
  return useSyncExternalStore(auth.subscribe, () => auth.state, () => auth.state);
}
