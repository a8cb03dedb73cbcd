// Owns the start page: links to log in and register, or the pages of the user.

import { useConfig } from '../config';
import { useLanguage } from '../i18n';
import { useMe } from '../me';
import { Link } from '../router';
import { useSession } from '../session';
import { Arrow } from '../ui/icons';
import { Loading } from '../ui/loading';
import { Page } from '../ui/page';

export function Home() {
  const { loggedIn } = useSession();
  return loggedIn ? <Inside /> : <Outside />;
}

function Outside() {
  const { t } = useLanguage();
  const { issuer, registration } = useConfig();
  return (
    <Page title={t('home.welcome', { issuer })} narrow>
      <p className="intro">{t('home.out')}</p>
      <div className="buttons">
        <Link className="button main" to="/login">{t('nav.login')}</Link>
        {registration !== 'closed' && <Link className="button plain" to="/register">{t('nav.register')}</Link>}
      </div>
      {registration === 'closed' && <p className="aside">{t('home.closed', { issuer })}</p>}
      {registration === 'invite' && <p className="aside">{t('home.invite')}</p>}
    </Page>
  );
}

function Inside() {
  const { t } = useLanguage();
  const { issuer } = useConfig();
  const me = useMe();
  if (!me.data) return <Loading of={me} />;
  const { username, roles } = me.data;
  return (
    <Page title={t('home.hello', { name: username })}>
      <p className="intro">{t('home.in', { issuer })}</p>
      <ul className="cards">
        <Card to="/protected" title={t('home.protected')} text={t('home.protectedText')} />
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
