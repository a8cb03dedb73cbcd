// Owns the frame of every page: the link that skips the navigation, the navigation, the choice of
// language, what was said about the page before, and the message that the connection is lost. It is
// drawn before the configuration is loaded.

import type { ReactNode } from 'react';
import { Brand, Links } from './brand';
import { useConfigLoad } from './config';
import { ConnectionLost } from './connection-lost';
import { languages, useLanguage, type Language } from './i18n';
import { logOut } from './logout';
import { mustEnrol, useMe } from './me';
import { Link, navigate, useAddress } from './router';
import { SaidBefore, say } from './said';
import { useSession } from './session';
import { Button } from './ui/button';

export function Frame({ children }: { children: ReactNode }) {
  const { t } = useLanguage();
  const { data: config } = useConfigLoad();
  return (
    <>
      <a className="skip" href="#content">{t('nav.skip')}</a>
      <header className="top">
        <Brand />
        <Navigation />
      </header>
      <ConnectionLost />
      {/* With its links the header may be higher. A new element below it counts as none that moves. */}
      <main key={String(Boolean(config))} id="content" className="content" tabIndex={-1}>
        <SaidBefore />
        {children}
      </main>
      <footer className="bottom">
        <Links />
        <LanguageSwitch />
      </footer>
    </>
  );
}

function Navigation() {
  const { t } = useLanguage();
  const { loggedIn, roles } = useSession();
  const { data: config } = useConfigLoad();
  const { data: me } = useMe();
  // Until the account is loaded, the roles in the token are a good guess.
  const isAdmin = (me?.roles ?? roles).includes('admin');

  // The start page shows when the server does not answer.
  function leave() {
    navigate('/');
    logOut();
    say('logout.done');
  }

  if (!config) return null;

  return (
    <nav className="nav" aria-label={t('nav.label')}>
      {loggedIn ? (
        <>
          {!mustEnrol(me) && (
            <>
              {isAdmin && <NavLink to="/admin" within>{t('nav.admin')}</NavLink>}
              <NavLink to="/account">{t('nav.account')}</NavLink>
            </>
          )}
          <Button look="link" onClick={leave}>{t('nav.logout')}</Button>
        </>
      ) : (
        <>
          <NavLink to="/login">{t('nav.login')}</NavLink>
          {config.registration !== 'closed' && <NavLink to="/register">{t('nav.register')}</NavLink>}
        </>
      )}
    </nav>
  );
}

// `within`: the link is marked on the pages below its path too.
export function NavLink({ to, within = false, children }: { to: string; within?: boolean; children: ReactNode }) {
  const { path } = useAddress();
  const current = path === to ? 'page' : within && path.startsWith(`${to}/`) ? 'true' : undefined;
  return <Link to={to} aria-current={current}>{children}</Link>;
}

function LanguageSwitch() {
  const { t, language, choose } = useLanguage();

  // Until the words are there, the page is in the other language, and the control says so.
  async function change(select: HTMLSelectElement) {
    const chosen = choose(select.value as Language);
    select.value = language;
    if (!(await chosen)) say('footer.later');
  }

  return (
    <select
      className="languages"
      aria-label={t('footer.language')}
      value={language}
      onChange={event => void change(event.currentTarget)}
    >
      {Object.entries(languages).map(([code, name]) => <option key={code} value={code} lang={code}>{name}</option>)}
    </select>
  );
}
