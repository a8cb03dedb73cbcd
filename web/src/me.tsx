// Owns the account of the user, as the server has it: loaded once a session, and after a change.

import { createContext, useContext, useEffect, type ReactNode } from 'react';
import { onAccountChange } from './account-change';
import { api } from './api/endpoints';
import type { Me } from './api/types';
import { useLoad, type Loaded } from './load';
import { useSession } from './session';

const Context = createContext<Loaded<Me | null> | null>(null);

export function MeProvider({ children }: { children: ReactNode }) {
  const { claims } = useSession();
  const me = useLoad<Me | null>(() => (claims ? api.me() : Promise.resolve(null)), String(claims?.id ?? ''), claims?.jti);
  useEffect(() => onAccountChange(me.reload), [me.reload]);
  return <Context value={me}>{children}</Context>;
}

export function useMe(): Loaded<Me | null> {
  const me = useContext(Context);
  if (!me) throw new Error('useMe outside of MeProvider');
  return me;
}

// Whether the account must set up a second factor before anything else.
export function mustEnrol(me: Me | null | undefined): boolean {
  return Boolean(me?.second_factor_required && !me.second_factor);
}
