// Owns the login for an app behind the proxy, and the way back to it: whether the browser is logged in to
// the apps already, whether the user may open this one, and whether the browser has kept the cookie.

import { safeStorage } from 'lictor-auth/storage';
import { useEffect, useState, type ReactNode } from 'react';
import { api } from '../api/endpoints';
import { asProblem, type Problem } from '../api/problem';
import type { BrowserSession } from '../api/types';
import { useLanguage } from '../i18n';
import { useLoad } from '../load';
import { logOutFully } from '../logout';
import { useMe } from '../me';
import { fragmentAtLoad, isPlace, withFragment } from '../return-to';
import { Link, navigate } from '../router';
import { sessionAtLoad, useSession } from '../session';
import { useTask } from '../task';
import { Button } from '../ui/button';
import { Loading } from '../ui/loading';
import { Notice, ProblemNotice } from '../ui/notice';
import { Page } from '../ui/page';
import { LoginForm } from './login-form';

interface Arrival extends BrowserSession {
  // The browser got its cookie just now.
  given?: true;
  refused?: Problem;
}

export function Return({ to }: { to: string }) {
  const { loggedIn, claims } = useSession();
  const me = useMe();
  // Until then it is unknown whether the account must set up a second factor first.
  if (loggedIn && !me.data) return <Loading of={me} quiet />;
  return <Arrived key={claims?.jti} to={to} />;
}

function Arrived({ to }: { to: string }) {
  const { t } = useLanguage();
  const { loggedIn, claims } = useSession();
  const arrival = useLoad(() => arrive(to, loggedIn), `return ${to}`);
  const fresh = loggedIn && claims?.jti !== sessionAtLoad;

  if (!arrival.data) return <Loading of={arrival} quiet />;
  const { user, return: place, problem, given, refused } = arrival.data;
  if (!place || !isPlace(place.url)) {
    return user || loggedIn ? <Elsewhere fresh={fresh} /> : <LoginForm notice={t('return.refused')} />;
  }
  // A page of this server has no host.
  const host = place.host || location.host;
  // It can be set up only with a token, which a login gives.
  if (!loggedIn && (!user || problem === 'second-factor')) return <LoginForm notice={t('return.asks', { host })} toApp />;
  if (!user) return <NotKept host={host} problem={refused} />;
  if (!place.allowed) return <Forbidden host={host} name={user.name} />;
  return <Continue host={host} url={withFragment(place.url, fragmentAtLoad)} name={user.name} now={given || (fresh && user.id === claims?.id)} />;
}

// Asks by the cookie alone, because the app sees nothing else. Without one, the session gets one.
async function arrive(to: string, loggedIn: boolean): Promise<Arrival> {
  const before = await api.browserSession(to);
  if (before.user || !before.return || !loggedIn) return before;
  try {
    await api.giveCookie();
  } catch (thrown) {
    const refused = asProblem(thrown);
    if (refused.code === 'Offline') throw refused;
    return { ...before, refused };
  }
  return { ...(await api.browserSession(to)), given: true };
}

interface ContinueProps {
  host: string;
  url: string;
  name: string;
  now: boolean | undefined;
}

// Without a click only after a login: if the app sends the browser here again, this is no endless loop.
function Continue({ host, url, name, now }: ContinueProps) {
  const { t } = useLanguage();
  const [back] = useState(() => cameBack(url));
  useEffect(() => {
    if (!now) return;
    noteLeaving(url);
    location.assign(url);
  }, [now, url]);
  return (
    <Page step="continue" title={t('return.title', { host })} narrow>
      <p className="intro">{t('return.text', { name })}</p>
      {back && <Notice kind="bad">{t('return.back', { host, name })}</Notice>}
      <OtherAccount><a className="button main" href={url} onClick={() => noteLeaving(url)}>{t('return.go')}</a></OtherAccount>
    </Page>
  );
}

// An app that does not let the user in sends the browser back at once. The server cannot tell: the proxy
// may ask for a role of its own, or lose the cookie.
const LEFT = 'lictor.left';
const AT_ONCE_MS = 10_000;
const tab = safeStorage('session');

function noteLeaving(url: string) {
  tab.setItem(LEFT, `${Date.now()} ${url}`);
}

function cameBack(url: string): boolean {
  const [at, left] = (tab.getItem(LEFT) ?? '').split(' ');
  return left === url && Date.now() - Number(at) < AT_ONCE_MS;
}

function Forbidden({ host, name }: { host: string; name: string }) {
  const { t } = useLanguage();
  return (
    <Page step="forbidden" title={t('return.forbidden', { name, host })} narrow>
      <p className="intro">{t('return.forbiddenText')}</p>
      <OtherAccount><Link className="button plain" to="/account">{t('return.account')}</Link></OtherAccount>
    </Page>
  );
}

function OtherAccount({ children }: { children: ReactNode }) {
  const { t } = useLanguage();
  const task = useTask();
  const leave = () => task.run(async () => {
    await logOutFully();
    // This page begins anew, without a session.
    location.reload();
  });
  return (
    <>
      <div className="buttons">
        {children}
        <Button task={task} onClick={() => void leave()}>{t('return.other')}</Button>
      </div>
      {task.problem && <ProblemNotice problem={task.problem} />}
    </>
  );
}

function NotKept({ host, problem }: { host: string; problem: Problem | undefined }) {
  const { t } = useLanguage();
  return (
    <Page step="not-kept" title={t('return.notKept')} narrow>
      {problem ? <ProblemNotice problem={problem} /> : <p className="intro">{t('return.notKeptText', { host })}</p>}
      <div className="buttons">
        <Button look="main" onClick={() => location.reload()}>{t('load.again')}</Button>
        <Link className="button plain" to="/">{t('finalize.home')}</Link>
      </div>
    </Page>
  );
}

function Elsewhere({ fresh }: { fresh: boolean }) {
  const { t } = useLanguage();
  // The login page has said it already.
  useEffect(() => {
    if (fresh) navigate('/', { replace: true });
  }, [fresh]);
  return (
    <Page step="elsewhere" title={t('return.unknown')} narrow>
      <p className="intro">{t('return.refused')}</p>
      <div className="buttons"><Link className="button main" to="/">{t('finalize.home')}</Link></div>
    </Page>
  );
}
