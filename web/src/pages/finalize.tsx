// Owns the page of the mailed link that confirms an e-mail address, for a registration or for a new
// address of an account. It asks the server about the link first. Only the button changes something,
// because programs that scan mail open links.

import { useEffect, useState } from 'react';
import { api } from '../api/endpoints';
import { asProblem, isPassing, type Problem } from '../api/problem';
import type { ConfirmationLink, Finalized } from '../api/types';
import { useConfig } from '../config';
import { useLanguage } from '../i18n';
import { linkSecrets } from '../link-secrets';
import { useLoad } from '../load';
import { useMe } from '../me';
import { Link } from '../router';
import { useSession } from '../session';
import { Form } from '../ui/form';
import { Loading } from '../ui/loading';
import { Notice, ProblemNotice } from '../ui/notice';
import { Page } from '../ui/page';

export function Finalize() {
  const [done, setDone] = useState<Finalized | null>(null);
  const [failed, setFailed] = useState<Problem | null>(null);
  const [token] = useState(linkSecrets.token);

  function fail(problem: Problem) {
    linkSecrets.token = null;
    setFailed(problem);
  }

  if (done) return <Done of={done} />;
  if (failed || !token) return <Failed problem={failed} />;
  return <Checked token={token} onDone={setDone} onFailed={fail} />;
}

interface Props {
  token: string;
  onDone: (answer: Finalized) => void;
  onFailed: (problem: Problem) => void;
}

function Checked({ token, onDone, onFailed }: Props) {
  const link = useLoad(() => api.checkFinalize(token), 'link');
  const final = link.problem && !isPassing(link.problem) ? link.problem : null;
  useEffect(() => {
    if (final) onFailed(final);
  }, [final]);

  if (!link.data) return final ? null : <Loading of={link} />;
  return <Ask token={token} link={link.data} onDone={onDone} onFailed={onFailed} />;
}

function Ask({ token, link: { user: name, email, registration }, onDone, onFailed }: Props & { link: ConfirmationLink }) {
  const { t } = useLanguage();
  const { issuer } = useConfig();
  const me = useMe();

  async function send() {
    try {
      const answer = await api.finalize(token);
      linkSecrets.token = null;
      if (!answer.access_token) me.reload();
      onDone(answer);
    } catch (thrown) {
      const problem = asProblem(thrown);
      if (isPassing(problem)) throw problem;
      onFailed(problem);
    }
  }

  return (
    <Page step="ask" title={t('finalize.title')} narrow>
      <p className="intro">{t('finalize.check', { email, name, issuer })}</p>
      {registration && me.data && <Notice kind="plain">{t('link.other', { name: me.data.username, user: name })}</Notice>}
      <Form submit={t('finalize.submit')} send={send}>
        <p>{t('finalize.notYou')}</p>
      </Form>
    </Page>
  );
}

function Done({ of: { user: name, email } }: { of: Finalized }) {
  const { t } = useLanguage();
  return (
    <Page step="done" title={email ? t('finalize.changed') : t('finalize.welcome', { name })} narrow>
      <p className="intro">{email ? t('finalize.changedText', { email, name }) : t('finalize.registered')}</p>
      <div className="buttons"><Link className="button main" to="/">{t('finalize.home')}</Link></div>
    </Page>
  );
}

function Failed({ problem }: { problem: Problem | null }) {
  const { t } = useLanguage();
  const { loggedIn } = useSession();
  return (
    <Page step="failed" title={t('finalize.failed')} narrow>
      {problem && problem.status !== 401
        ? <ProblemNotice problem={problem} />
        : <p className="intro">{t('finalize.failedText')}</p>}
      <div className="buttons">
        {loggedIn
          ? <Link className="button main" to="/">{t('finalize.home')}</Link>
          : <Link className="button main" to="/login">{t('login.title')}</Link>}
      </div>
    </Page>
  );
}
