// Owns the account of the user, as the server has it: loaded once a session, after a change, and now and
// then while somebody looks at the page, so that a role that was granted meanwhile shows.

import { createContext, useContext, useEffect, useRef, type ReactNode } from 'react';
import { onAccountChange } from './account-change';
import { api } from './api/endpoints';
import type { Me } from './api/types';
import { useLoad, type Loaded } from './load';
import { auth, useSession } from './session';

// How often the account is loaded again while the page is visible, and the least time between two looks
// at the page.
const LOOK_MS = 60_000;
const GLANCE_MS = 5_000;

const Context = createContext<Loaded<Me | null> | null>(null);

export function MeProvider({ children }: { children: ReactNode }) {
  const { claims } = useSession();
  const me = useLoad<Me | null>(() => (claims ? api.me() : Promise.resolve(null)), String(claims?.id ?? ''), claims?.jti);
  useEffect(() => onAccountChange(me.reload), [me.reload]);
  useLookAgain(me, claims?.jti);
  return <Context value={me}>{children}</Context>;
}

// Asks again when the page is looked at after a pause, and each minute while it is. What fails changes
// nothing: the next request of the page says why.
function useLookAgain(me: Loaded<Me | null>, session: string | undefined) {
  const shown = useRef(me);
  shown.current = me;

  useEffect(() => {
    if (!session) return;
    let last = Date.now();
    let wanted = true;

    async function look(pause: number) {
      if (document.visibilityState !== 'visible' || auth.state.offline || Date.now() - last < pause) return;
      last = Date.now();
      const found = await api.me().catch(() => null);
      const { data, set } = shown.current;
      if (wanted && found && data && !isSame(found, data)) set(found);
    }

    const onLook = () => void look(GLANCE_MS);
    const timer = setInterval(() => void look(0), LOOK_MS);
    addEventListener('focus', onLook);
    document.addEventListener('visibilitychange', onLook);
    return () => {
      wanted = false;
      clearInterval(timer);
      removeEventListener('focus', onLook);
      document.removeEventListener('visibilitychange', onLook);
    };
  }, [session]);
}

function isSame(one: Me, other: Me): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
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
