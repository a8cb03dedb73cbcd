// Owns who is logged in, as the server knows them: read once a session, again when it changed.

import { createContext, useContext, type ReactNode } from 'react';
import { api } from './api/endpoints';
import type { Me } from './api/types';
import { useLoad, type Loaded } from './load';
import { useSession } from './session';

const Context = createContext<Loaded<Me | null> | null>(null);

export function MeProvider({ children }: { children: ReactNode }) {
  const { claims } = useSession();
  // Another session may be another person's.
  const me = useLoad<Me | null>(() => (claims ? api.me() : Promise.resolve(null)), claims?.jti ?? '');
  return <Context value={me}>{children}</Context>;
}

export function useMe(): Loaded<Me | null> {
  const me = useContext(Context);
  if (!me) throw new Error('useMe outside of MeProvider');
  return me;
}
