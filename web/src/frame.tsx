// Owns the frame of every page: the link that skips the navigation, the navigation, the choice of
// language, and the message that the connection is lost.

import type { ReactNode } from 'react';
import { useConfig } from './config';
import { ConnectionLost } from './connection-lost';
import { languages, useLanguage, type Language } from './i18n';
import { mustEnrol, useMe } from './me';
import { Link, navigate, useAddress } from './router';
import { auth, useSession } from './session';
import { Button } from './ui/button';
import { Mark } from './ui/icons';

export function Frame({ children }: { children: ReactNode }) {
  const { t } = useLanguage();
  return (
    <>
      <a className="skip" href="#content">{t('nav.skip')}</a>
      <header className="top">
        <Brand />
        <Navigation />
      </header>
      <ConnectionLost />
      <main id="content" className="content" tabIndex={-1}>{children}</main>
      <footer className="bottom">
        <LanguageSwitch />
      </footer>
    </>
  );
}

function Brand() {
  const { issuer } = useConfig();
  return (
    <Link to="/" className="brand">
      <Mark />
      <span>{issuer}</span>
    </Link>
  );
}

function Navigation() {
  const { t } = useLanguage();
  const { loggedIn, roles } = useSession();
  const { registration } = useConfig();
  const { data: me } = useMe();
  // Until the account is loaded, the roles in the token are a good guess.
  const isAdmin = (me?.roles ?? roles).includes('admin');

  async function logOut() {
    navigate('/');
    await auth.logOut();
  }

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
          <Button look="link" onClick={() => void logOut()}>{t('nav.logout')}</Button>
        </>
      ) : (
        <>
          <NavLink to="/login">{t('nav.login')}</NavLink>
          {registration !== 'closed' && <NavLink to="/register">{t('nav.register')}</NavLink>}
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
  return (
    <div className="languages" role="group" aria-label={t('footer.language')}>
      {Object.entries(languages).map(([code, name]) => (
        <button
          key={code}
          type="button"
          lang={code}
          aria-pressed={code === language}
          onClick={() => choose(code as Language)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}
