// Owns the start page: the login, or what the user may open: the apps, the account, administration. A
// login here leads to the page that the administrator has named, if there is one.

import { useEffect } from 'react';
import { takeArrival } from '../arrival';
import { useConfig } from '../config';
import { useLanguage } from '../i18n';
import { useMe } from '../me';
import { isPlace } from '../return-to';
import { Link } from '../router';
import { useSession } from '../session';
import { Apps } from '../ui/apps';
import { Arrow } from '../ui/icons';
import { Loading } from '../ui/loading';
import { NoAdmin } from '../ui/no-admin';
import { Page } from '../ui/page';
import { LoginForm } from './login-form';

export function Home() {
  const { loggedIn } = useSession();
  return loggedIn ? <Inside /> : <Outside />;
}

function Outside() {
  const { t } = useLanguage();
  const { issuer, registration, setup } = useConfig();
  return (
    <LoginForm title={t('home.welcome', { issuer })}>
      {registration === 'closed' && !setup && <p className="aside">{t('home.closed', { issuer })}</p>}
      {registration === 'invite' && !setup && <p className="aside">{t('home.invite')}</p>}
    </LoginForm>
  );
}

function Inside() {
  const { t } = useLanguage();
  const { issuer, home_url } = useConfig();
  const me = useMe();
  const home = home_url && isPlace(home_url) ? home_url : null;
  const known = Boolean(me.data);

  // Until the account is known, it may have to set up a second factor first. Whoever comes back here later
  // wants this page.
  useEffect(() => {
    if (known && takeArrival() && home !== null) location.assign(home);
  }, [known, home]);

  if (!me.data) return <Loading of={me} />;
  const { username, roles } = me.data;
  return (
    <Page title={t('home.hello', { name: username })}>
      <p className="intro">{t('home.in', { issuer })}</p>
      {home && (
        <div className="buttons">
          <a className="button main" href={home}>{t('return.title', { host: new URL(home, location.href).host })}</a>
        </div>
      )}
      <NoAdmin />
      <Apps />
      <ul className="cards">
        <Card to="/account" title={t('account.title')} text={t('home.accountText')} />
        {roles.includes('admin') && <Card to="/admin" title={t('admin.title')} text={t('home.adminText')} />}
      </ul>
    </Page>
  );
}

function Card({ to, title, text }: { to: string; title: string; text: string }) {
  return (
    <li className="card">
      <h2><Link to={to}>{title}</Link></h2>
      <p>{text}</p>
      <Arrow />
    </li>
  );
}
