// Owns the page of the link in a mail that confirms an address: it finishes a registration, or
// gives an account another address.

import type { ReactNode } from 'react';
import { api } from '../api/endpoints';
import type { Finalized } from '../api/types';
import { useLanguage } from '../i18n';
import { linkSecrets } from '../link-secrets';
import { useLoad } from '../load';
import { useMe } from '../me';
import { Link } from '../router';
import { auth, useSession } from '../session';
import { ProblemNotice } from '../ui/notice';
import { Page } from '../ui/page';

export function Finalize() {
  return linkSecrets.token ? <Confirming token={linkSecrets.token} /> : <Failed />;
}

function Confirming({ token }: { token: string }) {
  const { t } = useLanguage();
  const me = useMe();
  const finalized = useLoad(() => once(token, me.reload), token);

  const { data, problem } = finalized;
  if (problem) return <Failed>{problem.status !== 401 && <ProblemNotice problem={problem} />}</Failed>;
  if (!data) return <Page title={t('finalize.title')} narrow><p role="status">{t('finalize.busy')}</p></Page>;
  const { user: name, email } = data;
  return (
    <Page step="done" title={email ? t('finalize.changed') : t('finalize.welcome', { name })} narrow>
      <p className="intro">{email ? t('finalize.changedText', { email, name }) : t('finalize.registered')}</p>
      <div className="buttons"><Link className="button main" to="/">{t('finalize.home')}</Link></div>
    </Page>
  );
}

// A link works once, so it is followed once, however often this page is rendered. A lost
// connection is no answer: then it may be tried again.
const followed = new Map<string, Promise<Finalized>>();

function once(token: string, reloadMe: () => void): Promise<Finalized> {
  const before = followed.get(token);
  if (before) return before;
  const answer = follow(token, reloadMe);
  followed.set(token, answer);
  answer.catch(problem => problem.code === 'Offline' && followed.delete(token));
  return answer;
}

async function follow(token: string, reloadMe: () => void): Promise<Finalized> {
  const answer = await api.finalize(token);
  if (answer.access_token) auth.accept(answer.access_token);
  else reloadMe();
  return answer;
}

function Failed({ children }: { children?: ReactNode }) {
  const { t } = useLanguage();
  const { loggedIn } = useSession();
  return (
    <Page step="failed" title={t('finalize.failed')} narrow>
      {children || <p className="intro">{t('finalize.failedText')}</p>}
      <div className="buttons">
        {loggedIn
          ? <Link className="button main" to="/">{t('finalize.home')}</Link>
          : <Link className="button main" to="/login">{t('login.title')}</Link>}
      </div>
    </Page>
  );
}
