// Owns the page of the link in a mail that confirms an address: it finishes a registration, or
// gives an account another address. Opening the page changes nothing, because programs that check
// mail open links too; the button does.

import { useState, type ReactNode } from 'react';
import { api } from '../api/endpoints';
import { asProblem } from '../api/problem';
import type { Finalized } from '../api/types';
import { useConfig } from '../config';
import { useLanguage } from '../i18n';
import { linkSecrets } from '../link-secrets';
import { useMe } from '../me';
import { Link } from '../router';
import { auth, useSession } from '../session';
import { Form } from '../ui/form';
import { ProblemNotice } from '../ui/notice';
import { Page } from '../ui/page';

// After these another try makes sense.
const PASSING = ['Offline', 'HttpError', 'TooManyRequests', 'Unavailable', 'InternalError'];

export function Finalize() {
  const [done, setDone] = useState<Finalized | null>(null);
  const [failed, setFailed] = useState<ReactNode>(null);
  const token = linkSecrets.token;
  if (done) return <Done of={done} />;
  if (failed || !token) return <Failed>{failed}</Failed>;
  return <Ask token={token} onDone={setDone} onFailed={setFailed} />;
}

interface Props {
  token: string;
  onDone: (answer: Finalized) => void;
  // With what there is to say beyond that the link does not work.
  onFailed: (why: ReactNode) => void;
}

function Ask({ token, onDone, onFailed }: Props) {
  const { t } = useLanguage();
  const { issuer } = useConfig();
  const me = useMe();

  async function send() {
    try {
      const answer = await api.finalize(token);
      linkSecrets.token = null;
      if (answer.access_token) auth.accept(answer.access_token);
      else me.reload();
      onDone(answer);
    } catch (thrown) {
      const problem = asProblem(thrown);
      if (PASSING.includes(problem.code)) throw problem;
      onFailed(problem.status === 401 ? <p className="intro">{t('finalize.failedText')}</p> : <ProblemNotice problem={problem} />);
    }
  }

  return (
    <Page step="ask" title={t('finalize.title')} narrow>
      <p className="intro">{t('finalize.intro', { issuer })}</p>
      <Form submit={t('finalize.submit')} send={send}>
        <p>{t('finalize.notYou')}</p>
      </Form>
    </Page>
  );
}

function Done({ of: { user: name, email, access_token: token } }: { of: Finalized }) {
  const { t } = useLanguage();
  const { loggedIn } = useSession();
  const text = email ? t('finalize.changedText', { email, name }) : t(token ? 'finalize.registered' : 'finalize.confirmed');
  return (
    <Page step="done" title={email || !token ? t('finalize.changed') : t('finalize.welcome', { name })} narrow>
      <p className="intro">{text}</p>
      <Onward loggedIn={loggedIn || Boolean(email)} />
    </Page>
  );
}

function Failed({ children }: { children?: ReactNode }) {
  const { t } = useLanguage();
  const { loggedIn } = useSession();
  return (
    <Page step="failed" title={t('finalize.failed')} narrow>
      {children || <p className="intro">{t('finalize.failedText')}</p>}
      <Onward loggedIn={loggedIn} />
    </Page>
  );
}

function Onward({ loggedIn }: { loggedIn: boolean }) {
  const { t } = useLanguage();
  return (
    <div className="buttons">
      {loggedIn
        ? <Link className="button main" to="/">{t('finalize.home')}</Link>
        : <Link className="button main" to="/login">{t('login.title')}</Link>}
    </div>
  );
}
